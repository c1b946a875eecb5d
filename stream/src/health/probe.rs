//! Where everything that a publisher sends is noted.

use std::time::{Duration, Instant};

use media::{Sample, Track, TrackId};

use super::facts::Facts;
use super::findings::{self, Whole};
use super::meter::Meter;
use super::recent::Recent;
use super::{Health, Plan};

/// Tracks of one publisher that are measured; what goes beyond is left out.
pub const MAX_TRACKS: usize = 8;
/// Nothing for so long is a stall.
pub(super) const STALL: Duration = Duration::from_secs(2);

/// Measures one publisher, from when it begins to when it goes. It holds about three kilobytes a track.
#[derive(Debug)]
pub struct Probe {
    began: Instant,
    heard: Option<Instant>,
    /// Since when media arrives without a stall.
    flows: Option<Instant>,
    meters: Vec<Meter>,
    stalls: Recent,
}

impl Probe {
    /// A publisher begins.
    pub fn new(now: Instant) -> Probe {
        Probe { began: now, heard: None, flows: None, meters: Vec::new(), stalls: Recent::default() }
    }

    /// A track is described, for the first time or again.
    pub fn track(&mut self, id: TrackId, track: &Track, now: Instant) {
        let facts = Facts::of(track);
        if let Some(meter) = self.meter(id) {
            meter.describe(facts, now);
        } else if self.meters.len() < MAX_TRACKS {
            self.meters.push(Meter::new(id, facts, now));
        }
    }

    /// A sample arrived. One of a track that was never described is left out.
    pub fn sample(&mut self, id: TrackId, sample: &Sample, now: Instant) {
        let arrival = i64::try_from(self.uptime(now).as_micros()).unwrap_or(i64::MAX);
        let Some(meter) = self.meter(id) else {
            return;
        };
        meter.sample(sample, arrival, now);
        if self.heard.is_some_and(|heard| now.saturating_duration_since(heard) >= STALL) {
            self.stalls.note(now);
            self.flows = None;
        }
        self.flows.get_or_insert(now);
        self.heard = Some(now);
    }

    /// What was seen so far, measured against `plan`.
    pub fn health(&self, now: Instant, plan: &Plan) -> Health {
        let whole = Whole {
            meters: &self.meters,
            plan,
            now,
            uptime: self.uptime(now),
            quiet: self.heard.map(|heard| now.saturating_duration_since(heard)),
            flows: self.flows.map(|since| now.saturating_duration_since(since)),
            stalls: &self.stalls,
            bitrate: self.bitrate(now),
        };
        let findings = findings::all(&whole);
        Health {
            tracks: self.meters.iter().map(|meter| meter.health(now)).collect(),
            bitrate: whole.bitrate,
            uptime: whole.uptime,
            drift: whole.reference().and_then(|meter| meter.clock.drift()).map(|micros| micros / 1000),
            jumps: self.meters.iter().map(|meter| meter.jumps.count()).max().unwrap_or(0),
            verdict: findings::verdict(&whole, &findings),
            findings,
        }
    }

    fn meter(&mut self, id: TrackId) -> Option<&mut Meter> {
        self.meters.iter_mut().find(|meter| meter.id == id)
    }

    fn uptime(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.began)
    }

    fn bitrate(&self, now: Instant) -> u64 {
        self.meters.iter().fold(0, |sum, meter| sum.saturating_add(meter.rate.bits_per_second(now)))
    }
}
