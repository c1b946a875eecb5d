//! What a track's description says, as far as health is concerned.
//!
//! Nothing of the description itself is kept: it is as large as the publisher made it.

use media::{Codec, Timescale, Track};

/// One track as it was described.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Facts {
    pub(super) codec: String,
    pub(super) timescale: Timescale,
    pub(super) content: Content,
}

/// What is in it.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Content {
    Video(Picture),
    Audio(Sound),
}

/// H.264 pictures.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Picture {
    pub(super) width: u32,
    pub(super) height: u32,
    /// profile_idc (ITU-T H.264 §A.2).
    pub(super) profile: u8,
    /// level_idc: ten times the level (§A.3).
    pub(super) level: u8,
    pub(super) interlaced: bool,
}

/// AAC frames.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Sound {
    /// Audio object type (ISO/IEC 14496-3 §1.5.1.1).
    pub(super) object_type: u8,
    pub(super) sample_rate: u32,
    pub(super) channels: u32,
    /// Microseconds of a frame.
    pub(super) frame: i64,
}

impl Facts {
    pub(super) fn of(track: &Track) -> Facts {
        Facts {
            codec: track.codec.rfc6381(),
            timescale: track.timescale,
            content: match &track.codec {
                Codec::Avc(avc) => Content::Video(Picture {
                    width: avc.width.into(),
                    height: avc.height.into(),
                    profile: avc.record.get(1).copied().unwrap_or(0),
                    level: avc.record.get(3).copied().unwrap_or(0),
                    interlaced: avc.interlaced,
                }),
                Codec::Aac(aac) => Content::Audio(Sound {
                    object_type: aac.object_type,
                    sample_rate: aac.sample_rate,
                    channels: aac.channels.into(),
                    frame: i64::from(aac.frame_length) * 1_000_000 / i64::from(aac.sample_rate.max(1)),
                }),
            },
        }
    }

    pub(super) fn picture(&self) -> Option<&Picture> {
        match &self.content {
            Content::Video(picture) => Some(picture),
            Content::Audio(_) => None,
        }
    }

    pub(super) fn sound(&self) -> Option<&Sound> {
        match &self.content {
            Content::Audio(sound) => Some(sound),
            Content::Video(_) => None,
        }
    }
}
