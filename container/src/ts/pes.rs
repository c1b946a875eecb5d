//! The header of a unit: whose it is and when it is decoded and shown (ISO/IEC 13818-1 §2.4.3.6).

use super::TIME_MASK;

/// The first video stream, and the first audio stream (ISO/IEC 13818-1 Table 2-22).
pub(super) const VIDEO: u8 = 0xe0;
pub(super) const AUDIO: u8 = 0xc0;
/// `private_stream_1`: sound of other families than MPEG's.
pub(super) const PRIVATE: u8 = 0xbd;

/// Where in the header its length stands, and where what it counts begins.
const LENGTH: usize = 4;
const COUNTED: usize = 6;

/// Begins a unit in `out`, which is empty. Times in ticks of 90 kHz; the decode time is said where it differs.
pub(super) fn begin(out: &mut Vec<u8>, stream: u8, pts: i64, dts: i64) {
    out.extend_from_slice(&[0, 0, 1, stream, 0, 0]);
    if pts & TIME_MASK == dts & TIME_MASK {
        // Aligned to an access unit; PTS alone.
        out.extend_from_slice(&[0x84, 0x80, 5]);
        out.extend_from_slice(&time(0x2, pts));
    } else {
        out.extend_from_slice(&[0x84, 0xc0, 10]);
        out.extend_from_slice(&time(0x3, pts));
        out.extend_from_slice(&time(0x1, dts));
    }
}

/// Writes the length of a unit that is whole. Zero, which video may have, says that it is longer than can be said.
pub(super) fn finish(out: &mut [u8]) {
    let length = u16::try_from(out.len() - COUNTED).unwrap_or(0);
    out[LENGTH..COUNTED].copy_from_slice(&length.to_be_bytes());
}

/// 33 bits with a mark after each group.
fn time(prefix: u8, ticks: i64) -> [u8; 5] {
    let ticks = ticks & TIME_MASK;
    let group = |shift: i64| (ticks >> shift) as u8;
    [prefix << 4 | group(29) & 0x0e | 1, group(22), group(14) | 1, group(7), (ticks << 1) as u8 | 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The way back, by the clause's own drawing.
    fn read(bytes: &[u8]) -> i64 {
        let bits = |byte: u8, shift: i64| i64::from(byte) << shift;
        assert!(bytes[0] & bytes[2] & bytes[4] & 1 == 1, "marks");
        bits(bytes[0] >> 1 & 7, 30)
            | bits(bytes[1], 22)
            | bits(bytes[2] >> 1, 15)
            | bits(bytes[3], 7)
            | bits(bytes[4] >> 1, 0)
    }

    #[test]
    fn times_have_33_bits() {
        for (ticks, said) in [
            (0, 0),
            (1, 1),
            (0x1_5555_5555, 0x1_5555_5555),
            (TIME_MASK, TIME_MASK),
            (1 << 33, 0),
            (-1, TIME_MASK),
        ] {
            assert_eq!(read(&time(2, ticks)), said, "{ticks:x}");
        }
        assert_eq!(time(3, 0)[0], 0x31);
    }

    #[test]
    fn a_decode_time_is_said_where_it_differs() {
        let header = |pts, dts| {
            let mut out = Vec::new();
            begin(&mut out, VIDEO, pts, dts);
            finish(&mut out);
            out
        };
        assert_eq!(header(90, 90).len(), 14);
        assert_eq!(header(90, 90)[..9], [0, 0, 1, 0xe0, 0, 8, 0x84, 0x80, 5]);
        assert_eq!(header(90, 89).len(), 19);
        assert_eq!(header(90, 89)[14] >> 4, 1);
        assert_eq!(header(1 << 33, 0).len(), 14, "the same once both wrapped");
    }
}
