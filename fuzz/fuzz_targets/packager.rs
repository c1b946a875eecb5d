//! Samples with any times in any order: what is shown keeps its rules and its bounds.
#![no_main]

use std::sync::Arc;
use std::time::{Duration, Instant};

use arbitrary::Arbitrary;
use bytes::Bytes;
use fuzz::{peer, shown};
use libfuzzer_sys::fuzz_target;
use media::codec::{Aac, Avc};
use media::{Codec, Sample, Sync, Timescale, Track, TrackId, WallTime};
use packager::{Now, Numbers, Packager, Presentation};

#[derive(Arbitrary, Debug)]
enum Step {
    Announce(bool, bool),
    VideoTrack(bool),
    AudioTrack {
        hz48: bool,
    },
    /// The next sample of a track, `step` ms after its last one.
    Video {
        step: i16,
        offset: i16,
        sync: u8,
        count: u8,
    },
    Audio {
        step: i8,
        count: u8,
    },
    /// A track's clock goes elsewhere.
    JumpVideo(i32),
    JumpAudio(i32),
    Wait(u16),
    /// The wall clock steps.
    Wall(i32),
    Interrupt,
    Begin,
    End,
}

struct Publisher {
    packager: Packager,
    base: Instant,
    elapsed: Duration,
    wall: i64,
    video: i64,
    audio: i64,
    /// The first listed segment and the newest, of each rendition in order.
    seen: Vec<(u64, u64)>,
}

fuzz_target!(|input: (bool, Vec<Step>)| {
    let (resume, steps) = input;
    let mut publisher = Publisher::new(resume);
    for step in steps.into_iter().take(500) {
        let over = matches!(step, Step::End);
        publisher.step(step);
        if over {
            break;
        }
    }
    if let Some(presentation) = publisher.packager.presentation() {
        shown::check(presentation);
    }
});

fn video_track(wide: bool) -> Track {
    let mut avc = Avc::parse(Bytes::from_static(peer::AVC_RECORD)).expect("valid");
    avc.width += u16::from(wide);
    Track::new(Codec::Avc(avc), Timescale::MILLIS)
}

fn audio_track(hz48: bool) -> Track {
    let config: &[u8] = if hz48 { &[0x11, 0x90] } else { &[0x12, 0x10] };
    Track::new(Codec::Aac(Aac::parse(Bytes::from_static(config)).expect("valid")), Timescale::MILLIS)
}

impl Publisher {
    fn new(resume: bool) -> Publisher {
        let wall = 1_795_309_432_000_000;
        let numbers = Numbers::unknown(WallTime::from_micros(wall));
        let mut packager = Packager::new(Arc::new(shown::settings()), numbers, resume);
        packager.track(TrackId::VIDEO, video_track(false));
        packager.track(TrackId::AUDIO, audio_track(true));
        let (base, elapsed) = (Instant::now(), Duration::ZERO);
        Publisher { packager, base, elapsed, wall, video: 0, audio: 0, seen: Vec::new() }
    }

    fn now(&self) -> Now {
        let wall = WallTime::from_micros(self.wall.saturating_add(self.elapsed.as_micros() as i64));
        Now { instant: self.base + self.elapsed, wall }
    }

    fn step(&mut self, step: Step) {
        let now = self.now();
        match step {
            Step::Announce(video, audio) => self.packager.announce(video, audio),
            Step::VideoTrack(wide) => self.packager.track(TrackId::VIDEO, video_track(wide)),
            Step::AudioTrack { hz48 } => self.packager.track(TrackId::AUDIO, audio_track(hz48)),
            Step::Video { step, offset, sync, count } => {
                for index in 0..u8::max(count, 1) {
                    let sync = if index == 0 {
                        [Sync::Yes, Sync::Recovery, Sync::No][usize::from(sync % 3)]
                    } else {
                        Sync::No
                    };
                    self.video += i64::from(step);
                    self.sample(TrackId::VIDEO, self.video, offset.into(), sync, step.into());
                }
            }
            Step::Audio { step, count } => {
                for _ in 0..u8::max(count, 1) {
                    self.audio += i64::from(step);
                    self.sample(TrackId::AUDIO, self.audio, 0, Sync::Yes, step.into());
                }
            }
            Step::JumpVideo(to) => self.video = to.into(),
            Step::JumpAudio(to) => self.audio = to.into(),
            Step::Wait(code) => {
                self.elapsed += shown::millis(code);
                self.packager.tick(self.now());
            }
            Step::Wall(seconds) => self.wall = self.wall.saturating_add(i64::from(seconds) * 1_000_000),
            Step::Interrupt => self.packager.interrupt(now.wall),
            Step::Begin => self.packager.begin(),
            Step::End => self.packager.end(now.wall),
        }
        self.check();
    }

    fn sample(&mut self, id: TrackId, dts: i64, composition_offset: i32, sync: Sync, step: i64) {
        self.elapsed += Duration::from_millis(step.unsigned_abs() / 4);
        let sample = Sample { dts, composition_offset, duration: 0, sync, data: vec![1, 2, 3].into() };
        self.packager.push(id, sample, self.now());
    }

    /// After each step: cheap, and what players would notice first.
    fn check(&mut self) {
        self.packager.take_log();
        self.packager.take_notices();
        let numbers = self.packager.numbers().clone();
        let Some(presentation) = self.packager.presentation() else { return };
        let now = listed(presentation);
        for (before, after) in self.seen.iter().zip(&now) {
            assert!(before.0 <= after.0 && before.1 <= after.1, "numbers went back: {before:?} {after:?}");
        }
        let newest = now.iter().map(|(_, newest)| *newest).max().unwrap_or(0);
        assert!(newest <= numbers.segment, "{newest} is shown and {} stored", numbers.segment);
        self.seen = now;
    }
}

fn listed(presentation: &Presentation) -> Vec<(u64, u64)> {
    let ends = presentation.renditions.iter().map(|rendition| {
        let first = rendition.window().next().map_or(0, |segment| segment.number);
        let open = rendition.open.as_ref().map_or(0, |open| open.number);
        (first, rendition.last().map_or(0, |last| last.number).max(open))
    });
    ends.collect()
}
