//! FLAC: the FLACSpecificBox ("Encapsulation of FLAC in ISO Base Media File Format" §3.3.2), STREAMINFO (RFC 9639 §8.2)
//! and the header of a frame (§9.1).

use bytes::Bytes;

use super::Error;
use super::bits::Bits;

/// Bytes of STREAMINFO.
const STREAM_INFO: usize = 34;

/// FLAC with its configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Flac {
    /// The metadata block STREAMINFO, 34 bytes.
    pub record: Bytes,
    /// Samples per second, 1 to 655350.
    pub sample_rate: u32,
    /// Channels, 1 to 8.
    pub channels: u8,
    /// Bits of a sample, 4 to 32.
    pub bit_depth: u8,
    /// Samples of the longest frame, which all but the last have in a stream of fixed blocks.
    pub frame_length: u32,
}

impl Flac {
    /// Reads STREAMINFO by itself, or as the first metadata block: of the body of `dfLa`, or behind `fLaC`.
    pub fn parse(record: Bytes) -> Result<Flac, Error> {
        let truncated = Error::Truncated { codec: "FLAC", len: record.len() };
        let info = match record.len() {
            STREAM_INFO => record.clone(),
            // fLaC, or version and flags; then the head of a block.
            _ => match record.get(..8).ok_or(truncated.clone())? {
                [b'f', b'L', b'a', b'C', head @ ..] | [0, 0, 0, 0, head @ ..] if head[0] & 0x7f == 0 => {
                    record.slice(8..)
                }
                [0 | 0x80, 0, 0, 34, ..] => record.slice(4..),
                _ => return Err(invalid("no STREAMINFO".into())),
            },
        };
        let info = if info.len() < STREAM_INFO { return Err(truncated) } else { info.slice(..STREAM_INFO) };
        let mut bits = Bits::new("FLAC", &info);
        bits.skip(16)?;
        let frame_length = bits.take(16)?;
        bits.skip(48)?;
        let (sample_rate, channels) = (bits.take(20)?, bits.take(3)? as u8 + 1);
        let bit_depth = bits.take(5)? as u8 + 1;
        if sample_rate == 0 || frame_length < 16 {
            return Err(invalid(format!("{sample_rate} Hz in blocks of {frame_length}")));
        }
        Ok(Flac { sample_rate, channels, bit_depth, frame_length, record: info })
    }

    /// `flac`, as browsers want it; it is the name of the sample entry in other letters.
    pub fn rfc6381(&self) -> String {
        "flac".into()
    }
}

/// Samples of a frame (RFC 9639 §9.1.1); `None` for what is none.
pub fn frame_samples(frame: &[u8]) -> Option<u32> {
    let &[0xff, sync, sizes, _, coded, ..] = frame else { return None };
    if sync & 0xfe != 0xf8 {
        return None;
    }
    // The number of the frame or sample is coded like UTF-8.
    let coded = match coded.leading_ones() as usize {
        0 => 1,
        more @ 2..=7 => more,
        _ => return None,
    };
    let behind = frame.get(4 + coded..)?;
    match sizes >> 4 {
        1 => Some(192),
        more @ 2..=5 => Some(144 << more),
        6 => behind.first().map(|&less| u32::from(less) + 1),
        7 => behind.first_chunk().map(|&less| u32::from(u16::from_be_bytes(less)) + 1),
        more @ 8..=15 => Some(1 << more),
        _ => None,
    }
}

fn invalid(what: String) -> Error {
    Error::Invalid { codec: "FLAC", what }
}

#[cfg(test)]
mod tests {
    use super::*;

    // FFmpeg: stereo, 16 bits, 48 kHz, blocks of 4608.
    const INFO: [u8; 34] = {
        let mut info = [0; 34];
        (info[0], info[1], info[2], info[3]) = (0x12, 0, 0x12, 0);
        (info[10], info[11], info[12], info[13]) = (0x0b, 0xb8, 0x02, 0xf0);
        info
    };

    #[test]
    fn stream_info_comes_in_three_wrappings() {
        let bare = Flac::parse(Bytes::from_static(&INFO)).expect("valid");
        assert_eq!(
            (bare.sample_rate, bare.channels, bare.bit_depth, bare.frame_length),
            (48_000, 2, 16, 4608)
        );
        for head in [&b"fLaC\x80\0\0\x22"[..], b"\0\0\0\0\x80\0\0\x22", b"\x80\0\0\x22"] {
            let wrapped = Bytes::from([head, &INFO].concat());
            assert_eq!(Flac::parse(wrapped.clone()), Ok(bare.clone()));
            for end in 0..wrapped.len() {
                if end != STREAM_INFO {
                    assert!(Flac::parse(wrapped.slice(..end)).is_err(), "{end}");
                }
            }
        }
    }

    #[test]
    fn a_frame_says_how_long_it_is() {
        assert_eq!(frame_samples(&[0xff, 0xf8, 0x5a, 0x18, 0x00, 0]), Some(4608));
        assert_eq!(frame_samples(&[0xff, 0xf8, 0xca, 0x18, 0x00, 0]), Some(4096));
        assert_eq!(frame_samples(&[0xff, 0xf8, 0x7a, 0x18, 0xc2, 0x80, 0x03, 0xff, 0]), Some(1024));
        assert_eq!(frame_samples(&[0xff, 0xf8, 0x7a, 0x18, 0xc2, 0x80, 0x03]), None);
        assert_eq!(frame_samples(b"fLaC"), None);
    }
}
