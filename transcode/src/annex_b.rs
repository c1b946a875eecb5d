//! H.264 and H.265 with start codes (Annex B of both): the form in which a decoder needs no configuration beside the stream.

use h264_reader::avcc::AvcDecoderConfigurationRecord;
use media::codec::avc::nal_units;
use media::codec::{Avc, Hevc};
use worker_protocol::Refusal;

const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// The parameter sets of an AVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3.1), then the NAL units of a sample.
pub(crate) fn h264(record: &[u8], sample: &[u8]) -> Result<Vec<u8>, Refusal> {
    let avc = Avc::parse(record.to_vec().into()).map_err(|_| Refusal::Configuration)?;
    let sets = parameter_sets(record)?;
    Ok(with_start_codes(sets.into_iter(), nal_units(avc.length_size, sample)))
}

/// The same of an HEVCDecoderConfigurationRecord (§8.3.3.1).
pub(crate) fn h265(record: &[u8], sample: &[u8]) -> Result<Vec<u8>, Refusal> {
    let hevc = Hevc::parse(record.to_vec().into()).map_err(|_| Refusal::Configuration)?;
    let sets = hevc.parameter_sets();
    Ok(with_start_codes(sets.iter().map(|set| &set[..]), nal_units(hevc.length_size, sample)))
}

fn with_start_codes<'a>(
    sets: impl Iterator<Item = &'a [u8]>,
    units: impl Iterator<Item = &'a [u8]>,
) -> Vec<u8> {
    let mut stream = Vec::new();
    for nal in sets.chain(units) {
        stream.extend_from_slice(&START_CODE);
        stream.extend_from_slice(nal);
    }
    stream
}

fn parameter_sets(record: &[u8]) -> Result<Vec<&[u8]>, Refusal> {
    let parsed = AvcDecoderConfigurationRecord::try_from(record).map_err(|_| Refusal::Configuration)?;
    let all = parsed.sequence_parameter_sets().chain(parsed.picture_parameter_sets());
    all.collect::<Result<_, _>>().map_err(|_| Refusal::Configuration)
}

#[cfg(test)]
mod tests {
    use super::*;

    // x264, High@3.1, 1280x720, as an encoder sends it.
    const RECORD: &[u8] = include_bytes!("../../packager/tests/common/avcc-720p.bin");

    #[test]
    fn parameter_sets_come_first_and_lengths_become_start_codes() {
        let stream = h264(RECORD, &[0, 0, 0, 2, 0x65, 0x88, 0, 0, 0, 1, 0x0c]).expect("valid");
        let kinds: Vec<u8> = nals(&stream).map(|nal| nal[0] & 0x1f).collect();
        assert_eq!(kinds, [7, 8, 5, 12]);
    }

    #[test]
    fn no_truncation_of_a_record_panics() {
        for end in 0..RECORD.len() {
            let _ = h264(&RECORD[..end], &[]);
        }
        assert_eq!(h264(&RECORD[..20], &[]), Err(Refusal::Configuration));
    }

    fn nals(stream: &[u8]) -> impl Iterator<Item = &[u8]> {
        let starts = stream.windows(4).enumerate().filter(|(_, four)| *four == START_CODE);
        starts.map(|(at, _)| &stream[at + 4..])
    }
}
