//! What the parameter sets say beside the picture's size: for outputs that carry them in band, and for decode times.

use std::time::Duration;

use bytes::Bytes;
use h264_reader::nal::sps::{ProfileIdc, SeqParameterSet, TimingInfo, VuiParameters};
use h264_reader::nal::{Nal, RefNal};

use super::Avc;

/// Of a sequence parameter set that does not say how far pictures are reordered: a B-frame pyramid of two levels.
const USUAL_REORDERING: u32 = 2;
/// Of one that does not say how long a picture lasts, or says what no encoder means.
const USUAL_PICTURE: Duration = Duration::from_millis(40);
/// From 5 to 250 pictures a second.
const SENSIBLE_PICTURE: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(4)..=Duration::from_millis(200);

impl Avc {
    /// The parameter sets of the configuration as NAL units, those of sequences first. What the record breaks off in is
    /// left out.
    pub fn parameter_sets(&self) -> Vec<Bytes> {
        // ISO/IEC 14496-15 §5.3.3.1.2: two counted lists, the first with its count in five bits. The reader of
        // h264-reader panics at a set without bytes.
        let mut rest = self.record.get(5..).unwrap_or_default();
        let sequence = take_sets(&mut rest, 0x1f);
        let picture = take_sets(&mut rest, 0xff);
        let sets = sequence.into_iter().chain(picture).filter(|set| !set.is_empty());
        sets.map(|set| self.record.slice_ref(set)).collect()
    }

    /// How much earlier than it is shown a picture may have to be decoded: pictures that can be shown after they
    /// were decoded, times what one lasts (ITU-T H.264 §E.2.1, `max_num_reorder_frames` and `num_units_in_tick`).
    ///
    /// Constant for a configuration, and at most 16 pictures of 200 ms.
    pub fn reordering(&self) -> Duration {
        let Some(sps) = self.sequence_parameters() else {
            return Duration::ZERO;
        };
        let vui = sps.vui_parameters.as_ref();
        let picture = vui.and_then(|vui| vui.timing_info.as_ref()).and_then(picture).unwrap_or(USUAL_PICTURE);
        picture * pictures(&sps, vui).min(16)
    }

    fn sequence_parameters(&self) -> Option<SeqParameterSet> {
        let sets = self.parameter_sets();
        let set = sets.first().filter(|set| set.len() > 1)?;
        SeqParameterSet::from_bits(RefNal::new(set, &[], true).rbsp_bits()).ok()
    }
}

/// A list of parameter sets with its count and their lengths before them.
fn take_sets<'a>(rest: &mut &'a [u8], count_mask: u8) -> Vec<&'a [u8]> {
    let Some((&count, mut left)) = rest.split_first() else { return Vec::new() };
    let mut sets = Vec::new();
    for _ in 0..count & count_mask {
        let set = left
            .split_first_chunk()
            .and_then(|(length, after)| after.split_at_checked(usize::from(u16::from_be_bytes(*length))));
        let Some((set, after)) = set else { break };
        sets.push(set);
        left = after;
    }
    *rest = left;
    sets
}

fn pictures(sps: &SeqParameterSet, vui: Option<&VuiParameters>) -> u32 {
    if sps.profile_idc == ProfileIdc::from(66) {
        // Baseline has no B pictures.
        return 0;
    }
    let said = vui.and_then(|vui| vui.bitstream_restrictions.as_ref());
    said.map_or(USUAL_REORDERING, |restrictions| restrictions.max_num_reorder_frames)
}

/// A tick is a field, two make a picture.
fn picture(timing: &TimingInfo) -> Option<Duration> {
    let nanos = 2 * u64::from(timing.num_units_in_tick) * 1_000_000_000;
    let picture = Duration::from_nanos(nanos.checked_div(timing.time_scale.into())?);
    SENSIBLE_PICTURE.contains(&picture).then_some(picture)
}

#[cfg(test)]
mod tests {
    use super::*;

    // x264, High@3.1, 1280x720 at 30 frames a second.
    const RECORD: &[u8] = &[
        0x01, 0x64, 0x00, 0x1f, 0xff, 0xe1, 0x00, 0x1a, 0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50, 0x05,
        0xbb, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x83, 0x19, 0x60,
        0x01, 0x00, 0x04, 0x68, 0xef, 0x8f, 0xcb, 0xfd, 0xf8, 0xf8, 0x00,
    ];

    #[test]
    fn parameter_sets_are_those_of_the_configuration() {
        let avc = Avc::parse(Bytes::from_static(RECORD)).expect("valid");
        let sets = avc.parameter_sets();
        assert_eq!(sets, [&RECORD[8..34], &RECORD[37..41]]);
        assert_eq!(sets[0].as_ptr(), avc.record[8..].as_ptr(), "nothing is copied");
    }

    #[test]
    fn parameter_sets_end_where_the_record_breaks_off_and_need_not_have_bytes() {
        let whole = Avc::parse(Bytes::from_static(RECORD)).expect("valid");
        for end in 0..RECORD.len() {
            let broken = Avc { record: Bytes::from_static(&RECORD[..end]), ..whole.clone() };
            assert_eq!(
                broken.parameter_sets().len(),
                usize::from(end >= 34) + usize::from(end >= 41),
                "{end}"
            );
        }
        let empty = [&RECORD[..34], &[1, 0, 0]].concat();
        let empty = Avc::parse(Bytes::from(empty)).expect("taken for a configuration");
        assert_eq!(empty.parameter_sets(), [&RECORD[8..34]]);
    }

    #[test]
    fn reordering_is_what_the_sequence_parameter_set_says() {
        let avc = Avc::parse(Bytes::from_static(RECORD)).expect("valid");
        assert_eq!(avc.reordering(), Duration::from_nanos(1_000_000_000 / 30) * 2);
    }

    #[test]
    fn a_configuration_that_says_nothing_has_nothing() {
        let avc = Avc::parse(Bytes::from_static(RECORD)).expect("valid");
        let avc = Avc { record: Bytes::from_static(&[1, 0x64, 0, 0x1f]), ..avc };
        assert!(avc.parameter_sets().is_empty());
        assert_eq!(avc.reordering(), Duration::ZERO);
    }
}
