//! Images of coded pictures: asked for by many, made by one worker in a process of its own, once.
//!
//! [`Thumbs`] keeps what was made and lets those who ask for the same wait for one making; a supervisor starts
//! `headwater-worker`, gives it one job after another, and kills it when it takes too long. A crash, a hang or the lack of
//! a worker is an answer with words ([`Failure`]): nothing that is live waits here, and what waits has a limit
//! ([`Settings`]).
//!
//! Deliberately not here: FFmpeg, which picture an image is made of, HTTP.

mod job;
mod metrics;
mod settings;
mod supervisor;
mod thumbs;
mod worker;

pub use job::{Failure, Image, Job, Picture};
pub use metrics::Metrics;
pub use settings::Settings;
pub use thumbs::Thumbs;
pub use worker_protocol::{Codec, Form, Refusal};
