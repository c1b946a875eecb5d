//! AV1: the AV1CodecConfigurationRecord ("AV1 Codec ISO Media File Format Binding" §2.3) and the OBUs of a sample.

mod sequence;

use bytes::Bytes;

use self::sequence::Sequence;
use super::bits::BitWriter;
use super::{Color, Error};
use crate::sample::Sync;

/// `obu_type` (AV1 §6.2.2).
const SEQUENCE_HEADER: u8 = 1;
const TEMPORAL_DELIMITER: u8 = 2;
const FRAME_HEADER: u8 = 3;
const FRAME: u8 = 6;

/// AV1 with its configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Av1 {
    /// The AV1CodecConfigurationRecord as the encoder sent it.
    pub record: Bytes,
    /// Width of the largest picture, in pixels.
    pub width: u16,
    /// Height of the largest picture, in pixels.
    pub height: u16,
    /// What the sequence header says of color, where it does.
    pub color: Option<Color>,
    /// Bits of a sample: 8, 10 or 12.
    pub bit_depth: u8,
    monochrome: bool,
    /// Subsampling in width and height, and the position of chroma samples.
    chroma: (bool, bool, u8),
}

impl Av1 {
    /// Reads an AV1CodecConfigurationRecord; its `configOBUs` have to hold the sequence header, which alone says how
    /// large pictures are.
    pub fn parse(record: Bytes) -> Result<Av1, Error> {
        let (head, units) =
            record.split_first_chunk::<4>().ok_or(Error::Truncated { codec: "AV1", len: record.len() })?;
        if head[0] != 0x81 {
            return Err(invalid(format!("configuration record begins with {:#04x}", head[0])));
        }
        let header = obus(units).find(|obu| obu.kind == SEQUENCE_HEADER);
        let sequence = Sequence::parse(header.ok_or_else(|| invalid("no sequence header".into()))?.payload)?;
        Av1::of(sequence, record.clone())
    }

    /// Makes the record of a sequence header OBU as it stands in a bitstream, header and size included; other OBUs before
    /// it (the first sample of a stream, for example) are passed over.
    pub fn from_sequence_header(obu: &[u8]) -> Result<Av1, Error> {
        let header = obus(obu).find(|obu| obu.kind == SEQUENCE_HEADER);
        let header = header.ok_or_else(|| invalid("no sequence header".into()))?;
        let sequence = Sequence::parse(header.payload)?;
        let mut bits = BitWriter::default();
        bits.put(0x81, 8).put(sequence.profile.into(), 3).put(sequence.level.into(), 5);
        bits.put(sequence.tier.into(), 1).put(u32::from(sequence.bit_depth > 8), 1);
        bits.put(u32::from(sequence.bit_depth == 12), 1).put(sequence.monochrome.into(), 1);
        bits.put(sequence.subsampling.0.into(), 1).put(sequence.subsampling.1.into(), 1);
        bits.put(sequence.chroma_position.into(), 2).put(0, 8);
        let mut record = bits.finish();
        // With its size, whatever it had before.
        record.push(SEQUENCE_HEADER << 3 | 2);
        put_leb128(&mut record, header.payload.len());
        record.extend_from_slice(header.payload);
        Av1::of(sequence, record.into())
    }

    fn of(sequence: Sequence, record: Bytes) -> Result<Av1, Error> {
        let size =
            |pixels: u32| u16::try_from(pixels).map_err(|_| invalid(format!("{pixels} pixels across")));
        Ok(Av1 {
            width: size(sequence.width)?,
            height: size(sequence.height)?,
            color: sequence.color,
            bit_depth: sequence.bit_depth,
            monochrome: sequence.monochrome,
            chroma: (sequence.subsampling.0, sequence.subsampling.1, sequence.chroma_position),
            record,
        })
    }

    /// `av01.0.08M.08` and the like (AV1-ISOBMFF §5); color follows where it is not that of ordinary television.
    pub fn rfc6381(&self) -> String {
        let byte = |at: usize| self.record.get(at).copied().unwrap_or(0);
        let tier = if byte(2) & 0x80 == 0 { 'M' } else { 'H' };
        let name = format!("av01.{}.{:02}{tier}.{:02}", byte(1) >> 5, byte(1) & 0x1f, self.bit_depth);
        let plain = self.color.is_none_or(|color| color.transfer <= 2 && !color.full_range);
        if plain && !self.monochrome {
            return name;
        }
        let color = self.color.unwrap_or(Color::UNSAID);
        let (across, down, position) = self.chroma;
        format!(
            "{name}.{}.{}{}{position}.{:02}.{:02}.{:02}.{}",
            u8::from(self.monochrome),
            u8::from(across),
            u8::from(down),
            color.primaries,
            color.transfer,
            color.matrix,
            u8::from(color.full_range)
        )
    }

    /// What a sample that the encoder marked as a keyframe really is: decoding begins at a shown key frame, and only with
    /// the sequence header before it is everything there (AV1-ISOBMFF §2.5).
    pub fn classify(&self, keyframe: bool, sample: &[u8]) -> Sync {
        if !keyframe {
            return Sync::No;
        }
        let mut sequence = false;
        for obu in obus(sample) {
            match obu.kind {
                SEQUENCE_HEADER => sequence = true,
                FRAME_HEADER | FRAME if shown_key_frame(obu.payload) => {
                    return if sequence { Sync::Yes } else { Sync::Recovery };
                }
                FRAME_HEADER | FRAME => return Sync::No,
                _ => {}
            }
        }
        Sync::No
    }
}

/// `uncompressed_header` (AV1 §5.9.2) begins with `show_existing_frame`, `frame_type` and `show_frame`.
fn shown_key_frame(header: &[u8]) -> bool {
    header.first().is_some_and(|first| first & 0b1111_0000 == 0b0001_0000)
}

/// The sample without the temporal delimiters before its pictures, which MP4 does not carry (AV1-ISOBMFF §2.4).
pub fn without_delimiters(mut sample: &[u8]) -> &[u8] {
    while let Some(obu) = obus(sample).next().filter(|obu| obu.kind == TEMPORAL_DELIMITER) {
        sample = &sample[obu.size.min(sample.len())..];
    }
    sample
}

/// An open bitstream unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Obu<'a> {
    /// `obu_type` (AV1 §6.2.2).
    pub kind: u8,
    /// What stands behind its header and size.
    pub payload: &'a [u8],
    /// Bytes of the whole unit, header and size included.
    pub size: usize,
}

/// The OBUs of a sample in low-overhead format (AV1 §5.2); a unit that claims more than there is ends the walk.
pub fn obus(mut sample: &[u8]) -> impl Iterator<Item = Obu<'_>> {
    std::iter::from_fn(move || {
        let (&header, rest) = sample.split_first()?;
        let extension = usize::from(header & 4 != 0);
        let rest = rest.get(extension..)?;
        let (length, of_length) = if header & 2 == 0 { (rest.len(), 0) } else { leb128(rest)? };
        let payload = rest.get(of_length..)?.get(..length)?;
        let size = 1 + extension + of_length + length;
        sample = &sample[size..];
        Some(Obu { kind: header >> 3 & 0xf, payload, size })
    })
}

/// A number and how many bytes it takes (AV1 §4.10.5).
fn leb128(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0u64;
    for (at, &byte) in bytes.iter().take(8).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((usize::try_from(value).ok()?, at + 1));
        }
    }
    None
}

fn put_leb128(out: &mut Vec<u8>, mut value: usize) {
    while value > 0x7f {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn invalid(what: String) -> Error {
    Error::Invalid { codec: "AV1", what }
}

#[cfg(test)]
mod tests;
