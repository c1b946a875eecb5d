//! RTMP: Adobe's Real-Time Messaging Protocol 1.0, the publishing half.
//!
//! ```text
//! bytes → handshake → chunk::Decoder → Message → session::Session → Event → stream::Publication
//!                          │                          │
//!                 writes payload into          answers through
//!                 media::payload blocks        chunk::Encoder → bytes
//! ```
//!
//! `rml_rtmp` does the handshake and is an independent peer in the tests. Its chunk decoder keeps one buffer for
//! all chunk streams and panics on legal interleaving, its AMF reader recurses without a limit, and neither has
//! limits on what a peer may make it hold; so those parts are written here.
//!
//! Playback over RTMP is deliberately absent: HLS and DASH do that.

pub mod amf;
pub mod chunk;
pub mod clock;
pub mod handshake;
pub mod limits;
pub mod message;
mod metrics;
pub mod name;
mod server;
pub mod session;

pub use limits::Limits;
pub use metrics::Metrics;
pub use server::{Server, Settings};
pub use session::Session;
