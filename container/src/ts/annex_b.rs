//! A picture as a byte stream (ITU-T H.264 and H.265 Annex B): start codes instead of lengths, and what a decoder that joins
//! here has to know before it.

use bytes::Bytes;
use media::Sync;
use media::codec::avc::nal_units;

use super::elementary::nal::Standard;
use super::segment::Frame;

const START_CODE: [u8; 4] = [0, 0, 0, 1];
/// `primary_pic_type` 7: slices of any type follow (ITU-T H.264 §7.4.2.4).
const AVC_DELIMITER: &[u8] = &[0x09, 0xf0];
/// `pic_type` 2, the same (ITU-T H.265 §7.4.3.5).
const HEVC_DELIMITER: &[u8] = &[0x46, 0x01, 0x50];

/// How the pictures of a track are put together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form<'a> {
    pub(super) standard: Standard,
    /// Bytes of the length before each NAL unit.
    pub(super) length_size: u8,
    pub(super) parameter_sets: &'a [Bytes],
}

/// Writes a picture as an access unit: its delimiter first, and the parameter sets where decoding may begin, or where
/// `begins` says that somebody may join, unless the encoder sends them itself.
pub(super) fn write(out: &mut Vec<u8>, form: Form<'_>, frame: &Frame, begins: bool) {
    let (delimiter, sequence) = match form.standard {
        Standard::Avc => (AVC_DELIMITER, 7),
        Standard::Hevc => (HEVC_DELIMITER, 33),
    };
    let kind = |nal: &[u8]| kind(form.standard, nal);
    unit(out, delimiter);
    let units = || nal_units(form.length_size, &frame.data).filter(|unit| !unit.is_empty());
    let own = || units().any(|unit| kind(unit) == sequence);
    if (begins || frame.sync != Sync::No) && !own() {
        form.parameter_sets.iter().for_each(|set| unit(out, set));
    }
    units().filter(|nal| kind(nal) != kind(delimiter)).for_each(|nal| unit(out, nal));
}

fn unit(out: &mut Vec<u8>, nal: &[u8]) {
    out.extend_from_slice(&START_CODE);
    out.extend_from_slice(nal);
}

/// `nal_unit_type` (ITU-T H.264 Table 7-1, ITU-T H.265 Table 7-1).
fn kind(standard: Standard, nal: &[u8]) -> u8 {
    let header = nal.first().copied().unwrap_or_default();
    match standard {
        Standard::Avc => header & 0x1f,
        Standard::Hevc => header >> 1 & 0x3f,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETS: [&[u8]; 2] = [&[0x67, 1], &[0x68, 2]];

    /// Types of the NAL units of a picture that has these, with lengths of two bytes.
    fn written(units: &[&[u8]], sync: Sync, begins: bool) -> Vec<u8> {
        let prefixed = units.iter().flat_map(|nal| [&[0, nal.len() as u8], *nal].concat());
        let frame = Frame { data: prefixed.collect(), sync, pts: 0, dts: 0, duration: 1 };
        let sets = SETS.map(Bytes::from_static).to_vec();
        let form = Form { standard: Standard::Avc, length_size: 2, parameter_sets: &sets };
        let mut out = Vec::new();
        write(&mut out, form, &frame, begins);
        let codes = out.windows(5).filter(|window| window.starts_with(&START_CODE));
        codes.map(|window| window[4] & 0x1f).collect()
    }

    #[test]
    fn parameter_sets_stand_before_each_picture_where_decoding_may_begin() {
        let (idr, slice): (&[u8], &[u8]) = (&[0x65, 3], &[0x41, 4]);
        assert_eq!(written(&[&[0x06, 5], idr], Sync::Yes, false), [9, 7, 8, 6, 5]);
        assert_eq!(written(&[slice], Sync::Recovery, false), [9, 7, 8, 1]);
        assert_eq!(written(&[slice], Sync::No, false), [9, 1]);
        assert_eq!(written(&[slice], Sync::No, true), [9, 7, 8, 1], "it begins a segment");
    }

    #[test]
    fn h265_has_kinds_of_its_own() {
        let sets = [&[0x40, 1][..], &[0x42, 1], &[0x44, 1]].map(Bytes::copy_from_slice);
        let form = Form { standard: Standard::Hevc, length_size: 2, parameter_sets: &sets };
        let data = Bytes::from_static(&[0, 3, 0x46, 1, 0x10, 0, 3, 0x26, 1, 9]);
        let frame = Frame { data, sync: Sync::Yes, pts: 0, dts: 0, duration: 1 };
        let mut out = Vec::new();
        write(&mut out, form, &frame, false);
        let codes = out.windows(5).filter(|window| window.starts_with(&START_CODE));
        let kinds: Vec<u8> = codes.map(|window| window[4] >> 1).collect();
        assert_eq!(kinds, [35, 32, 33, 34, 19], "one delimiter, the sets, the picture");
    }

    #[test]
    fn what_the_encoder_sends_itself_is_not_sent_twice() {
        let own: [&[u8]; 4] = [&[0x09, 0x10], &[0x67, 9], &[0x68, 9], &[0x65, 3]];
        assert_eq!(written(&own, Sync::Yes, true), [9, 7, 8, 5]);
    }
}
