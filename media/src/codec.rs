//! Codecs with their configuration, and the strings by which manifests name them (RFC 6381).

pub mod aac;
pub mod avc;

pub use aac::Aac;
pub use avc::Avc;

use crate::track::Kind;

/// A codec with its out-of-band configuration.
#[derive(Clone, PartialEq, Debug)]
pub enum Codec {
    /// H.264 with an AVCDecoderConfigurationRecord.
    Avc(Avc),
    /// AAC with an AudioSpecificConfig.
    Aac(Aac),
}

impl Codec {
    /// What this codec codes.
    pub fn kind(&self) -> Kind {
        match self {
            Codec::Avc(_) => Kind::Video,
            Codec::Aac(_) => Kind::Audio,
        }
    }

    /// The value of CODECS and `@codecs` (RFC 6381).
    pub fn rfc6381(&self) -> String {
        match self {
            Codec::Avc(avc) => avc.rfc6381(),
            Codec::Aac(aac) => aac.rfc6381(),
        }
    }
}

/// A codec configuration that cannot be used; the publisher's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The configuration ends early.
    #[error("{codec} configuration ends after {len} bytes")]
    Truncated {
        /// Which codec.
        codec: &'static str,
        /// How many bytes there were.
        len: usize,
    },
    /// A field has a value that makes no sense or that is not supported.
    #[error("{codec} configuration: {what}")]
    Invalid {
        /// Which codec.
        codec: &'static str,
        /// What is wrong.
        what: String,
    },
}
