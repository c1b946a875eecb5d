//! Codecs by name.

use std::fmt::{self, Write};

/// Four characters that name a codec (Enhanced RTMP v2, VideoFourCc and AudioFourCc).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FourCc(pub [u8; 4]);

impl FourCc {
    /// H.264.
    pub const AVC: FourCc = FourCc(*b"avc1");
    /// HEVC.
    pub const HEVC: FourCc = FourCc(*b"hvc1");
    /// AV1.
    pub const AV1: FourCc = FourCc(*b"av01");
    /// VP9.
    pub const VP9: FourCc = FourCc(*b"vp09");
    /// VVC, which is not taken; its frames have a composition time.
    pub const VVC: FourCc = FourCc(*b"vvc1");
    /// AAC.
    pub const AAC: FourCc = FourCc(*b"mp4a");
    /// Opus.
    pub const OPUS: FourCc = FourCc(*b"Opus");
    /// AC-3.
    pub const AC3: FourCc = FourCc(*b"ac-3");
    /// E-AC-3.
    pub const EAC3: FourCc = FourCc(*b"ec-3");
    /// FLAC.
    pub const FLAC: FourCc = FourCc(*b"fLaC");

    /// Whether pictures are reordered in it, so that its frames come with a composition time.
    pub(super) fn has_composition_time(self) -> bool {
        matches!(self, FourCc::AVC | FourCc::HEVC | FourCc::VVC)
    }
}

/// What a peer sent, so nothing but what can be printed on one line.
impl fmt::Display for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let printable = |byte: u8| if byte.is_ascii_graphic() { char::from(byte) } else { '?' };
        self.0.iter().try_for_each(|&byte| f.write_char(printable(byte)))
    }
}

/// An OBU that begins a temporal unit: its header, and its size of zero (AV1 §5.3, §5.6).
pub(super) const TEMPORAL_DELIMITER: [u8; 2] = [0x12, 0];

/// How many bytes of an AV1 temporal unit are its delimiter.
pub(super) fn temporal_delimiter(unit: &[u8]) -> usize {
    if unit.starts_with(&TEMPORAL_DELIMITER) { TEMPORAL_DELIMITER.len() } else { 0 }
}
