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

/// Pictures.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Picture {
    pub(super) width: u32,
    pub(super) height: u32,
    /// profile_idc of H.264 (ITU-T H.264 §A.2).
    pub(super) profile: Option<u8>,
    /// level_idc of H.264: ten times the level (§A.3).
    pub(super) level: Option<u8>,
    pub(super) interlaced: bool,
}

/// Frames of sound.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Sound {
    /// Audio object type of AAC (ISO/IEC 14496-3 §1.5.1.1).
    pub(super) object_type: Option<u8>,
    pub(super) sample_rate: u32,
    pub(super) channels: u32,
    /// Microseconds of a frame.
    pub(super) frame: i64,
}

impl Facts {
    pub(super) fn of(track: &Track) -> Facts {
        Facts { codec: track.codec.rfc6381(), timescale: track.timescale, content: content(&track.codec) }
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

fn content(codec: &Codec) -> Content {
    if let Some(sound) = codec.sound() {
        return Content::Audio(Sound {
            object_type: if let Codec::Aac(aac) = codec { Some(aac.object_type) } else { None },
            sample_rate: sound.sample_rate,
            channels: sound.channels.into(),
            frame: i64::from(sound.frame_length) * 1_000_000 / i64::from(sound.sample_rate.max(1)),
        });
    }
    let avc = if let Codec::Avc(avc) = codec { Some(&avc.record) } else { None };
    let (width, height) = codec.picture().map_or((0, 0), |picture| (picture.width, picture.height));
    Content::Video(Picture {
        width: width.into(),
        height: height.into(),
        profile: avc.and_then(|record| record.get(1).copied()),
        level: avc.and_then(|record| record.get(3).copied()),
        interlaced: codec.picture().is_some_and(|picture| picture.interlaced),
    })
}
