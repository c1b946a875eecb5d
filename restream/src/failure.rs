//! Why a target is not sent to, in words for who manages it.

use std::io;
use std::time::Duration;

use packager::samples;

use crate::rtmp::Fault;

/// Why a target is not sent to. It says nothing of the network here, nor of keys.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("the URL cannot be sent to")]
    Url,
    #[error("the host name has no address")]
    Name,
    #[error("the host is on a private network, which restream.allow_private forbids")]
    Private,
    #[error("the target is this server, and its key is one of this entry: it would go in circles")]
    Circle,
    #[error("no connection: {0}")]
    Connect(io::ErrorKind),
    #[error("not ready to be sent to within {0:?}")]
    ConnectTimeout(Duration),
    #[error("TLS failed: {0}")]
    Tls(String),
    #[error(transparent)]
    Rtmp(#[from] Fault),
    #[error("SRT: {0}")]
    Srt(#[from] srt::ConnectError),
    #[error("SRT: {0}")]
    Gone(#[from] srt::Disconnected),
    #[error("the passphrase is not 10 to 79 bytes")]
    Passphrase,
    #[error("the server closed the connection")]
    Closed,
    #[error("the connection was lost: {0}")]
    Lost(io::ErrorKind),
    #[error("the target took nothing for {0:?}")]
    Stalled(Duration),
    #[error("{protocol} cannot carry {codec}")]
    Codec { protocol: &'static str, codec: String },
    #[error("the entry has no rendition {0:?} now")]
    NoRendition(String),
    #[error("a part cannot be read: {0}")]
    Media(#[from] samples::Error),
    #[error("the server asked to be connected to anew")]
    Reconnect,
}

impl Failure {
    /// Whether somebody said no, and not that something went wrong.
    pub(crate) fn is_refusal(&self) -> bool {
        match self {
            Failure::Url | Failure::Private | Failure::Circle | Failure::Passphrase => true,
            Failure::Codec { .. } | Failure::Rtmp(Fault::Refused { .. }) => true,
            Failure::Srt(error) => matches!(error, srt::ConnectError::Rejected(_)),
            _ => false,
        }
    }

    /// What RTMP has no name for.
    pub(crate) fn rtmp_codec(codec: &media::Codec) -> Failure {
        Failure::Codec { protocol: "RTMP", codec: codec.rfc6381() }
    }

    /// A word for it, as events have it.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Failure::Url => "url",
            Failure::Name => "name",
            Failure::Private => "private",
            Failure::Circle => "circle",
            Failure::Connect(_) | Failure::Srt(_) => "connect",
            Failure::ConnectTimeout(_) => "timeout",
            Failure::Tls(_) => "tls",
            Failure::Rtmp(Fault::Refused { .. }) => "refused",
            Failure::Rtmp(_) => "protocol",
            Failure::Passphrase => "passphrase",
            Failure::Closed | Failure::Lost(_) | Failure::Gone(_) => "lost",
            Failure::Stalled(_) => "stalled",
            Failure::Codec { .. } => "codec",
            Failure::NoRendition(_) => "rendition",
            Failure::Media(_) => "media",
            Failure::Reconnect => "reconnect",
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Lost(error.kind())
    }
}
