//! Targets: live entries are sent on to other servers, as they are, by RTMP, RTMPS and SRT.
//!
//! ```text
//!  stream ── snapshots ──▶ follow ── frames ──▶ link ── bytes ──▶ somebody's server
//!                            ▲                    │
//!  catalog ── targets ──▶ tend (a task each): wait · connect · send · try again
//! ```
//!
//! A target is one more reader of a stream, with a cursor over its parts: the publisher never waits for it, and one that
//! is too slow goes on at the newest keyframe and is told so. Payload goes from the stream's memory to the kernel by
//! reference; MPEG-TS for SRT is the exception.
//!
//! Who may set a target must not reach what only this machine can: names are resolved here, and each address is looked at.
//!
//! Deliberately not here: transcoding, which targets there are and who may see them (the catalog), listening.

mod connect;
mod destination;
mod failure;
pub mod follow;
mod link;
mod loops;
mod metrics;
mod restream;
mod retry;
pub mod rtmp;
mod settings;
mod status;
mod tend;

pub use connect::TlsError;
pub(crate) use failure::Failure;
pub use metrics::Metrics;
pub use restream::Restream;
pub use settings::Settings;
pub use status::{State, Status};
