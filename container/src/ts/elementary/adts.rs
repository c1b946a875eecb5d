//! AAC frames with ADTS headers (ISO/IEC 14496-3 §1.A.2.2).

use super::Found;

/// Bytes of a header without checksum.
const HEADER: usize = 7;
/// Bytes of its checksum.
const CHECKSUM: usize = 2;

/// A frame with its header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame {
    /// Where its raw data begins.
    pub start: usize,
    /// Where it ends, and the next frame may begin.
    pub end: usize,
    /// The AudioSpecificConfig that says the same as the header.
    pub config: [u8; 2],
}

/// Looks for a frame at the front. One of several raw data blocks (`number_of_raw_data_blocks_in_frame`) is none: nobody
/// writes them.
pub fn frame(bytes: &[u8]) -> Found<Frame> {
    if matches!(bytes, [first, ..] if *first != 0xff)
        || matches!(bytes, [_, second, ..] if second & 0xf6 != 0xf0)
    {
        return Found::Not;
    }
    let Some(&[_, b1, b2, b3, b4, b5, b6]) = bytes.first_chunk::<HEADER>() else { return Found::More };
    let start = if b1 & 1 == 1 { HEADER } else { HEADER + CHECKSUM };
    let end = usize::from(b3 & 3) << 11 | usize::from(b4) << 3 | usize::from(b5 >> 5);
    let object_type = (b2 >> 6) + 1;
    let rate = b2 >> 2 & 0x0f;
    let channels = (b2 & 1) << 2 | b3 >> 6;
    if end <= start || rate > 12 || b6 & 3 != 0 {
        return Found::Not;
    }
    let config = [object_type << 3 | rate >> 1, rate << 7 | channels << 3];
    if end <= bytes.len() { Found::Unit(Frame { start, end, config }) } else { Found::More }
}

#[cfg(test)]
mod tests {
    use super::*;

    // LC, 48 kHz, stereo, no CRC, frame of 9 bytes.
    const FRAME: [u8; 9] = [0xff, 0xf1, 0x4c, 0x80, 0x01, 0x3f, 0xfc, 0x21, 0x10];

    #[test]
    fn a_header_becomes_an_audio_specific_config() {
        assert_eq!(frame(&FRAME), Found::Unit(Frame { start: 7, end: 9, config: [0x11, 0x90] }));
    }

    #[test]
    fn every_beginning_of_a_frame_wants_more() {
        for end in 0..FRAME.len() {
            assert_eq!(frame(&FRAME[..end]), Found::More, "{end} bytes");
        }
    }

    #[test]
    fn what_is_no_header_is_not() {
        assert_eq!(frame(&[0x21; 9]), Found::Not);
        assert_eq!(frame(&[0xff, 0xf7, 0, 0, 0, 0, 0]), Found::Not, "layer is not zero");
        assert_eq!(frame(&[0xff, 0xf1, 0, 0, 0, 0, 0]), Found::Not, "frame shorter than its header");
    }
}
