//! VP9: the VPCodecConfigurationRecord ("VP Codec ISO Media File Format Binding") and the frame header of a sample.

use bytes::Bytes;

use super::bits::Bits;
use super::{Color, Error};
use crate::sample::Sync;

/// Luma pixels of a picture that each level allows, times ten its number (VP9 levels, Annex A).
const LEVELS: [(u32, u8); 14] = [
    (36_864, 10),
    (73_728, 11),
    (122_880, 20),
    (245_760, 21),
    (552_960, 30),
    (983_040, 31),
    (2_228_224, 40),
    (2_228_224, 41),
    (8_912_896, 50),
    (8_912_896, 51),
    (8_912_896, 52),
    (35_651_584, 60),
    (35_651_584, 61),
    (35_651_584, 62),
];

/// VP9 with its configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Vp9 {
    /// The VPCodecConfigurationRecord, without the version and flags that the box `vpcC` has before it.
    pub record: Bytes,
    /// Picture width in pixels.
    pub width: u16,
    /// Picture height in pixels.
    pub height: u16,
    /// What is said of color, where something is.
    pub color: Option<Color>,
    /// Bits of a sample: 8, 10 or 12.
    pub bit_depth: u8,
}

impl Vp9 {
    /// Reads a VPCodecConfigurationRecord, with or without the version and flags before it. It does not say how large
    /// pictures are; a sample entry does, or [`size_of`] a keyframe.
    pub fn parse(record: Bytes, size: (u16, u16)) -> Result<Vp9, Error> {
        let record = match record.get(..4) {
            // Of a record it would be profile 1 with 0 bits.
            Some([1, 0, 0, 0]) => record.slice(4..),
            _ => record,
        };
        let fixed: &[u8; 8] =
            record.first_chunk().ok_or(Error::Truncated { codec: "VP9", len: record.len() })?;
        let (profile, bit_depth) = (fixed[0], fixed[2] >> 4);
        if profile > 3 || !matches!(bit_depth, 8 | 10 | 12) {
            return Err(invalid(format!("profile {profile} with {bit_depth} bits")));
        }
        let (width, height) = size;
        if width == 0 || height == 0 {
            return Err(invalid(format!("picture of {width}x{height}")));
        }
        let color = Color {
            primaries: fixed[3],
            transfer: fixed[4],
            matrix: fixed[5],
            full_range: fixed[2] & 1 == 1,
        };
        Ok(Vp9 { width, height, color: color.said(), bit_depth, record })
    }

    /// Makes the record of a keyframe. It says nothing of transfer characteristics, so neither does the record.
    pub fn from_keyframe(frame: &[u8]) -> Result<Vp9, Error> {
        let header = Header::parse(frame)?;
        let key = header.key.ok_or_else(|| invalid("not a keyframe".into()))?;
        let pixels = u32::from(key.width) * u32::from(key.height);
        let level = LEVELS.iter().find(|(most, _)| pixels <= *most).map_or(62, |(_, level)| *level);
        // Code points of ISO/IEC 23091-2 for color_space (VP9 §7.2.2).
        let (primaries, matrix) = match key.color_space {
            1 => (6, 6),
            2 => (1, 1),
            3 => (6, 6),
            4 => (7, 7),
            5 => (9, 9),
            7 => (1, 0),
            _ => (2, 2),
        };
        let subsampling = match key.subsampling {
            // 4:2:0 with chroma beside the luma of the first column, which is how encoders sample.
            (true, true) => 1,
            (true, false) => 2,
            _ => 3,
        };
        let depth = key.bit_depth << 4 | subsampling << 1 | u8::from(key.full_range);
        let record = [header.profile, level, depth, primaries, 2, matrix, 0, 0];
        Vp9::parse(Bytes::copy_from_slice(&record), (key.width, key.height))
    }

    /// `vp09.00.31.08` and the like (VP Codec ISO Media File Format Binding, "Codecs Parameter String").
    pub fn rfc6381(&self) -> String {
        let byte = |at: usize| self.record.get(at).copied().unwrap_or(0);
        // Level 0 is undefined, and not allowed in the string.
        let level = if byte(1) == 0 { 10 } else { byte(1) };
        let name = format!("vp09.{:02}.{level:02}.{:02}", byte(0), self.bit_depth);
        match self.color.filter(|color| color.transfer > 2 || color.full_range) {
            None => name,
            Some(color) => format!(
                "{name}.{:02}.{:02}.{:02}.{:02}.{:02}",
                byte(2) >> 1 & 7,
                color.primaries,
                color.transfer,
                color.matrix,
                u8::from(color.full_range)
            ),
        }
    }

    /// What a sample that the encoder marked as a keyframe really is: `frame_type` says.
    pub fn classify(&self, keyframe: bool, sample: &[u8]) -> Sync {
        let key = keyframe && Header::parse(sample).is_ok_and(|header| header.key.is_some());
        if key { Sync::Yes } else { Sync::No }
    }
}

/// Width and height of a keyframe; an error for any other frame.
pub fn size_of(keyframe: &[u8]) -> Result<(u16, u16), Error> {
    let key = Header::parse(keyframe)?.key.ok_or_else(|| invalid("not a keyframe".into()))?;
    Ok((key.width, key.height))
}

/// The beginning of `uncompressed_header` (VP9 §6.2).
struct Header {
    profile: u8,
    key: Option<Key>,
}

/// What only a keyframe says.
struct Key {
    width: u16,
    height: u16,
    bit_depth: u8,
    color_space: u8,
    full_range: bool,
    subsampling: (bool, bool),
}

impl Header {
    fn parse(frame: &[u8]) -> Result<Header, Error> {
        let mut bits = Bits::new("VP9", frame);
        if bits.take(2)? != 2 {
            return Err(invalid("no frame marker".into()));
        }
        let profile = bits.take(1)? | bits.take(1)? << 1;
        if profile == 3 {
            bits.skip(1)?;
        }
        let profile = profile as u8;
        // show_existing_frame, then frame_type: 0 is a keyframe.
        if bits.flag()? || bits.flag()? {
            return Ok(Header { profile, key: None });
        }
        bits.skip(2)?;
        if bits.take(24)? != 0x49_83_42 {
            return Err(invalid("no frame sync code".into()));
        }
        Ok(Header { profile, key: Some(Key::parse(&mut bits, profile)?) })
    }
}

impl Key {
    fn parse(bits: &mut Bits<'_>, profile: u8) -> Result<Key, Error> {
        let bit_depth = match profile {
            0 | 1 => 8,
            _ if bits.flag()? => 12,
            _ => 10,
        };
        let color_space = bits.take(3)? as u8;
        let odd = profile & 1 == 1;
        let (full_range, subsampling) = if color_space == 7 {
            bits.skip(usize::from(odd))?;
            (true, (false, false))
        } else {
            let full_range = bits.flag()?;
            let subsampling = if odd { (bits.flag()?, bits.flag()?) } else { (true, true) };
            bits.skip(usize::from(odd))?;
            (full_range, subsampling)
        };
        let (width, height) = (bits.take(16)? + 1, bits.take(16)? + 1);
        let size = |pixels: u32| u16::try_from(pixels).map_err(|_| invalid(format!("{width}x{height}")));
        Ok(Key {
            width: size(width)?,
            height: size(height)?,
            bit_depth,
            color_space,
            full_range,
            subsampling,
        })
    }
}

fn invalid(what: String) -> Error {
    Error::Invalid { codec: "VP9", what }
}

#[cfg(test)]
mod tests {
    use super::*;

    // libvpx, 320x180, 4:2:0, no color said: the first bytes of a keyframe.
    const KEYFRAME: &[u8] = &[0x82, 0x49, 0x83, 0x42, 0x00, 0x13, 0xf0, 0x0b, 0x36, 0x38];

    #[test]
    fn a_keyframe_says_what_the_record_has() {
        let vp9 = Vp9::from_keyframe(KEYFRAME).expect("a keyframe");
        assert_eq!((vp9.width, vp9.height, vp9.bit_depth), (320, 180, 8));
        assert_eq!(vp9.rfc6381(), "vp09.00.11.08");
        assert_eq!(vp9.classify(true, KEYFRAME), Sync::Yes);
        assert_eq!(vp9.classify(true, &[0x86, 0, 0x40]), Sync::No, "frame_type 1");
        assert!(Vp9::from_keyframe(&[0x86, 0, 0x40]).is_err());
    }

    #[test]
    fn a_record_may_have_the_beginning_of_its_box() {
        let bare = Bytes::from_static(&[2, 31, 0xa2, 9, 16, 9, 0, 0]);
        let boxed = Bytes::from([&[1, 0, 0, 0][..], &bare].concat());
        let vp9 = Vp9::parse(bare, (1280, 720)).expect("valid");
        assert_eq!(Vp9::parse(boxed, (1280, 720)), Ok(vp9.clone()));
        assert_eq!(vp9.rfc6381(), "vp09.02.31.10.01.09.16.09.00", "PQ");
    }

    #[test]
    fn every_truncation_is_an_error_and_no_panic() {
        for end in 0..KEYFRAME.len() - 1 {
            assert!(Vp9::from_keyframe(&KEYFRAME[..end]).is_err(), "{end}");
        }
        assert!(Vp9::parse(Bytes::from_static(&[0, 31, 0x82, 2, 2, 2, 0]), (1, 1)).is_err());
    }
}
