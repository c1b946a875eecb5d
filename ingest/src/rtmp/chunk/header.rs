//! Chunk headers (5.3.1), read from bytes that may end anywhere.

/// The longest header: basic 3, message 11, extended timestamp 4.
pub(super) const MAX: usize = 18;

/// The value of a 24-bit timestamp field that says that the timestamp follows in 32 bits.
const EXTENDED: u32 = 0xff_ffff;

/// A chunk header as it stands on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Header {
    /// Type 0 to 3.
    pub(super) format: u8,
    /// Chunk stream id, 2 to 65599.
    pub(super) csid: u32,
    /// What it says about its message; nothing in type 3.
    pub(super) message: Fields,
    /// Bytes of this header.
    pub(super) size: usize,
}

/// The message header (5.3.1.2), as far as its type has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Fields {
    /// Timestamp in type 0, delta in types 1 and 2; milliseconds.
    pub(super) timestamp: u32,
    /// Whether it came as an extended timestamp.
    pub(super) extended: bool,
    /// Message length; types 0 and 1.
    pub(super) len: usize,
    /// Message type; types 0 and 1.
    pub(super) kind: u8,
    /// Message stream id; type 0.
    pub(super) stream_id: u32,
}

/// Reads the header at the front of `bytes`, or says that more bytes are needed.
///
/// `extended` gives the extended timestamp of the last header on a chunk stream, if it had one: chunks of type 3
/// repeat it (5.3.1.3), but some encoders leave it out, so that only a comparison tells.
pub(super) fn read(bytes: &[u8], extended: impl FnOnce(u32) -> Option<u32>) -> Option<Header> {
    let (format, csid, at) = basic(bytes)?;
    if format == 3 {
        let repeated = match extended(csid) {
            Some(value) => repeats(bytes.get(at..)?, value)?,
            None => 0,
        };
        return Some(Header { format, csid, message: Fields::default(), size: at + repeated });
    }
    let (message, size) = fields(format, bytes.get(at..)?)?;
    Some(Header { format, csid, message, size: at + size })
}

fn basic(bytes: &[u8]) -> Option<(u8, u32, usize)> {
    let &first = bytes.first()?;
    let byte = |at: usize| bytes.get(at).map(|&b| u32::from(b));
    let (csid, size) = match first & 0x3f {
        0 => (64 + byte(1)?, 2),
        1 => (64 + byte(1)? + 256 * byte(2)?, 3),
        id => (u32::from(id), 1),
    };
    Some((first >> 6, csid, size))
}

fn fields(format: u8, bytes: &[u8]) -> Option<(Fields, usize)> {
    let size = [11, 7, 3][usize::from(format).min(2)];
    let fixed = bytes.get(..size)?;
    let byte = |at: usize| fixed.get(at).copied().unwrap_or(0);
    let timestamp = u32::from_be_bytes([0, byte(0), byte(1), byte(2)]);
    let fields = Fields {
        timestamp,
        extended: false,
        len: u32::from_be_bytes([0, byte(3), byte(4), byte(5)]) as usize,
        kind: byte(6),
        stream_id: u32::from_le_bytes([byte(7), byte(8), byte(9), byte(10)]),
    };
    if timestamp != EXTENDED {
        return Some((fields, size));
    }
    let timestamp = u32::from_be_bytes(*bytes.get(size..)?.first_chunk()?);
    Some((Fields { timestamp, extended: true, ..fields }, size + 4))
}

/// How many bytes a repeated extended timestamp takes, four or none; `None` while that is open.
fn repeats(bytes: &[u8], value: u32) -> Option<usize> {
    let expected = value.to_be_bytes();
    let seen = bytes.len().min(4);
    match bytes[..seen] == expected[..seen] {
        false => Some(0),
        true if seen == 4 => Some(4),
        true => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn csid(bytes: &[u8]) -> Option<u32> {
        read(bytes, |_| None).map(|header| header.csid)
    }

    #[test]
    fn chunk_stream_ids_in_all_three_forms() {
        assert_eq!(csid(&[0xc2]), Some(2));
        assert_eq!(csid(&[0xff]), Some(63));
        assert_eq!((csid(&[0xc0]), csid(&[0xc0, 0]), csid(&[0xc0, 255])), (None, Some(64), Some(319)));
        assert_eq!(csid(&[0xc1, 0]), None);
        assert_eq!((csid(&[0xc1, 0, 1]), csid(&[0xc1, 255, 255])), (Some(320), Some(65599)));
        assert_eq!(csid(&[0xc1, 5, 0]), Some(69), "a longer form than needed");
    }

    #[test]
    fn message_stream_id_is_little_endian() {
        let header = read(&[3, 0, 0, 1, 0, 0, 2, 9, 4, 3, 2, 1], |_| None).expect("whole");
        let message = Fields { timestamp: 1, extended: false, len: 2, kind: 9, stream_id: 0x0102_0304 };
        assert_eq!(header, Header { format: 0, csid: 3, message, size: 12 });
    }

    #[test]
    fn a_header_cut_anywhere_asks_for_more() {
        let whole = [1, 0, 0, 0xff, 0xff, 0xff, 0, 0, 2, 9, 1, 0, 0, 0, 1, 2, 3, 4];
        for end in 0..whole.len() {
            assert_eq!(read(&whole[..end], |_| None), None, "{end} bytes");
        }
        let header = read(&whole, |_| None).expect("whole");
        assert_eq!((header.message.timestamp, header.size), (0x0102_0304, MAX));
    }

    #[test]
    fn a_repeated_extended_timestamp_is_told_by_comparing() {
        let size = |bytes: &[u8]| read(bytes, |_| Some(0x0102_0304)).map(|header| header.size);
        assert_eq!(size(&[0xc3, 1, 2, 3, 4]), Some(5));
        assert_eq!(size(&[0xc3, 1, 2, 3, 5]), Some(1));
        assert_eq!(size(&[0xc3, 1, 2, 3]), None);
        assert_eq!(size(&[0xc3, 9]), Some(1));
    }
}
