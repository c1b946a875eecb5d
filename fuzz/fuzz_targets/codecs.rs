//! Configurations of all codecs, as records and as they stand in bitstreams, and samples beside them.
#![no_main]

use arbitrary::Arbitrary;
use bytes::Bytes;
use container::mp4::{init_segment, parse_init};
use fuzz::boxes::check_init;
use libfuzzer_sys::fuzz_target;
use media::codec::{
    Aac, Ac3, Av1, Avc, Eac3, Flac, Hevc, MpegAudio, Opus, Vp9, ac3, av1, eac3, mpeg_audio, vp9,
};
use media::{Captions, Codec, Language, Timescale, Track};

#[derive(Arbitrary, Debug)]
enum Input<'a> {
    /// A record, and a sample beside it.
    Record(&'a [u8], &'a [u8]),
    /// Parameter sets: video, sequence, picture.
    Sets(&'a [u8], &'a [u8], &'a [u8]),
    /// What a bitstream begins with.
    Bitstream(&'a [u8]),
    Opus(u8, u16),
    Language(&'a str),
}

fuzz_target!(|input: Input<'_>| match input {
    Input::Record(record, sample) => records(record).into_iter().for_each(|codec| check(codec, sample)),
    Input::Sets(vps, sps, pps) => {
        Avc::from_parameter_sets(&[sps], &[pps]).into_iter().for_each(|avc| check(Codec::Avc(avc), pps));
        let hevc = Hevc::from_parameter_sets(&[vps], &[sps], &[pps]);
        hevc.into_iter().for_each(|hevc| check(Codec::Hevc(hevc), pps));
    }
    Input::Bitstream(bytes) => {
        bitstreams(bytes).into_iter().for_each(|codec| check(codec, bytes));
        let _ = (ac3::frame_size(bytes), eac3::frame_size(bytes), vp9::size_of(bytes));
        assert!(mpeg_audio::frame_size(bytes).is_none_or(|size| (24..=1729).contains(&size)));
        assert!(av1::obus(bytes).map(|obu| obu.size).sum::<usize>() <= bytes.len());
        assert!(av1::without_delimiters(bytes).len() <= bytes.len());
    }
    Input::Opus(channels, pre_skip) => {
        let opus = Opus::new(channels, pre_skip);
        opus.into_iter().for_each(|opus| check(Codec::Opus(opus), &[]));
    }
    Input::Language(tag) => check_language(tag),
});

fn records(record: &[u8]) -> Vec<Codec> {
    let record = Bytes::copy_from_slice(record);
    [
        Avc::parse(record.clone()).map(Codec::Avc),
        Hevc::parse(record.clone()).map(Codec::Hevc),
        Av1::parse(record.clone()).map(Codec::Av1),
        Vp9::parse(record.clone(), (320, 180)).map(Codec::Vp9),
        Aac::parse(record.clone()).map(Codec::Aac),
        Opus::parse(record.clone()).map(Codec::Opus),
        Ac3::parse(record.clone()).map(Codec::Ac3),
        Eac3::parse(record.clone()).map(Codec::Eac3),
        Flac::parse(record).map(Codec::Flac),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// These make their records themselves, so MP4 must have words for them.
fn bitstreams(bytes: &[u8]) -> Vec<Codec> {
    let made: Vec<Codec> = [
        Vp9::from_keyframe(bytes).map(Codec::Vp9),
        Ac3::from_frame(bytes).map(Codec::Ac3),
        Eac3::from_frame(bytes).map(Codec::Eac3),
        Av1::from_sequence_header(bytes).map(Codec::Av1),
        MpegAudio::from_frame(bytes).map(Codec::MpegAudio),
    ]
    .into_iter()
    .flatten()
    .collect();
    for codec in &made {
        let track = Track::new(codec.clone(), Timescale::VIDEO);
        let init = init_segment(&track).expect("a record of our own");
        assert_eq!(parse_init(&init), Ok(track));
    }
    made
}

fn check(codec: Codec, sample: &[u8]) {
    let _ = (codec.classify(true, sample), Captions::of(&codec, sample));
    assert!(codec.sample_duration(sample).is_none_or(|samples| (1..=u32::MAX / 2).contains(&samples)));
    assert!(codec.picture().is_some() != codec.sound().is_some());
    if let Some(picture) = codec.picture() {
        assert!(picture.width > 0 && picture.height > 0);
    }
    check_init(codec);
}

fn check_language(tag: &str) {
    let Some(language) = Language::new(tag) else { return };
    assert!(language.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
    assert_eq!(Language::new(language.as_str()), Some(language.clone()));
    assert_eq!(language.iso639_2().len(), 3);
}
