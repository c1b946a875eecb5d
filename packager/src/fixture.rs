//! Tracks for unit tests.

use bytes::Bytes;
use media::codec::Avc;
use media::{Codec, Timescale, Track};

/// 1280x720 High@3.1 as x264 describes it.
const AVC_RECORD: &[u8] = include_bytes!("../tests/common/avcc-720p.bin");

/// A video track with millisecond timestamps.
pub(crate) fn video_track() -> Track {
    let avc = Avc::parse(Bytes::from_static(AVC_RECORD)).expect("valid");
    Track::new(Codec::Avc(avc), Timescale::MILLIS)
}
