//! The boxes that we write, of anything that can be asked for, as another crate reads them.
#![no_main]

use arbitrary::Arbitrary;
use bytes::Bytes;
use container::mp4::{Fragment, FragmentSample, fragment_header};
use fuzz::boxes::{check_init, moof};
use libfuzzer_sys::fuzz_target;
use media::codec::{Aac, Avc};
use media::{Codec, Sync, WallTime};

#[derive(Arbitrary, Debug)]
enum Input<'a> {
    Video(&'a [u8]),
    Audio(&'a [u8]),
    Fragment { begins_segment: bool, produced: Option<i64>, sequence: u32, base_time: u64, samples: Samples },
}

/// Duration, size, composition offset and sync of each.
type Samples = Vec<(u32, u32, i32, u8)>;

fuzz_target!(|input: Input<'_>| match input {
    Input::Video(record) => {
        Avc::parse(Bytes::copy_from_slice(record)).into_iter().map(Codec::Avc).for_each(check_init);
    }
    Input::Audio(config) => {
        Aac::parse(Bytes::copy_from_slice(config)).into_iter().map(Codec::Aac).for_each(check_init);
    }
    Input::Fragment { begins_segment, produced, sequence, base_time, samples } => {
        let samples: Vec<FragmentSample> = samples.into_iter().map(sample).collect();
        if !samples.is_empty() {
            let produced = produced.map(WallTime::from_micros);
            check(&Fragment { begins_segment, produced, sequence, base_time, samples: &samples });
        }
    }
});

fn sample((duration, size, composition_offset, sync): (u32, u32, i32, u8)) -> FragmentSample {
    let sync = [Sync::Yes, Sync::Recovery, Sync::No][usize::from(sync % 3)];
    FragmentSample { duration, size, composition_offset, sync }
}

fn check(fragment: &Fragment<'_>) {
    let header = fragment_header(fragment);
    let (moof, before_payload) = moof(&header);
    let traf = &moof.traf[0];
    assert_eq!(moof.mfhd.sequence_number, fragment.sequence);
    assert_eq!(traf.tfdt.as_ref().map(|tfdt| tfdt.base_media_decode_time), Some(fragment.base_time));
    assert_eq!(traf.trun[0].data_offset, Some(before_payload as i32));
    assert_eq!(traf.trun[0].samples.len(), fragment.samples.len());
    for (entry, sample) in traf.trun[0].samples.iter().zip(fragment.samples) {
        assert_eq!(entry.duration.or(traf.tfhd.default_sample_duration), Some(sample.duration));
        assert_eq!(entry.size, Some(sample.size));
        assert_eq!(entry.cts.unwrap_or(0), i64::from(sample.composition_offset));
    }
}
