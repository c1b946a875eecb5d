//! What a track is.

use std::fmt;

use crate::codec::Codec;
use crate::language::Language;
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

/// What a track is: its codec, the unit of its timestamps, and its language.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Track {
    /// Codec with its configuration.
    pub codec: Codec,
    /// The unit of the timestamps of this track's samples.
    pub timescale: Timescale,
    /// What is spoken, where somebody says so.
    pub language: Option<Language>,
}

impl Track {
    /// A track in no particular language.
    pub fn new(codec: Codec, timescale: Timescale) -> Track {
        Track { codec, timescale, language: None }
    }

    /// The same track in this language.
    pub fn with_language(self, language: Option<Language>) -> Track {
        Track { language, ..self }
    }

    /// What the track carries.
    pub fn kind(&self) -> Kind {
        self.codec.kind()
    }
}

/// A track among those of one publisher.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TrackId {
    /// What it carries.
    pub kind: Kind,
    /// Which one of its kind, from zero.
    pub index: u8,
}

impl TrackId {
    /// The first video track.
    pub const VIDEO: TrackId = TrackId { kind: Kind::Video, index: 0 };
    /// The first audio track.
    pub const AUDIO: TrackId = TrackId { kind: Kind::Audio, index: 0 };
}

/// The rendition name: `video-1`, `audio-1`, …
impl fmt::Display for TrackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.kind.as_str(), u32::from(self.index) + 1)
    }
}
