//! What a track is.

use crate::codec::Codec;
use crate::time::Timescale;

/// What a track carries.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// Pictures.
    Video,
    /// Sound.
    Audio,
}

impl Kind {
    /// `video` or `audio`, as in MIME types, rendition names and DASH contentType.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Video => "video",
            Kind::Audio => "audio",
        }
    }
}

/// What a track is: its codec and the unit of its timestamps.
#[derive(Clone, PartialEq, Debug)]
pub struct Track {
    /// Codec with its configuration.
    pub codec: Codec,
    /// The unit of the timestamps of this track's samples.
    pub timescale: Timescale,
}

impl Track {
    /// What the track carries.
    pub fn kind(&self) -> Kind {
        self.codec.kind()
    }
}
