//! A picture as a byte stream (ITU-T H.264 Annex B): start codes instead of lengths, and what a decoder that joins
//! here has to know before it.

use media::Sync;
use media::codec::avc::nal_units;

use super::segment::{Frame, Video};

const START_CODE: [u8; 4] = [0, 0, 0, 1];
/// `primary_pic_type` 7: slices of any type follow (ITU-T H.264 §7.4.2.4).
const DELIMITER: [u8; 2] = [0x09, 0xf0];

/// Writes a picture as an access unit: its delimiter first, and the parameter sets where decoding may begin, or where
/// `begins` says that somebody may join, unless the encoder sends them itself.
pub(super) fn write(out: &mut Vec<u8>, video: &Video, frame: &Frame, begins: bool) {
    unit(out, &DELIMITER);
    let units = || nal_units(video.length_size, &frame.data).filter(|unit| !unit.is_empty());
    let own = || units().any(|unit| kind(unit) == 7);
    if (begins || frame.sync != Sync::No) && !own() {
        video.parameter_sets.iter().for_each(|set| unit(out, set));
    }
    units().filter(|nal| kind(nal) != 9).for_each(|nal| unit(out, nal));
}

fn unit(out: &mut Vec<u8>, nal: &[u8]) {
    out.extend_from_slice(&START_CODE);
    out.extend_from_slice(nal);
}

/// `nal_unit_type` (ITU-T H.264 Table 7-1): 7 is a sequence parameter set, 9 a delimiter.
fn kind(nal: &[u8]) -> u8 {
    nal.first().map_or(0, |header| header & 0x1f)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    const SETS: [&[u8]; 2] = [&[0x67, 1], &[0x68, 2]];

    /// Types of the NAL units of a picture that has these, with lengths of two bytes.
    fn written(units: &[&[u8]], sync: Sync, begins: bool) -> Vec<u8> {
        let prefixed = units.iter().flat_map(|nal| [&[0, nal.len() as u8], *nal].concat());
        let frame = Frame { data: prefixed.collect(), sync, pts: 0, dts: 0, duration: 1 };
        let sets = SETS.map(Bytes::from_static).to_vec();
        let video = Video { length_size: 2, parameter_sets: sets, frames: Vec::new() };
        let mut out = Vec::new();
        write(&mut out, &video, &frame, begins);
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
    fn what_the_encoder_sends_itself_is_not_sent_twice() {
        let own: [&[u8]; 4] = [&[0x09, 0x10], &[0x67, 9], &[0x68, 9], &[0x65, 3]];
        assert_eq!(written(&own, Sync::Yes, true), [9, 7, 8, 5]);
    }
}
