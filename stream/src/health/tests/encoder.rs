//! A publisher made up for a test.

use std::time::{Duration, Instant};

use bytes::Bytes;
use media::codec::{Aac, Avc};
use media::{Codec, Kind, Sample, Sync, Timescale, Track, TrackId};

use crate::health::{Health, Plan, Probe, Severity, Verdict};

const AVC_RECORD: &[u8] = include_bytes!("../../../../packager/tests/common/avcc-720p.bin");

/// Seconds of media to seconds of something else, per kind of track.
type Map<T> = Box<dyn Fn(Kind, f64) -> T>;

/// An encoder that sends what it is told, in timestamps of milliseconds as RTMP has them.
pub(super) struct Encoder {
    pub(super) video: Option<Avc>,
    pub(super) audio: Option<Aac>,
    /// Pictures per second.
    pub(super) rate: f64,
    /// What the nth picture is.
    pub(super) sync: Box<dyn Fn(u64) -> Sync>,
    /// How many pictures later than decoded the nth is shown.
    pub(super) shown: Box<dyn Fn(u64) -> u32>,
    /// Bytes of a picture.
    pub(super) bytes: usize,
    /// The timestamp that media of a time gets.
    pub(super) stamp: Map<f64>,
    /// When media of a time arrives, if it does.
    pub(super) arrival: Map<Option<f64>>,
    /// At most so many seconds arrive in one.
    pub(super) fastest: f64,
}

/// 1280x720 at 30 frames per second with a keyframe every two seconds, and AAC-LC at 48 kHz: nothing to complain of.
impl Default for Encoder {
    fn default() -> Self {
        Encoder {
            video: Some(avc()),
            audio: Some(aac(48_000)),
            rate: 30.0,
            sync: every(60),
            shown: Box::new(|_| 0),
            bytes: 10_000,
            stamp: Box::new(|_, at| at),
            arrival: Box::new(|_, at| Some(at)),
            fastest: 2.0,
        }
    }
}

impl Encoder {
    /// What is known after so many seconds.
    pub(super) fn health(&self, seconds: f64, plan: &Plan) -> Health {
        let mut last = None;
        self.watch(&[seconds], plan, |health| last = Some(health));
        last.expect("it was looked at")
    }

    /// Codes and severities after so many seconds.
    pub(super) fn findings(&self, seconds: f64, plan: &Plan) -> Vec<(&'static str, Severity)> {
        let health = self.health(seconds, plan);
        health.findings.iter().map(|finding| (finding.code, finding.severity)).collect()
    }

    /// Shows what is known at these seconds.
    pub(super) fn watch(&self, seconds: &[f64], plan: &Plan, mut see: impl FnMut(Health)) {
        let start = Instant::now();
        let mut probe = Probe::new(start);
        self.tracks().for_each(|(id, track)| probe.track(id, &track, start));
        let until = seconds.iter().copied().fold(0.0, f64::max);
        let mut seconds = seconds.iter().copied().peekable();
        for (arrival, id, sample) in
            self.arrivals(until * self.fastest).into_iter().take_while(|it| it.0 <= until)
        {
            while let Some(at) = seconds.next_if(|&at| at < arrival) {
                see(probe.health(start + Duration::from_secs_f64(at), plan));
            }
            probe.sample(id, &sample, start + Duration::from_secs_f64(arrival));
        }
        seconds.for_each(|at| see(probe.health(start + Duration::from_secs_f64(at), plan)));
    }

    fn tracks(&self) -> impl Iterator<Item = (TrackId, Track)> {
        let track = |codec| Track::new(codec, Timescale::MILLIS);
        let video = self.video.clone().map(|avc| (TrackId::VIDEO, track(Codec::Avc(avc))));
        let audio = self.audio.clone().map(|aac| (TrackId::AUDIO, track(Codec::Aac(aac))));
        video.into_iter().chain(audio)
    }

    /// Samples in the order of their arrival.
    fn arrivals(&self, until: f64) -> Vec<(f64, TrackId, Sample)> {
        let mut all = Vec::new();
        if self.video.is_some() {
            (0..).map_while(|n| self.picture(n, until)).for_each(|(at, sample)| {
                all.extend((self.arrival)(Kind::Video, at).map(|at| (at, TrackId::VIDEO, sample)));
            });
        }
        if let Some(aac) = &self.audio {
            (0..).map_while(|n| self.frame(aac, n, until)).for_each(|(at, sample)| {
                all.extend((self.arrival)(Kind::Audio, at).map(|at| (at, TrackId::AUDIO, sample)));
            });
        }
        all.sort_by(|left, right| left.0.total_cmp(&right.0));
        all
    }

    fn picture(&self, n: u64, until: f64) -> Option<(f64, Sample)> {
        let at = n as f64 / self.rate;
        let shown = at + f64::from((self.shown)(n)) / self.rate;
        let dts = self.millis(Kind::Video, at);
        let offset = (self.millis(Kind::Video, shown) - dts) as i32;
        (at <= until).then(|| (at, sample(dts, offset, (self.sync)(n), self.bytes)))
    }

    fn frame(&self, aac: &Aac, n: u64, until: f64) -> Option<(f64, Sample)> {
        let at = n as f64 * f64::from(aac.frame_length) / f64::from(aac.sample_rate);
        (at <= until).then(|| (at, sample(self.millis(Kind::Audio, at), 0, Sync::Yes, 300)))
    }

    fn millis(&self, kind: Kind, at: f64) -> i64 {
        ((self.stamp)(kind, at) * 1000.0).round() as i64
    }
}

/// A keyframe each so many pictures.
pub(super) fn every(pictures: u64) -> Box<dyn Fn(u64) -> Sync> {
    at(move |n| n % pictures == 0)
}

/// Keyframes where this says so.
pub(super) fn at(keyframe: impl Fn(u64) -> bool + 'static) -> Box<dyn Fn(u64) -> Sync> {
    Box::new(move |n| if keyframe(n) { Sync::Yes } else { Sync::No })
}

/// How late pictures are shown by an encoder that puts two B-frames between others.
pub(super) fn two_b_frames(n: u64) -> u32 {
    match n {
        0 => 1,
        _ if n % 3 == 1 => 3,
        _ => 0,
    }
}

/// High@3.1, 1280x720.
pub(super) fn avc() -> Avc {
    Avc::parse(Bytes::from_static(AVC_RECORD)).expect("valid")
}

/// AAC-LC, stereo.
pub(super) fn aac(sample_rate: u32) -> Aac {
    let config = Bytes::from_static(&[0x11, 0x90]);
    Aac { config, object_type: 2, sample_rate, channels: 2, frame_length: 1024 }
}

pub(super) fn sample(dts: i64, composition_offset: i32, sync: Sync, bytes: usize) -> Sample {
    Sample { dts, composition_offset, duration: 0, sync, data: vec![0; bytes].into() }
}

/// Expects exactly these findings after so many seconds, and the verdict that follows from them.
pub(super) fn check(encoder: Encoder, seconds: f64, expected: &[(&str, Severity)]) {
    check_plan(encoder, seconds, &Plan::default(), expected);
}

/// The same against a plan.
pub(super) fn check_plan(encoder: Encoder, seconds: f64, plan: &Plan, expected: &[(&str, Severity)]) {
    let health = encoder.health(seconds, plan);
    let found: Vec<_> = health.findings.iter().map(|finding| (finding.code, finding.severity)).collect();
    assert_eq!(found, expected, "{:#?}", health.findings);
    let bad = expected.iter().any(|(_, severity)| *severity == Severity::Problem);
    assert_eq!(health.verdict, if bad { Verdict::NotReady } else { Verdict::Ready });
}
