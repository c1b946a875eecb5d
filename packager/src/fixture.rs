//! Tracks and samples for unit tests.

use bytes::Bytes;
use media::codec::{Aac, Avc};
use media::{Codec, Sample, Sync, Timescale, Track};

/// 1280x720 High@3.1 as x264 describes it.
pub(crate) const AVC_RECORD: &[u8] = &[
    0x01, 0x64, 0x00, 0x1f, 0xff, 0xe1, 0x00, 0x1a, 0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50, 0x05,
    0xbb, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x83, 0x19, 0x60,
    0x01, 0x00, 0x04, 0x68, 0xef, 0x8f, 0xcb, 0xfd, 0xf8, 0xf8, 0x00,
];

/// A video track with millisecond timestamps.
pub(crate) fn video_track() -> Track {
    let avc = Avc::parse(Bytes::from_static(AVC_RECORD)).expect("valid");
    Track { codec: Codec::Avc(avc), timescale: Timescale::MILLIS }
}

/// A 48 kHz stereo track with millisecond timestamps.
pub(crate) fn audio_track() -> Track {
    let aac = Aac::parse(Bytes::from_static(&[0x11, 0x90])).expect("valid");
    Track { codec: Codec::Aac(aac), timescale: Timescale::MILLIS }
}

/// A sample of `len` bytes whose content says what it is.
pub(crate) fn sample(dts: i64, composition_offset: i32, sync: Sync, len: usize) -> Sample {
    let data: Vec<u8> = (0..len).map(|i| (dts as u8) ^ (i as u8)).collect();
    Sample { dts, composition_offset, duration: 0, sync, data: data.into() }
}
