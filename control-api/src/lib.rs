//! The control API: entries are provisioned, watched and run over HTTP, below `/api/v1`.
//!
//! [`router`] gives the routes, to be merged into whatever listens; [`openapi`] their description, which is generated
//! from the code. A handler reads its request, calls the catalog or the directory of streams, and shows what came of
//! it: what is stored is the catalog's, what is on air is the directory's.
//!
//! ```text
//! request ─▶ admission (who, how often) ─▶ extractors (role, id, query, body) ─▶ handler ─▶ view
//!                                   └──────────────── problem (RFC 9457) ◀────────┘
//! ```
//!
//! Deliberately not here: a listener, playback, SQL, what a token's digest is made of.

mod access;
mod accounts;
mod admission;
mod answer;
mod api;
pub mod archive;
mod audit;
mod base;
mod body;
mod check;
mod clipper;
mod clips;
mod conditions;
mod control;
mod encoders;
mod entries;
mod events;
mod id;
mod idempotency;
mod inputs;
mod jobs;
mod length;
mod limits;
mod live;
mod metrics;
mod on_demand;
mod openapi;
mod page;
mod playback_token;
mod problem;
mod query;
mod recorder;
mod recordings;
mod restreamer;
mod retention;
mod roles;
mod router;
mod subscribers;
mod times;
mod tokens;
mod webhooks;
mod words;

pub use api::{Api, Endpoints, LiveDefaults, Settings};
pub use archive::Archive;
pub use clipper::{Clipper, Cut, Cutting, NoClipper, Source as ClipSource, Uncut};
pub use inputs::{ConfiguredInput, InputRules, InputState, InputStatus, Inputs, NoInputs, TsCounters};
pub use metrics::Metrics;
pub use on_demand::{Nothing, OnDemand};
pub use openapi::openapi;
pub use recorder::{NoRecorder, Recorder, RecorderState, RecorderStatus, RecordingGap};
pub use restreamer::{NoRestreamer, Restreamer, TargetState, TargetStatus};
pub use router::router;
