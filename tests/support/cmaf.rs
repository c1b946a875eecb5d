//! The times in a segment's boxes, read by a crate that did not write them.

use std::io::Cursor;

use mp4_atom::{Any, Decode, Moof, Traf};

/// One sample (ISO/IEC 14496-12 §8.8.8), in ticks of the track's timescale.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Sample {
    pub dts: i64,
    pub pts: i64,
    pub duration: i64,
}

/// The samples of a segment in decode order; its fragments follow one another without gap or overlap.
pub fn samples(segment: &[u8]) -> Vec<Sample> {
    let mut samples: Vec<Sample> = Vec::new();
    let mut rest = Cursor::new(segment);
    while (rest.position() as usize) < segment.len() {
        if let Any::Moof(moof) = Any::decode(&mut rest).expect("a segment is whole boxes") {
            let fragment = fragment(&moof);
            if let (Some(last), Some(first)) = (samples.last(), fragment.first()) {
                assert_eq!(last.dts + last.duration, first.dts, "the sum of durations is the next tfdt");
            }
            samples.extend(fragment);
        }
    }
    samples
}

fn fragment(moof: &Moof) -> Vec<Sample> {
    let [traf] = &moof.traf[..] else {
        panic!("a CMAF chunk has one traf");
    };
    let Traf { tfhd, tfdt, trun, .. } = traf;
    let mut dts = tfdt.as_ref().expect("a CMAF chunk has a tfdt").base_media_decode_time as i64;
    let entries = trun.iter().flat_map(|run| run.samples.iter());
    let sample = |entry: mp4_atom::TrunEntry| {
        let duration = entry.duration.or(tfhd.default_sample_duration).expect("a duration").into();
        let sample = Sample { dts, pts: dts + entry.cts.unwrap_or(0), duration };
        dts += duration;
        sample
    };
    entries.map(sample).collect()
}
