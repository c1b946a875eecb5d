//! One track, measured.

use std::time::{Duration, Instant};

use media::{Sample, Timescale, TrackId};

use super::TrackHealth;
use super::clock::Clock;
use super::facts::{Facts, Sound};
use super::frames::Frames;
use super::gop::Gop;
use super::order::Order;
use super::rate::Rate;
use super::recent::Recent;

/// A timestamp this much ahead, of the one before and of the clock, is a step. Microseconds.
const STEP: i64 = 1_000_000;
/// Timestamps that go back by less are jitter of an encoder that stamps by its clock. Microseconds.
const BACK: i64 = 40_000;
/// Sound that is missing for longer is a hole. Microseconds.
const HOLE: i64 = 40_000;

/// What is measured of a track. Its size does not depend on what the publisher sends.
#[derive(Debug)]
pub(super) struct Meter {
    pub(super) id: TrackId,
    pub(super) facts: Facts,
    described: Instant,
    /// When its first sample arrived.
    pub(super) begun: Option<Instant>,
    /// When its last sample arrived.
    pub(super) heard: Option<Instant>,
    pub(super) samples: u64,
    pub(super) bytes: u64,
    pub(super) rate: Rate,
    pub(super) clock: Clock,
    pub(super) gop: Gop,
    pub(super) frames: Frames,
    pub(super) order: Order,
    /// Steps of the timestamps.
    pub(super) jumps: Recent,
    /// Holes in the sound.
    pub(super) gaps: Recent,
    /// New descriptions.
    pub(super) changes: Recent,
    /// The last timestamp in microseconds.
    newest: Option<i64>,
}

impl Meter {
    pub(super) fn new(id: TrackId, facts: Facts, now: Instant) -> Meter {
        Meter {
            id,
            facts,
            described: now,
            begun: None,
            heard: None,
            samples: 0,
            bytes: 0,
            rate: Rate::new(now),
            clock: Clock::default(),
            gop: Gop::default(),
            frames: Frames::default(),
            order: Order::default(),
            jumps: Recent::default(),
            gaps: Recent::default(),
            changes: Recent::default(),
            newest: None,
        }
    }

    /// Described again. Distances before and after have nothing to do with each other.
    pub(super) fn describe(&mut self, facts: Facts, now: Instant) {
        if self.facts == facts {
            return;
        }
        self.changes.note(now);
        self.facts = facts;
        self.newest = None;
        self.gop.restart();
        self.frames.restart();
        self.order.step();
    }

    /// A sample that arrived `arrival` microseconds after the publisher began.
    pub(super) fn sample(&mut self, sample: &Sample, arrival: i64, now: Instant) {
        let bytes = sample.data.len() as u64;
        self.samples = self.samples.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
        self.rate.add(bytes, now);
        let micros = |ticks| self.facts.timescale.rescale(ticks, Timescale::MICROS);
        let at = micros(sample.dts);
        let shown = micros(sample.dts.saturating_add(sample.composition_offset.into()));
        self.follow(at, arrival, now);
        self.clock.note(at, arrival);
        if self.facts.picture().is_some() {
            self.gop.note(at, sample.sync);
            self.frames.note(shown);
            self.order.note(shown, now);
        }
        self.newest = Some(at);
        self.begun.get_or_insert(now);
        self.heard = Some(now);
    }

    /// Time without a sample.
    pub(super) fn silent(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.heard.unwrap_or(self.described))
    }

    pub(super) fn health(&self, now: Instant) -> TrackHealth {
        let pace = self.frames.pace();
        let (picture, sound) = (self.facts.picture(), self.facts.sound());
        TrackHealth {
            id: self.id,
            codec: self.facts.codec.clone(),
            width: picture.map(|picture| picture.width),
            height: picture.map(|picture| picture.height),
            sample_rate: sound.map(|sound| sound.sample_rate),
            channels: sound.map(|sound| sound.channels),
            frame_rate: pace.map(|pace| pace.rate),
            variable_frame_rate: pace.is_some_and(|pace| pace.varies),
            interlaced: picture.is_some_and(|picture| picture.interlaced),
            bitrate: self.rate.bits_per_second(now),
            keyframe_interval: self.gop.interval(),
            b_frames: self.order.b_frames(now),
            open_gop: self.gop.is_open(),
            samples: self.samples,
            bytes: self.bytes,
            jumps: self.jumps.count(),
            gaps: self.gaps.count(),
            silent: self.silent(now),
        }
    }

    /// What the distance to the sample before says.
    fn follow(&mut self, at: i64, arrival: i64, now: Instant) {
        let Some(newest) = self.newest else {
            return;
        };
        let distance = at.saturating_sub(newest);
        if distance < -BACK || distance > STEP && self.leads(at, arrival) {
            self.step(now);
            return;
        }
        let hole = |sound: &Sound| distance.saturating_sub(sound.frame) > HOLE;
        if self.facts.sound().is_some_and(hole) {
            self.gaps.note(now);
        }
    }

    /// Further ahead of the clock than anything lately. Where pictures were dropped because the network was too
    /// slow, the distance is long as well, but time has passed.
    fn leads(&self, at: i64, arrival: i64) -> bool {
        let lag = arrival.saturating_sub(at);
        self.clock.recent().is_some_and(|recent| recent.saturating_sub(lag) > STEP)
    }

    fn step(&mut self, now: Instant) {
        self.jumps.note(now);
        self.clock.restart();
        self.gop.step();
        self.frames.step();
        self.order.step();
    }
}
