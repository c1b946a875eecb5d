//! Opus: the OpusSpecificBox ("Encapsulation of Opus in ISO Base Media File Format" §4.3.2), the identification header of
//! Ogg (RFC 7845 §5.1), and what the first byte of a packet says of its length (RFC 6716 §3.1).

use bytes::{BufMut, Bytes, BytesMut};

use super::Error;

/// Opus always counts in 48 kHz.
pub const SAMPLE_RATE: u32 = 48_000;
/// Most samples of a packet: 120 ms (RFC 6716 §3.2.5).
const MOST_SAMPLES: u32 = 5760;

/// Opus with its configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Opus {
    /// The body of the OpusSpecificBox `dOps`.
    pub record: Bytes,
    /// Output channels.
    pub channels: u8,
    /// Samples at 48 kHz at the beginning that are not to be heard.
    pub pre_skip: u16,
    /// Output samples per second: always 48000.
    pub sample_rate: u32,
    /// Samples of the usual packet: 20 ms. Each packet says its own, see [`packet_samples`].
    pub frame_length: u32,
}

impl Opus {
    /// Reads the body of `dOps`, or the identification header `OpusHead`.
    pub fn parse(record: Bytes) -> Result<Opus, Error> {
        if let Some(head) = record.strip_prefix(b"OpusHead") {
            return Opus::parse_specific(big_endian(head)?);
        }
        Opus::parse_specific(record)
    }

    /// Opus of one or two channels of an encoder that is known for nothing else; for more than two, those of surround
    /// sound in the order of Vorbis (RFC 7845 §5.1.1.2).
    ///
    /// `pre_skip` is in samples at 48 kHz; 312 is what libopus has at its lowest delay.
    pub fn new(channels: u8, pre_skip: u16) -> Result<Opus, Error> {
        // Streams, coupled streams, and the channels of each (RFC 7845 §5.1.1.2).
        let (streams, coupled, mapping): (u8, u8, &[u8]) = match channels {
            1 | 2 => (0, 0, &[]),
            3 => (2, 1, &[0, 2, 1]),
            4 => (2, 2, &[0, 1, 2, 3]),
            5 => (3, 2, &[0, 4, 1, 2, 3]),
            6 => (4, 2, &[0, 4, 1, 2, 3, 5]),
            7 => (4, 3, &[0, 4, 1, 2, 3, 5, 6]),
            8 => (5, 3, &[0, 6, 1, 2, 3, 4, 5, 7]),
            other => return Err(invalid(format!("{other} channels"))),
        };
        let mut record = BytesMut::with_capacity(21);
        record.put_u8(0);
        record.put_u8(channels);
        record.put_u16(pre_skip);
        record.put_u32(SAMPLE_RATE);
        record.put_i16(0);
        record.put_u8(u8::from(!mapping.is_empty()));
        if !mapping.is_empty() {
            record.put_slice(&[streams, coupled]);
            record.put_slice(mapping);
        }
        Opus::parse_specific(record.freeze())
    }

    fn parse_specific(record: Bytes) -> Result<Opus, Error> {
        let truncated = || Error::Truncated { codec: "Opus", len: record.len() };
        let fixed: &[u8; 11] = record.first_chunk().ok_or_else(truncated)?;
        let (version, channels, family) = (fixed[0], fixed[1], fixed[10]);
        if version != 0 {
            return Err(invalid(format!("version {version}")));
        }
        if channels == 0 || (family == 0 && channels > 2) {
            return Err(invalid(format!("{channels} channels of mapping family {family}")));
        }
        let size = if family == 0 { 11 } else { 13 + usize::from(channels) };
        let record = if record.len() < size { return Err(truncated()) } else { record.slice(..size) };
        let pre_skip = u16::from_be_bytes([record[2], record[3]]);
        Ok(Opus { channels, pre_skip, sample_rate: SAMPLE_RATE, frame_length: SAMPLE_RATE / 50, record })
    }

    /// `opus`, as browsers want it.
    pub fn rfc6381(&self) -> String {
        "opus".into()
    }
}

/// Samples at 48 kHz in a packet (RFC 6716 §3.1 and §3.2); `None` for one that is not valid.
pub fn packet_samples(packet: &[u8]) -> Option<u32> {
    let (&toc, rest) = packet.split_first()?;
    let frame = match toc >> 3 {
        silk @ 0..=11 => [480, 960, 1920, 2880][usize::from(silk & 3)],
        hybrid @ 12..=15 => [480, 960][usize::from(hybrid & 1)],
        celt => [120, 240, 480, 960][usize::from(celt & 3)],
    };
    let frames = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(rest.first()? & 0x3f),
    };
    let samples = frame * frames;
    (1..=MOST_SAMPLES).contains(&samples).then_some(samples)
}

/// The identification header has its numbers the other way round, and version 1.
fn big_endian(head: &[u8]) -> Result<Bytes, Error> {
    let fixed: &[u8; 11] = head.first_chunk().ok_or(Error::Truncated { codec: "Opus", len: head.len() })?;
    if fixed[0] >> 4 != 0 {
        return Err(invalid(format!("version {} of the identification header", fixed[0])));
    }
    let [_, channels, skip0, skip1, rate0, rate1, rate2, rate3, gain0, gain1, family] = *fixed;
    let mut out = vec![0, channels, skip1, skip0, rate3, rate2, rate1, rate0, gain1, gain0, family];
    out.extend_from_slice(&head[11..]);
    Ok(out.into())
}

fn invalid(what: String) -> Error {
    Error::Invalid { codec: "Opus", what }
}

#[cfg(test)]
mod tests {
    use super::*;

    // libopus by FFmpeg: stereo, pre-skip 312, 48 kHz.
    const HEAD: &[u8] = b"OpusHead\x01\x02\x38\x01\x80\xbb\x00\x00\x00\x00\x00";
    const SPECIFIC: &[u8] = &[0, 2, 1, 0x38, 0, 0, 0xbb, 0x80, 0, 0, 0];

    #[test]
    fn both_headers_say_the_same() {
        let ogg = Opus::parse(Bytes::from_static(HEAD)).expect("valid");
        let mp4 = Opus::parse(Bytes::from_static(SPECIFIC)).expect("valid");
        assert_eq!(ogg, mp4);
        assert_eq!((ogg.channels, ogg.pre_skip, ogg.sample_rate), (2, 312, 48_000));
        assert_eq!(Opus::new(2, 312), Ok(mp4));
    }

    #[test]
    fn surround_has_its_mapping() {
        let opus = Opus::new(6, 0).expect("5.1");
        assert_eq!(opus.record[10..], [1, 4, 2, 0, 4, 1, 2, 3, 5]);
        assert!(Opus::new(0, 0).is_err() && Opus::new(9, 0).is_err());
    }

    #[test]
    fn a_packet_says_how_long_it_is() {
        assert_eq!(packet_samples(&[0xfc]), Some(960), "CELT, 20 ms, one frame");
        assert_eq!(packet_samples(&[0xe5]), Some(240), "CELT, 2.5 ms, two frames");
        assert_eq!(packet_samples(&[0x1b, 0x82]), Some(5760), "SILK, 60 ms, twice");
        assert_eq!(packet_samples(&[0x1b, 0x83]), None, "180 ms");
        assert_eq!(packet_samples(&[0x7b]), None, "no count");
        assert_eq!(packet_samples(&[]), None);
    }

    #[test]
    fn every_truncation_is_an_error_and_no_panic() {
        for end in 0..HEAD.len() {
            assert!(Opus::parse(Bytes::from_static(&HEAD[..end])).is_err(), "{end}");
        }
        let surround = Opus::new(6, 0).expect("5.1").record;
        for end in 0..surround.len() {
            assert!(Opus::parse(surround.slice(..end)).is_err(), "{end}");
        }
    }
}
