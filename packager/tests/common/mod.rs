//! A publisher in memory, and what must hold for whatever the packager made of it.
#![allow(dead_code)]

pub mod smooth;
pub mod transport;
pub mod witness;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use media::codec::{Aac, Avc};
use media::{Codec, Kind, Sample, Sync, Timescale, Track, TrackId, WallTime};
use mp4_atom::{Any, DecodeMaybe, Moof};
use packager::{Now, Numbers, Packager, Presentation, Record, Rendition, Segment, Settings};

/// 2026-11-22T01:03:52Z.
pub const START: WallTime = WallTime::from_millis(1_795_309_432_000);
/// Number of the first segment and period of an entry of which nothing is known.
pub const FIRST: u64 = 1_795_309_432;

const AVC_RECORD: &[u8] = include_bytes!("avcc-720p.bin");

/// H.264 1280x720 with millisecond timestamps.
pub fn video_track() -> Track {
    let avc = Avc::parse(Bytes::from_static(AVC_RECORD)).expect("valid");
    Track::new(Codec::Avc(avc), Timescale::MILLIS)
}

/// AAC 48 kHz stereo with millisecond timestamps.
pub fn audio_track() -> Track {
    let aac = Aac::parse(Bytes::from_static(&[0x11, 0x90])).expect("valid");
    Track::new(Codec::Aac(aac), Timescale::MILLIS)
}

/// A packager with a clock that follows what is pushed.
pub struct Publisher {
    pub packager: Packager,
    pub log: Vec<Record>,
    base: Instant,
    pub elapsed: Duration,
    counter: u32,
}

impl Publisher {
    pub fn new(settings: Settings) -> Publisher {
        Publisher::resuming(settings, Numbers::unknown(START), false)
    }

    pub fn resuming(settings: Settings, numbers: Numbers, resume: bool) -> Publisher {
        let packager = Packager::new(Arc::new(settings), numbers, resume);
        Publisher { packager, log: Vec::new(), base: Instant::now(), elapsed: Duration::ZERO, counter: 0 }
    }

    /// Announces and describes H.264 and AAC.
    pub fn both(mut self) -> Publisher {
        self.packager.announce(true, true);
        self.packager.track(TrackId::VIDEO, video_track());
        self.packager.track(TrackId::AUDIO, audio_track());
        self
    }

    pub fn now(&self) -> Now {
        let wall = WallTime::from_micros(START.micros() + self.elapsed.as_micros() as i64);
        Now { instant: self.base + self.elapsed, wall }
    }

    /// A sample that arrives now.
    pub fn push(&mut self, id: TrackId, dts: i64, composition_offset: i32, sync: Sync) {
        self.counter += 1;
        let len = 20 + (self.counter * 7919 % 300) as usize;
        let data: Vec<u8> = self.counter.to_be_bytes().into_iter().cycle().take(len).collect();
        let sample = Sample { dts, composition_offset, duration: 0, sync, data: data.into() };
        self.packager.push(id, sample, self.now());
        self.log.extend(self.packager.take_log());
    }

    pub fn tick(&mut self, elapsed: Duration) {
        self.elapsed = elapsed;
        self.packager.tick(self.now());
        self.log.extend(self.packager.take_log());
    }

    /// `frames` pictures at `fps` from `from` ms on, a keyframe each `gop`, with audio beside it, as they would
    /// arrive live. `from` is also when that is, after the start.
    pub fn live(&mut self, from: i64, frames: i64, fps: i64, gop: i64, audio: bool) {
        self.live_shifted(from, 0, frames, fps, gop, audio);
    }

    /// The same with timestamps `shift` ms off.
    pub fn live_shifted(&mut self, from: i64, shift: i64, frames: i64, fps: i64, gop: i64, audio: bool) {
        let mut audio_frames = 0;
        for frame in 0..frames {
            let at = (frame * 1000 + fps / 2) / fps;
            self.elapsed = Duration::from_millis((from + at) as u64);
            while audio && audio_frames * 64 / 3 <= at {
                self.push(TrackId::AUDIO, from + shift + audio_frames * 64 / 3, 0, Sync::Yes);
                audio_frames += 1;
            }
            let sync = if frame % gop == 0 { Sync::Yes } else { Sync::No };
            self.push(TrackId::VIDEO, from + shift + at, 0, sync);
        }
    }

    pub fn interrupt(&mut self) {
        self.packager.interrupt(self.now().wall);
        self.log.extend(self.packager.take_log());
    }

    pub fn end(&mut self) {
        self.packager.end(self.now().wall);
        self.log.extend(self.packager.take_log());
    }

    pub fn presentation(&self) -> &Presentation {
        self.packager.presentation().expect("something was made")
    }

    pub fn rendition(&self, name: &str) -> &Arc<Rendition> {
        self.presentation().rendition(name).expect("rendition")
    }

    pub fn segments(&self, name: &str) -> Vec<Arc<Segment>> {
        self.rendition(name).segments.values().cloned().collect()
    }

    /// Durations of the finished segments of a rendition in milliseconds.
    pub fn durations(&self, name: &str) -> Vec<i64> {
        self.segments(name).iter().map(|segment| (segment.span().micros() + 500) / 1000).collect()
    }
}

/// Holds a text against its golden file; with `UPDATE_GOLDEN` set it is written anew.
pub fn golden(name: &str, actual: &str) {
    // Tests run in the folder of their package, which is not always where they were compiled.
    let path = Path::new("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, actual).expect("writable");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(expected == actual, "{name} differs; with UPDATE_GOLDEN=1 it is:\n{actual}");
}

/// The `moof` of a part, read by an independent parser, and the length of what stands before `moof`.
pub fn moof(header: &Bytes) -> Moof {
    let mut rest = &header[..];
    loop {
        match Any::decode_maybe(&mut rest).expect("valid boxes") {
            Some(Any::Moof(moof)) => return moof,
            Some(_) => {}
            None => panic!("no moof before the payload"),
        }
    }
}

/// What must hold for every presentation.
pub fn check(presentation: &Presentation) {
    check_each(presentation);
    check_boundaries(presentation);
}

/// What must hold for every rendition by itself.
pub fn check_each(presentation: &Presentation) {
    for rendition in &presentation.renditions {
        let segments: Vec<_> = rendition.segments.values().collect();
        for pair in segments.windows(2) {
            assert_eq!(pair[1].number, pair[0].number + 1, "{} has no holes", rendition.name);
            assert!(pair[1].period.number >= pair[0].period.number);
            let same = pair[0].period.number == pair[1].period.number;
            if same && !pair[0].is_gap() && !pair[1].is_gap() {
                let end = pair[0].start + pair[0].duration;
                let media: i64 = pair[0].parts().iter().map(|part| part.duration).sum();
                // One that broke off lasts until the boundary, and what comes back begins at its first frame after that.
                let broke_off = media < pair[0].duration;
                let follows = end == pair[1].start || (broke_off && end < pair[1].start);
                let (name, number, next) = (&rendition.name, pair[1].number, pair[1].start);
                assert!(follows, "{name}: {number} begins at {next} after {end}, {broke_off}");
            }
            assert!(pair[1].wall_time() >= pair[0].wall_time(), "wall time never goes back");
        }
        for segment in segments {
            check_segment(rendition, segment);
        }
    }
}

fn check_segment(rendition: &Rendition, segment: &Segment) {
    let mut at = segment.start;
    for (index, part) in segment.parts().iter().enumerate() {
        assert_eq!((part.index as usize, part.start), (index, at), "parts follow each other");
        let moof = moof(&part.header);
        let traf = &moof.traf[0];
        assert_eq!(traf.tfdt.as_ref().map(|tfdt| tfdt.base_media_decode_time as i64), Some(at));
        let (mut duration, mut size) = (0, 0);
        let default = traf.tfhd.default_sample_duration;
        for entry in traf.trun[0].samples.iter() {
            let length = i64::from(entry.duration.or(default).expect("a duration"));
            let presented = at + duration + entry.cts.unwrap_or(0);
            assert!(length > 0 && presented >= segment.start, "no sample presents before its segment");
            duration += length;
            size += entry.size.expect("a size") as usize;
        }
        assert_eq!(duration, part.duration, "the sum of durations is the next decode time");
        assert_eq!(size, part.payload.iter().map(Bytes::len).sum::<usize>());
        assert_eq!(part.len as usize, size + part.header.len());
        at += part.duration;
    }
    if !segment.is_gap() {
        assert!(segment.duration >= at - segment.start, "{}", rendition.name);
    }
    let pieces: Vec<u8> = segment.pieces().flatten().copied().collect();
    let parts: Vec<u8> = segment.parts().iter().flat_map(|p| p.pieces()).flatten().copied().collect();
    assert_eq!(pieces, parts, "parts make the segment byte for byte");
}

/// Segment N covers the same time in every rendition, but for the length of an audio frame.
fn check_boundaries(presentation: &Presentation) {
    let Some(video) = presentation.renditions.iter().find(|r| r.kind == Kind::Video) else {
        return;
    };
    for rendition in presentation.renditions.iter().filter(|r| r.kind == Kind::Audio) {
        for segment in rendition.segments.values().filter(|segment| !segment.is_gap()) {
            let Some(beside) = video.segments.get(&segment.number).filter(|beside| !beside.is_gap()) else {
                continue;
            };
            let first = segment.start_time().micros() == 0 || beside.start_time().micros() == 0;
            let off = segment.start_time().micros() - beside.start_time().micros();
            assert!(first || (0..=1_000_000).contains(&off), "audio begins {off} µs after the boundary");
        }
    }
}
