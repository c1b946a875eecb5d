//! Reads the tags of an FLV file (Adobe FLV 10.1, annex E).

use std::path::Path;

use anyhow::{Context, bail, ensure};

/// What a tag carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Audio, message type 8.
    Audio,
    /// Video, message type 9.
    Video,
}

/// An audio or video tag; its data is the body of an RTMP message.
#[derive(Clone, Debug)]
pub struct Tag {
    /// Audio or video.
    pub kind: Kind,
    /// Decode time in milliseconds.
    pub timestamp: u32,
    /// Everything after the tag's header.
    pub data: Vec<u8>,
}

impl Tag {
    /// It configures a decoder (AVCPacketType or AACPacketType 0).
    pub fn is_configuration(&self) -> bool {
        self.data.get(1) == Some(&0)
    }

    /// It is a video tag of frame type 1.
    pub fn is_keyframe(&self) -> bool {
        self.kind == Kind::Video
            && !self.is_configuration()
            && self.data.first().is_some_and(|it| it >> 4 == 1)
    }
}

/// The audio and video tags of a file, in order.
pub fn read(path: &Path) -> anyhow::Result<Vec<Tag>> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    ensure!(bytes.starts_with(b"FLV\x01"), "{} is no FLV file", path.display());
    let mut rest = &bytes[HEADER.min(bytes.len())..];
    let mut tags = Vec::new();
    while !rest.is_empty() {
        let (tag, length) = tag(rest).with_context(|| format!("{} is cut short", path.display()))?;
        tags.extend(tag);
        rest = &rest[length.min(rest.len())..];
    }
    Ok(tags)
}

/// The file's header and the first back pointer.
const HEADER: usize = 9 + 4;
const TAG_HEADER: usize = 11;
const BACK_POINTER: usize = 4;

fn tag(bytes: &[u8]) -> anyhow::Result<(Option<Tag>, usize)> {
    let Some(&[kind, l0, l1, l2, t0, t1, t2, t3, ..]) = bytes.first_chunk::<TAG_HEADER>() else {
        bail!("no whole tag header");
    };
    let length = u32::from_be_bytes([0, l0, l1, l2]) as usize;
    let data = bytes.get(TAG_HEADER..TAG_HEADER + length).context("no whole tag")?;
    let timestamp = u32::from_be_bytes([t3, t0, t1, t2]);
    let kind = match kind {
        8 => Some(Kind::Audio),
        9 => Some(Kind::Video),
        _ => None,
    };
    let tag = kind.map(|kind| Tag { kind, timestamp, data: data.to_vec() });
    Ok((tag, TAG_HEADER + length + BACK_POINTER))
}
