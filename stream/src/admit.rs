//! Whether a publisher may enter, and as what.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::{Ended, Settings};

/// By which protocol a publisher came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protocol {
    /// RTMP.
    Rtmp,
    /// RTMP over TLS.
    Rtmps,
    /// SRT.
    Srt,
    /// MPEG-TS in datagrams.
    Udp,
    /// MPEG-TS over TCP.
    Tcp,
}

/// Which of the redundant inputs of a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leg {
    /// The one that is on air when both are well.
    Primary,
    /// The one that takes over.
    Backup,
}

/// Whom a live entry is for while it is published to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Air {
    /// Its own people only.
    Preview,
    /// Everybody who may watch it at all.
    #[default]
    Live,
}

impl Protocol {
    /// A short word for metrics, logs and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Protocol::Rtmp => "rtmp",
            Protocol::Rtmps => "rtmps",
            Protocol::Srt => "srt",
            Protocol::Udp => "udp",
            Protocol::Tcp => "tcp",
        }
    }
}

impl Leg {
    /// A short word for metrics, logs and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Leg::Primary => "primary",
            Leg::Backup => "backup",
        }
    }
}

impl Air {
    /// A short word for metrics, logs and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Air::Preview => "preview",
            Air::Live => "live",
        }
    }
}

/// Where a publisher comes from, and how.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Peer {
    /// Its address.
    pub address: SocketAddr,
    /// The protocol it speaks.
    pub protocol: Protocol,
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

/// What a grant rests on.
///
/// It may come to an end while the publisher is on air: a key is replaced, an entry is deleted, its time is over.
/// Dropped when the publisher is gone, which is how quotas are counted.
pub trait Pass: Send + Sync + std::fmt::Debug {
    /// Why the publisher has to go, if it has to. Asked every second and whenever something changed; must not wait.
    fn check(&self) -> Option<Ended>;
}

/// A pass that never ends: of keys that are written in the configuration.
#[derive(Clone, Copy, Debug)]
pub struct ForGood;

impl Pass for ForGood {
    fn check(&self) -> Option<Ended> {
        None
    }
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
    /// Whom the entry is for at present.
    pub air: Air,
    /// What the grant rests on.
    pub pass: Arc<dyn Pass>,
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
    /// As many renditions are on as may be.
    #[error("{most} renditions are published already (stream.max_renditions); stop one of them first")]
    Full {
        /// How many there may be.
        most: usize,
    },
    /// The key is right, and it is not the entry's time.
    #[error("{text}")]
    NotNow {
        /// The entry.
        entry: Arc<str>,
        /// When it is, in words.
        text: String,
    },
    /// The account of the entry uses all that it may use.
    #[error("{text}")]
    Quota {
        /// The entry.
        entry: Arc<str>,
        /// What is used up, in words.
        text: String,
    },
    /// Somebody has just ended the stream, and this may be its encoder trying again by itself.
    #[error("the stream was ended; it can be published to again once no encoder has tried for 3 seconds")]
    Ended,
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
            Refusal::Full { .. } => "full",
            Refusal::NotNow { .. } => "not-now",
            Refusal::Quota { .. } => "quota",
            Refusal::Ended => "ended",
            Refusal::Unsupported(_) => "unsupported",
            Refusal::ShuttingDown => "shutting-down",
            Refusal::Failed => "failed",
        }
    }

    /// The entry that its key named, where the refusal knows it.
    pub fn entry(&self) -> Option<&Arc<str>> {
        match self {
            Refusal::NotNow { entry, .. } | Refusal::Quota { entry, .. } => Some(entry),
            _ => None,
        }
    }
}

/// Decides whether a publisher may enter. Asked once per publish request; may look things up.
pub trait Admit: Send + Sync {
    /// Yes with what it may do, or no with the reason.
    fn admit<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Grant, Refusal>>;

    /// What the publisher has to encrypt with, where the protocol can and its entry says so. A secret. Must not wait.
    fn passphrase(&self, _request: &Request) -> Option<String> {
        None
    }
}
