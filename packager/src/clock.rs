//! A common clock: from the timestamps of one push to those of the push that was there first.
//!
//! Pushes of one encoder share a clock, and then nothing is moved: boundaries stay equal to the tick. Stamps of another
//! clock are moved by what their arrival says, and then to the nearest keyframe of the others where that is near, so
//! that groups of pictures of equal length coincide.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use media::{Kind, MediaTime, Sync, Timescale};

use crate::gather::Held;

/// Stamps that agree with arrival this well are on the clock on which they would.
const SAME_CLOCK_MICROS: i64 = 1_000_000;
/// A keyframe of the others this near is taken for the same one.
const SNAP_MICROS: i64 = 500_000;
/// Samples whose arrival says where a clock stands.
const MEASURED: usize = 16;
/// The wait for them.
const MEASURING: Duration = Duration::from_millis(400);
/// The longest wait for a keyframe to go by.
const PATIENCE: Duration = Duration::from_millis(1500);
/// Keyframes that are remembered.
const KEYS: usize = 8;

/// What the others' timestamps say.
#[derive(Clone, Debug)]
pub struct House {
    /// Microseconds from the arrival of a stamp, on the packager's own count, to the stamp.
    pub lead: i64,
    /// The latest keyframes, when they are presented.
    pub keys: Vec<i64>,
    /// By how much the stamps of each push are moved.
    pub offsets: Vec<i64>,
}

/// The clock of one push. All times are microseconds.
#[derive(Debug, Default)]
pub struct Clock {
    /// By how much its stamps are moved, once that is known.
    offset: Option<i64>,
    /// By how much they were before they stepped.
    before: Option<i64>,
    /// The latest distances from arrival to stamp, the stamps as they were sent.
    leads: VecDeque<i64>,
    /// Its latest keyframes as they were sent.
    keys: VecDeque<i64>,
    waiting: VecDeque<Held>,
    bytes: u64,
    since: Option<Instant>,
}

impl Clock {
    /// Whether its stamps have a place among those of the others.
    pub fn is_set(&self) -> bool {
        self.offset.is_some() && !self.leads.is_empty()
    }

    /// By how much its stamps are moved.
    pub fn offset(&self) -> Option<i64> {
        self.offset
    }

    /// Where its stamps, moved, stand against arrival.
    pub fn lead(&self) -> Option<i64> {
        Some(median(&self.leads)?.saturating_add(self.offset?))
    }

    /// Its latest keyframes, moved.
    pub fn keys(&self) -> Vec<i64> {
        let offset = self.offset.unwrap_or(0);
        self.keys.iter().map(|key| key.saturating_add(offset)).collect()
    }

    /// Moves a sample that arrived `arrival` after the packager's first one to its place; gives it back where that is not
    /// known yet.
    pub fn pass(&mut self, held: Held, arrival: i64) -> Result<Held, Held> {
        self.note(&held, arrival);
        match self.offset {
            Some(offset) => Ok(moved(held, offset)),
            None => Err(held),
        }
    }

    /// Keeps a sample until its place is known, and gives all that waited when it is.
    pub fn settle(&mut self, held: Held, arrival: i64, house: Option<&House>, limit: u64) -> Vec<Held> {
        let (now, since) = (held.now, *self.since.get_or_insert(held.now));
        self.wait(held, limit);
        let waited = now.saturating_duration_since(since);
        let Some(offset) = self.measure(arrival, house, waited) else { return Vec::new() };
        self.offset = Some(offset);
        self.since = None;
        self.bytes = 0;
        self.waiting.drain(..).map(|held| moved(held, offset)).collect()
    }

    /// Its stamps stepped: where they are now has to be found out anew. `held` is the first of the new ones, moved as
    /// the old ones were.
    pub fn restart(&mut self, held: Held, arrival: i64) {
        let Some(offset) = self.offset.take() else { return };
        self.before = Some(offset);
        self.leads.clear();
        self.keys.clear();
        let held = moved(held, offset.saturating_neg());
        self.note(&held, arrival);
        self.since = Some(held.now);
        self.wait(held, u64::MAX);
    }

    fn note(&mut self, held: &Held, arrival: i64) {
        let stamp = MediaTime::new(held.sample.dts, held.presented.scale).micros();
        keep(&mut self.leads, stamp.saturating_sub(arrival), MEASURED);
        if held.id.kind == Kind::Video && held.sample.sync != Sync::No {
            keep(&mut self.keys, held.presented.micros(), KEYS);
        }
    }

    fn wait(&mut self, held: Held, limit: u64) {
        self.bytes += held.sample.data.len() as u64;
        self.waiting.push_back(held);
        while self.bytes > limit
            && let Some(oldest) = self.waiting.pop_front()
        {
            self.bytes -= oldest.sample.data.len() as u64;
        }
    }

    fn measure(&self, arrival: i64, house: Option<&House>, waited: Duration) -> Option<i64> {
        let Some(house) = house else { return Some(self.before.unwrap_or(0)) };
        if self.leads.len() < MEASURED && waited < MEASURING {
            return None;
        }
        let measured = house.lead.saturating_sub(median(&self.leads)?);
        let off = |offset: &i64| offset.abs_diff(measured);
        let known = self.before.iter().chain([&0]).chain(&house.offsets);
        let near = known.copied().filter(|offset| off(offset) <= SAME_CLOCK_MICROS as u64);
        if let Some(offset) = near.min_by_key(off) {
            return Some(offset);
        }
        self.snapped(measured, arrival, house, waited)
    }

    /// Moves the first keyframe onto one of the others', where one is near; waits until that has gone by.
    fn snapped(&self, measured: i64, arrival: i64, house: &House, waited: Duration) -> Option<i64> {
        let measured = measured.div_euclid(1000) * 1000;
        let patient = waited < PATIENCE;
        let Some(key) = self.keys.front() else { return (!patient).then_some(measured) };
        let place = key.saturating_add(measured);
        let gone_by = house.lead.saturating_add(arrival) >= place.saturating_add(SNAP_MICROS);
        if patient && !gone_by {
            return None;
        }
        let nearest = house.keys.iter().min_by_key(|other| other.abs_diff(place));
        let near = nearest.filter(|other| other.abs_diff(place) < SNAP_MICROS as u64);
        Some(near.map_or(measured, |other| other.saturating_sub(*key)))
    }
}

fn keep(ring: &mut VecDeque<i64>, value: i64, most: usize) {
    if ring.len() == most {
        ring.pop_front();
    }
    ring.push_back(value);
}

fn median(values: &VecDeque<i64>) -> Option<i64> {
    let mut sorted: Vec<i64> = values.iter().copied().collect();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied()
}

fn moved(mut held: Held, offset: i64) -> Held {
    if offset != 0 {
        let ticks = Timescale::MICROS.rescale(offset, held.presented.scale);
        held.sample.dts = held.sample.dts.saturating_add(ticks);
        held.presented.ticks = held.presented.ticks.saturating_add(ticks);
    }
    held
}
