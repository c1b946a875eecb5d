//! The header of a PES packet (ISO/IEC 13818-1 §2.4.3.6 and §2.4.3.7).

/// Bytes before what `PES_packet_length` counts.
const COUNTED: usize = 6;
/// Bytes of a header before its fields that may be missing.
const FIXED: usize = 9;

/// When what begins in a PES packet is decoded and shown: ticks of 90 kHz in 33 bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Times {
    /// When it is shown.
    pub pts: i64,
    /// When it is decoded.
    pub dts: i64,
}

/// What the header says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Head {
    /// Bytes of the header.
    pub(super) len: usize,
    /// Bytes that follow it; `None` where the next one ends it.
    pub(super) payload: Option<usize>,
    pub(super) times: Option<Times>,
    pub(super) scrambled: bool,
}

/// What came of the bytes so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Read {
    Head(Head),
    /// It needs so many bytes to be sure.
    More(usize),
    /// That is no header, or one of a kind that carries no elementary stream.
    Not,
}

/// Reads the header at the front.
pub(super) fn read(bytes: &[u8]) -> Read {
    let Some(&[b0, b1, b2, stream, high, low]) = bytes.first_chunk::<COUNTED>() else {
        return Read::More(COUNTED);
    };
    if [b0, b1, b2] != [0, 0, 1] || !carries(stream) {
        return Read::Not;
    }
    let Some(&[_, _, _, _, _, _, marks, flags, length]) = bytes.first_chunk::<FIXED>() else {
        return Read::More(FIXED);
    };
    let len = FIXED + usize::from(length);
    if marks & 0xc0 != 0x80 {
        return Read::Not;
    }
    let Some(fields) = bytes.get(FIXED..len) else { return Read::More(len) };
    let counted = usize::from(u16::from_be_bytes([high, low]));
    let payload = match counted {
        0 => None,
        counted => match (counted + COUNTED).checked_sub(len) {
            Some(payload) => Some(payload),
            None => return Read::Not,
        },
    };
    let pts = fields.get(..5).filter(|_| flags & 0x80 != 0).and_then(time);
    let dts = fields.get(5..10).filter(|_| flags & 0xc0 == 0xc0).and_then(time);
    let times = pts.map(|pts| Times { pts, dts: dts.unwrap_or(pts) });
    Read::Head(Head { len, payload, times, scrambled: marks & 0x30 != 0 })
}

/// Not maps, padding, private stream 2, entitlements, DSM-CC and the directory: their header ends early
/// (Table 2-21 and what it is a condition of).
fn carries(stream: u8) -> bool {
    stream >= 0xbd && !matches!(stream, 0xbe | 0xbf | 0xf0..=0xf2 | 0xf8 | 0xff)
}

/// 33 bits with a mark after each group; `None` where a mark is missing.
fn time(bytes: &[u8]) -> Option<i64> {
    let &[b0, b1, b2, b3, b4] = bytes.first_chunk()?;
    let bits = |byte: u8, shift: i64| i64::from(byte) << shift;
    (b0 & b2 & b4 & 1 == 1)
        .then(|| bits(b0 >> 1 & 7, 30) | bits(b1, 22) | bits(b2 >> 1, 15) | bits(b3, 7) | bits(b4 >> 1, 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ts::pes;

    #[test]
    fn what_is_written_here_is_read_here() {
        for (pts, dts) in [(90, 90), (90_000, 87_000), ((1 << 33) - 1, (1 << 33) - 4), (1 << 33, 0)] {
            let mut bytes = Vec::new();
            pes::begin(&mut bytes, pes::VIDEO, pts, dts);
            let len = bytes.len();
            bytes.extend([1, 2, 3]);
            pes::finish(&mut bytes);
            let wrapped = (1 << 33) - 1;
            let times = Some(Times { pts: pts & wrapped, dts: dts & wrapped });
            let head = Head { len, payload: Some(3), times, scrambled: false };
            assert_eq!(read(&bytes), Read::Head(head));
            for end in 0..len {
                assert!(matches!(read(&bytes[..end]), Read::More(more) if more > end && more <= len));
            }
        }
    }

    #[test]
    fn other_streams_and_lengths_that_cannot_be_are_no_headers() {
        assert_eq!(read(&[0, 0, 1, 0xbe, 0, 0, 0x80, 0, 0]), Read::Not, "padding");
        assert_eq!(read(&[0, 0, 2, 0xe0, 0, 0, 0x80, 0, 0]), Read::Not);
        assert_eq!(read(&[0, 0, 1, 0xe0, 0, 0, 0x00, 0, 0]), Read::Not, "MPEG-1");
        assert_eq!(read(&[0, 0, 1, 0xe0, 0, 2, 0x80, 0, 0]), Read::Not, "shorter than its header");
    }

    #[test]
    fn a_time_without_its_marks_is_none() {
        let bytes = [0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5, 0x20, 0, 1, 0, 1];
        assert!(matches!(read(&bytes), Read::Head(Head { times: None, payload: None, .. })));
    }
}
