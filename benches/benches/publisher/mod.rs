//! What the packager is fed with.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use media::codec::{Aac, Avc};
use media::{Codec, Sample, Slice, Sync, Timescale, Track, TrackId, WallTime};
use packager::{Now, Numbers, Packager, Settings};

/// Payload bytes of a picture and of an audio frame, about as in a stream of 5 Mbit/s.
pub const PICTURE: usize = 20_000;
/// See [`PICTURE`].
pub const FRAME: usize = 300;

/// A publisher in one's own memory: 720p30 and AAC, a keyframe every two seconds, in the time of its samples.
pub struct Publisher {
    /// What it feeds.
    pub packager: Packager,
    begin: Instant,
    picture: Slice,
    frame: Slice,
    /// Pictures and audio frames so far.
    pushed: (i64, i64),
}

impl Publisher {
    /// Nothing is pushed yet.
    pub fn new(settings: Settings) -> Publisher {
        let numbers = Numbers::unknown(WallTime::from_millis(START));
        let mut packager = Packager::new(Arc::new(settings), numbers, false);
        let avc = Avc::parse(Bytes::from_static(AVC_RECORD)).expect("a valid record");
        let aac = Aac::parse(Bytes::from_static(&[0x11, 0x90])).expect("a valid configuration");
        packager.announce(true, true);
        packager.track(TrackId::VIDEO, Track::new(Codec::Avc(avc), Timescale::MILLIS));
        packager.track(TrackId::AUDIO, Track::new(Codec::Aac(aac), Timescale::MILLIS));
        let (picture, frame) = (vec![1; PICTURE].into(), vec![2; FRAME].into());
        Publisher { packager, begin: Instant::now(), picture, frame, pushed: (0, 0) }
    }

    /// Pushes a group of pictures and its audio, and says how many samples that was.
    pub fn gop(&mut self) -> u64 {
        let before = self.pushed;
        for index in 0..60 {
            let millis = self.pushed.0 * 100 / 3;
            while self.pushed.1 * 64 / 3 <= millis {
                self.push(TrackId::AUDIO, self.pushed.1 * 64 / 3, Sync::Yes, self.frame.clone());
                self.pushed.1 += 1;
            }
            let sync = if index == 0 { Sync::Yes } else { Sync::No };
            self.push(TrackId::VIDEO, millis, sync, self.picture.clone());
            self.pushed.0 += 1;
        }
        (self.pushed.0 - before.0 + self.pushed.1 - before.1) as u64
    }

    fn push(&mut self, id: TrackId, millis: i64, sync: Sync, data: Slice) {
        let elapsed = Duration::from_millis(millis as u64);
        let now = Now { instant: self.begin + elapsed, wall: WallTime::from_millis(START + millis) };
        let sample = Sample { dts: millis, composition_offset: 0, duration: 0, sync, data };
        self.packager.push(id, sample, now);
        black_box(self.packager.take_log());
    }
}

const START: i64 = 1_795_309_432_000;
/// H.264 High@3.1, 1280x720.
const AVC_RECORD: &[u8] = &[
    0x01, 0x64, 0x00, 0x1f, 0xff, 0xe1, 0x00, 0x1a, 0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50, 0x05,
    0xbb, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x83, 0x19, 0x60,
    0x01, 0x00, 0x04, 0x68, 0xef, 0x8f, 0xcb, 0xfd, 0xf8, 0xf8, 0x00,
];
