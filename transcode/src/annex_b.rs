//! H.264 with start codes (ITU-T H.264 Annex B): the form in which a decoder needs no configuration beside the stream.

use h264_reader::avcc::AvcDecoderConfigurationRecord;
use media::codec::Avc;
use media::codec::avc::nal_units;
use worker_protocol::Refusal;

const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// The parameter sets of an AVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3.1), then the NAL units of a sample.
pub(crate) fn of(record: &[u8], sample: &[u8]) -> Result<Vec<u8>, Refusal> {
    let avc = Avc::parse(record.to_vec().into()).map_err(|_| Refusal::Configuration)?;
    let mut stream = Vec::with_capacity(record.len() + sample.len() + 64);
    let mut add = |nal: &[u8]| {
        stream.extend_from_slice(&START_CODE);
        stream.extend_from_slice(nal);
    };
    for nal in parameter_sets(record)? {
        add(nal);
    }
    nal_units(avc.length_size, sample).for_each(add);
    Ok(stream)
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
        let stream = of(RECORD, &[0, 0, 0, 2, 0x65, 0x88, 0, 0, 0, 1, 0x0c]).expect("valid");
        let kinds: Vec<u8> = nals(&stream).map(|nal| nal[0] & 0x1f).collect();
        assert_eq!(kinds, [7, 8, 5, 12]);
    }

    #[test]
    fn no_truncation_of_a_record_panics() {
        for end in 0..RECORD.len() {
            let _ = of(&RECORD[..end], &[]);
        }
        assert_eq!(of(&RECORD[..20], &[]), Err(Refusal::Configuration));
    }

    fn nals(stream: &[u8]) -> impl Iterator<Item = &[u8]> {
        let starts = stream.windows(4).enumerate().filter(|(_, four)| *four == START_CODE);
        starts.map(|(at, _)| &stream[at + 4..])
    }
}
