//! The AVCDecoderConfigurationRecord of parameter sets that came without one.

use bytes::{BufMut, Bytes, BytesMut};
use h264_reader::nal::sps::{ChromaFormat, SeqParameterSet};
use h264_reader::nal::{Nal, RefNal};

use super::super::Error;
use super::invalid;

/// Profiles whose record says chroma format and bit depth (ISO/IEC 14496-15 §5.3.3.1.2).
const HIGH: [u8; 4] = [100, 110, 122, 144];

pub(super) fn record<T: AsRef<[u8]>>(sps: &[T], pps: &[T]) -> Result<Bytes, Error> {
    let first = sps.first().map(AsRef::as_ref);
    let Some(&[_, profile, constraints, level, ..]) = first else {
        return Err(invalid("no sequence parameter set".into()));
    };
    let mut record = BytesMut::with_capacity(128);
    record.put_slice(&[1, profile, constraints, level, 0xff]);
    put_sets(&mut record, sps, 0xe0, 31)?;
    put_sets(&mut record, pps, 0, 255)?;
    if HIGH.contains(&profile)
        && let Some(first) = first
    {
        let parsed = SeqParameterSet::from_bits(RefNal::new(first, &[], true).rbsp_bits())
            .map_err(|e| invalid(format!("sequence parameter set: {e:?}")))?;
        let chroma = parsed.chroma_info;
        let format = match chroma.chroma_format {
            ChromaFormat::Monochrome => 0,
            ChromaFormat::YUV422 => 2,
            ChromaFormat::YUV444 => 3,
            _ => 1,
        };
        let depths =
            [chroma.bit_depth_luma_minus8, chroma.bit_depth_chroma_minus8].map(|more| 0xf8 | more & 7);
        record.put_slice(&[0xfc | format, depths[0], depths[1], 0]);
    }
    Ok(record.freeze())
}

fn put_sets<T: AsRef<[u8]>>(record: &mut BytesMut, sets: &[T], reserved: u8, most: u8) -> Result<(), Error> {
    let count = u8::try_from(sets.len()).ok().filter(|count| *count <= most);
    let count = count.ok_or_else(|| invalid(format!("{} parameter sets", sets.len())))?;
    record.put_u8(reserved | count);
    for set in sets.iter().map(AsRef::as_ref) {
        let length = u16::try_from(set.len());
        record.put_u16(length.map_err(|_| invalid("a parameter set of more than 65535 bytes".into()))?);
        record.put_slice(set);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Avc;
    use super::*;

    const RECORD: &[u8] = include_bytes!("../../../../packager/tests/common/avcc-720p.bin");

    #[test]
    fn a_record_is_made_of_parameter_sets() {
        let sent = Avc::parse(Bytes::from_static(RECORD)).expect("valid");
        let sets = sent.parameter_sets();
        let made = Avc::from_parameter_sets(&sets[..1], &sets[1..]).expect("valid");
        assert_eq!(made, sent);
    }

    #[test]
    fn nothing_is_an_error_and_no_panic() {
        assert!(Avc::from_parameter_sets::<&[u8]>(&[], &[]).is_err());
        assert!(Avc::from_parameter_sets::<&[u8]>(&[&[0x67, 100, 0, 31]], &[]).is_err());
    }
}
