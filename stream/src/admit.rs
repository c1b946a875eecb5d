//! Whether a publisher may enter, and as what.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::Settings;

/// By which protocol a publisher came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protocol {
    /// RTMP.
    Rtmp,
}

/// Which of the redundant inputs of a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leg {
    /// The one that is on air when both are well.
    Primary,
    /// The one that takes over.
    Backup,
}

/// What a publisher asks for.
#[derive(Clone, Debug)]
pub struct Request {
    /// By which protocol.
    pub protocol: Protocol,
    /// Which leg its URL names.
    pub leg: Leg,
    /// The name it publishes: a stream key, or a key and a rendition joined by `_`. A secret: never logged.
    pub name: String,
    /// Where it comes from.
    pub peer: SocketAddr,
}

/// What it may do.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The entry that its key names.
    pub entry: Arc<str>,
    /// Which leg.
    pub leg: Leg,
    /// The rendition of an ABR group, if it named one.
    pub rendition: Option<String>,
    /// How that entry's stream behaves.
    pub settings: Arc<Settings>,
}

/// Why a publisher may not enter. The text is for the one who was refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// No entry has that key.
    #[error("unknown stream key")]
    UnknownKey,
    /// A healthy publisher is on air.
    #[error("stream is already being published by {incumbent}; stream.takeover does not let a newcomer in")]
    Busy {
        /// Where the incumbent comes from.
        incumbent: SocketAddr,
    },
    /// Asked for something that this server does not do.
    #[error("{0}")]
    Unsupported(String),
    /// The server is shutting down.
    #[error("server is shutting down")]
    ShuttingDown,
    /// The stream's owner panicked.
    #[error("this stream failed in the server; try again")]
    Failed,
}

impl Refusal {
    /// A short word for metrics and logs.
    pub fn reason(&self) -> &'static str {
        match self {
            Refusal::UnknownKey => "unknown-key",
            Refusal::Busy { .. } => "busy",
            Refusal::Unsupported(_) => "unsupported",
            Refusal::ShuttingDown => "shutting-down",
            Refusal::Failed => "failed",
        }
    }
}

/// Decides whether a publisher may enter. Asked once per publish request; may look things up.
pub trait Admit: Send + Sync {
    /// Yes with what it may do, or no with the reason.
    fn admit<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Grant, Refusal>>;
}
