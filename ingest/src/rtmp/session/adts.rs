//! ADTS headers (ISO/IEC 14496-3 §1.A.2.2), which some encoders leave on AAC frames instead of sending a
//! sequence header.

/// A frame at the front of some bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Frame {
    /// Where its raw data begins.
    pub(super) start: usize,
    /// Where it ends, and the next frame may begin.
    pub(super) end: usize,
    /// The AudioSpecificConfig that says the same as the header.
    pub(super) config: [u8; 2],
}

/// Reads the header at the front of `bytes`; `None` when that is none, or the frame is not all there.
pub(super) fn parse(bytes: &[u8]) -> Option<Frame> {
    let &[0xff, b1, b2, b3, b4, b5, _] = bytes.first_chunk()? else { return None };
    if b1 & 0xf6 != 0xf0 {
        return None;
    }
    let start = if b1 & 1 == 1 { 7 } else { 9 };
    let end = usize::from(b3 & 3) << 11 | usize::from(b4) << 3 | usize::from(b5 >> 5);
    let object_type = (b2 >> 6) + 1;
    let rate = b2 >> 2 & 0x0f;
    let channels = (b2 & 1) << 2 | b3 >> 6;
    let config = [object_type << 3 | rate >> 1, rate << 7 | channels << 3];
    (start < end && end <= bytes.len()).then_some(Frame { start, end, config })
}

#[cfg(test)]
mod tests {
    use super::*;

    // LC, 48 kHz, stereo, no CRC, frame of 9 bytes.
    const FRAME: [u8; 9] = [0xff, 0xf1, 0x4c, 0x80, 0x01, 0x3f, 0xfc, 0x21, 0x10];

    #[test]
    fn header_becomes_an_audio_specific_config() {
        assert_eq!(parse(&FRAME), Some(Frame { start: 7, end: 9, config: [0x11, 0x90] }));
    }

    #[test]
    fn what_is_no_header_or_cut_is_nothing() {
        assert_eq!(parse(&FRAME[..8]), None);
        assert_eq!(parse(&[0x21; 9]), None);
        assert_eq!(parse(&[0xff, 0xf7, 0, 0, 0, 0, 0]), None, "layer is not zero");
        assert_eq!(parse(&[0xff, 0xf1, 0, 0, 0, 0, 0]), None, "frame shorter than its header");
    }
}
