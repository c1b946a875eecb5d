//! Why a session has to be closed. All of it is the peer's fault.

use std::time::Duration;

use super::super::{amf, chunk, handshake, name};

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{fault} (at byte {at})")]
pub struct Error {
    /// Bytes of the connection up to the fault, so that it can be found in a capture.
    pub at: u64,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Fault {
    /// Not RTMP.
    #[error(transparent)]
    Handshake(#[from] handshake::Error),
    /// The chunk stream cannot be read or goes beyond a limit.
    #[error(transparent)]
    Chunk(#[from] chunk::Error),
    /// A command cannot be read or goes beyond a limit.
    #[error(transparent)]
    Amf(#[from] amf::Error),
    /// The application or the stream key is not one that can be published to.
    #[error(transparent)]
    Name(#[from] name::Error),
    /// A protocol control message without its value.
    #[error("control message of type {kind} is too short")]
    ShortControl {
        /// The type of the message.
        kind: u8,
    },
    /// A command without its name, or at a time when it means nothing.
    #[error("{0}")]
    Command(&'static str),
    /// A codec that this server does not take.
    #[error(transparent)]
    Tag(#[from] container::flv::Error),
    /// A codec configuration that cannot be used.
    #[error(transparent)]
    Codec(#[from] media::codec::Error),
    /// More answers than [`super::super::Limits::answers`] from one batch of requests.
    #[error("requests ask for more than {limit} bytes of answers at once")]
    Answers {
        /// The limit in bytes.
        limit: usize,
    },
    /// [`super::super::Limits::setup`] went by.
    #[error("not publishing after {} s", after.as_secs_f64())]
    Slow {
        /// The limit.
        after: Duration,
    },
    /// [`super::super::Limits::idle`] went by.
    #[error("silent for {} s", after.as_secs_f64())]
    Silent {
        /// The limit.
        after: Duration,
    },
}

impl Fault {
    /// A short word for metrics and logs.
    pub fn word(&self) -> &'static str {
        match self {
            Fault::Handshake(_) => "handshake",
            Fault::Chunk(_) => "chunks",
            Fault::Amf(_) => "amf",
            Fault::Name(_) => "bad-name",
            Fault::ShortControl { .. } | Fault::Command(_) => "protocol",
            Fault::Tag(_) | Fault::Codec(_) => "bad-media",
            Fault::Answers { .. } => "answers",
            Fault::Slow { .. } => "slow",
            Fault::Silent { .. } => "silent",
        }
    }

    /// Whether it lies in the media, so that the one who set up the encoder should read about it.
    pub fn is_about_media(&self) -> bool {
        matches!(self, Fault::Tag(_) | Fault::Codec(_))
    }
}
