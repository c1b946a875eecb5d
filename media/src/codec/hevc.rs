//! H.265: the HEVCDecoderConfigurationRecord (ISO/IEC 14496-15 §8.3.3.1) and the NAL units of a sample.

mod sps;

use bytes::{BufMut, Bytes, BytesMut};

use self::sps::Sps;
use super::avc::nal_units;
use super::{Color, Error};
use crate::sample::Sync;

/// `nal_unit_type` (ITU-T H.265 table 7-1).
const VPS: u8 = 32;
const SPS: u8 = 33;
const PPS: u8 = 34;

/// H.265 with its decoder configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hevc {
    /// The HEVCDecoderConfigurationRecord as the encoder sent it.
    pub record: Bytes,
    /// Coded picture width after cropping, in pixels.
    pub width: u16,
    /// Coded picture height after cropping, in pixels.
    pub height: u16,
    /// Shape of a pixel, horizontal to vertical.
    pub pixel_aspect: (u16, u16),
    /// Bytes of the length before each NAL unit: 1, 2 or 4.
    pub length_size: u8,
    /// Pictures are fields (`field_seq_flag`).
    pub interlaced: bool,
    /// What the sequence parameter set says of color, where it does.
    pub color: Option<Color>,
    /// Bits of a luma sample, 8 to 16.
    pub bit_depth: u8,
}

impl Hevc {
    /// Reads an HEVCDecoderConfigurationRecord.
    pub fn parse(record: Bytes) -> Result<Hevc, Error> {
        let fixed: &[u8; 23] =
            record.first_chunk().ok_or(Error::Truncated { codec: "H.265", len: record.len() })?;
        if fixed[0] > 1 {
            return Err(invalid(format!("decoder configuration record of version {}", fixed[0])));
        }
        let length_size = (fixed[21] & 3) + 1;
        if length_size == 3 {
            return Err(invalid("NAL unit lengths of 3 bytes are reserved".into()));
        }
        let sps = arrays(&record).find(|(kind, _)| *kind == SPS).map(|(_, unit)| unit);
        let sps = Sps::parse(sps.ok_or_else(|| invalid("no sequence parameter set".into()))?)?;
        Ok(Hevc {
            width: sps.width,
            height: sps.height,
            pixel_aspect: sps.pixel_aspect,
            interlaced: sps.fields,
            color: sps.color,
            bit_depth: sps.bit_depth_luma,
            length_size,
            record,
        })
    }

    /// Makes the record of parameter sets as they stand in a bitstream: NAL units without start codes, at least one of
    /// each. Samples are to have 4-byte lengths.
    pub fn from_parameter_sets<T: AsRef<[u8]>>(vps: &[T], sps: &[T], pps: &[T]) -> Result<Hevc, Error> {
        let first = sps.first().ok_or_else(|| invalid("no sequence parameter set".into()))?;
        let parsed = Sps::parse(first.as_ref())?;
        let mut record = BytesMut::with_capacity(256);
        record.put_u8(1);
        record.put_slice(&parsed.profile_tier_level);
        record.put_u16(0xf000);
        record.put_u8(0xfc);
        record.put_u8(0xfc | parsed.chroma_format & 3);
        record.put_u8(0xf8 | parsed.bit_depth_luma.saturating_sub(8) & 7);
        record.put_u8(0xf8 | parsed.bit_depth_chroma.saturating_sub(8) & 7);
        record.put_u16(0);
        record.put_u8(parsed.temporal_layers << 3 | u8::from(parsed.temporal_nesting) << 2 | 3);
        record.put_u8(3);
        for (kind, units) in [(VPS, vps), (SPS, sps), (PPS, pps)] {
            put_array(&mut record, kind, units)?;
        }
        Hevc::parse(record.freeze())
    }

    /// `hvc1.1.6.L93.B0` and the like (ISO/IEC 14496-15 Annex E.3).
    pub fn rfc6381(&self) -> String {
        let byte = |at: usize| self.record.get(at).copied().unwrap_or(0);
        let space = ["", "A", "B", "C"][usize::from(byte(1) >> 6)];
        let compatibility = u32::from_be_bytes([byte(2), byte(3), byte(4), byte(5)]).reverse_bits();
        let tier = if byte(1) & 0x20 == 0 { 'L' } else { 'H' };
        let mut name = format!("hvc1.{space}{}.{compatibility:X}.{tier}{}", byte(1) & 0x1f, byte(12));
        let constraints: Vec<u8> = (6..12).map(byte).collect();
        let said = constraints.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        constraints[..said].iter().for_each(|byte| name.push_str(&format!(".{byte:X}")));
        name
    }

    /// The parameter sets of the configuration as NAL units: video, sequence, picture. What the record breaks off in is
    /// left out.
    pub fn parameter_sets(&self) -> Vec<Bytes> {
        let mut sets: Vec<(u8, &[u8])> = arrays(&self.record)
            .filter(|(kind, unit)| (VPS..=PPS).contains(kind) && !unit.is_empty())
            .collect();
        sets.sort_by_key(|(kind, _)| *kind);
        sets.into_iter().map(|(_, unit)| self.record.slice_ref(unit)).collect()
    }

    /// What a sample that the encoder marked as a keyframe really is.
    ///
    /// A CRA picture may be followed by leading pictures that reach across it (ITU-T H.265 §3, RASL); an IDR or BLA
    /// picture is not.
    pub fn classify(&self, keyframe: bool, sample: &[u8]) -> Sync {
        if !keyframe {
            return Sync::No;
        }
        let first = nal_units(self.length_size, sample).filter_map(nal_type).find(|kind| *kind < VPS);
        match first {
            Some(16..=20) => Sync::Yes,
            _ => Sync::Recovery,
        }
    }
}

/// `nal_unit_type` of a NAL unit (ITU-T H.265 §7.3.1.2).
pub fn nal_type(unit: &[u8]) -> Option<u8> {
    unit.first().map(|header| header >> 1 & 0x3f)
}

/// NAL units of the record with the type of the array that they are in; ends where the record does.
fn arrays(record: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = record.get(23..).unwrap_or_default();
    let (mut kind, mut left) = (0, 0u16);
    std::iter::from_fn(move || {
        while left == 0 {
            let (head, after) = rest.split_first_chunk::<3>()?;
            (kind, left, rest) = (head[0] & 0x3f, u16::from_be_bytes([head[1], head[2]]), after);
        }
        let (length, after) = rest.split_first_chunk()?;
        let (unit, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        (left, rest) = (left - 1, after);
        Some((kind, unit))
    })
}

fn put_array<T: AsRef<[u8]>>(record: &mut BytesMut, kind: u8, units: &[T]) -> Result<(), Error> {
    let too_large = || invalid("a parameter set of more than 65535 bytes".into());
    record.put_u8(0x80 | kind);
    record.put_u16(u16::try_from(units.len()).map_err(|_| too_large())?);
    for unit in units.iter().map(AsRef::as_ref) {
        record.put_u16(u16::try_from(unit.len()).map_err(|_| too_large())?);
        record.put_slice(unit);
    }
    Ok(())
}

fn invalid(what: String) -> Error {
    Error::Invalid { codec: "H.265", what }
}

#[cfg(test)]
mod tests;
