//! SRT sockets for tokio (Secure Reliable Transport, draft-sharabayko-srt), over libsrt.
//!
//! ```text
//!  Listener ── accept ──▶ Connection ◀── connect        recv · send · stats
//!      │                      │
//!   Decide (in libsrt's    Wake (tokio)
//!   receiving thread)         ▲
//!                          reactor: one thread in srt_epoll, one that closes
//! ```
//!
//! Live mode only: messages of one payload each, delivered at the time of their origin plus the latency, what is too
//! late is dropped. Sockets never block; closing is done on a thread of its own.
//!
//! This is the one crate that links libsrt, and [`ffi`] is the one module that calls it. Deliberately absent: what a
//! stream id means, who may publish, MPEG-TS, file mode, rendezvous, bonding.

mod caller;
mod connection;
mod error;
mod ffi;
mod listener;
mod passphrase;
mod reactor;
mod rejection;
mod settings;
mod stats;

pub use caller::{Options, connect};
pub use connection::Connection;
pub use error::{ConnectError, Disconnected, Error};
pub use listener::{Accept, Ask, Decide, Listener};
pub use passphrase::{InvalidPassphrase, KeyLength, Passphrase};
pub use rejection::Rejection;
pub use settings::{MAX_PAYLOAD, MAX_STREAM_ID, Settings, TS_PAYLOAD};
pub use stats::{Encryption, Stats};
