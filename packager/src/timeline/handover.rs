//! Tracks that leave and come, and who is the reference then.

use std::sync::Arc;
use std::time::Duration;

use media::{MediaTime, Sync, Timescale, Track, TrackId};

use super::cut::TOLERANCE_MICROS;
use super::strand::{State, Strand};
use super::{Fixed, Timeline};
use crate::align::Aligner;
use crate::lane::Lane;
use crate::presentation::{Init, Record};

/// How much earlier than the period a keyframe may be that begins with it, through rounding.
const ROUNDING: Duration = Duration::from_millis(20);

impl Timeline {
    /// Declares tracks off that brought nothing while the reference went on.
    pub(super) fn bury(&mut self, fixed: &Fixed, log: &mut Vec<Record>) {
        let stall = self.stall_micros(fixed);
        for at in 0..self.tracks.len() {
            let track = &self.tracks[at];
            let silent = self.decided.micros() - track.reference_then.micros();
            if at != self.reference && !track.is_off() && silent > stall {
                self.switch_off(at, log);
            }
        }
    }

    /// Declares that nothing more of a track comes in this period.
    pub fn lose(&mut self, id: TrackId, log: &mut Vec<Record>) {
        if let Some(at) = self.tracks.iter().position(|track| track.id == id && !track.is_off()) {
            self.switch_off(at, log);
        }
    }

    /// Declares that nothing more of a track comes for now. Another is the reference then; says whether there is one, as
    /// the period is over without.
    pub fn leave(&mut self, id: TrackId, fixed: &mut Fixed, log: &mut Vec<Record>) -> bool {
        let Some(at) = self.tracks.iter().position(|track| track.id == id && !track.is_off()) else {
            return true;
        };
        self.tracks[at].last = None;
        if at != self.reference {
            self.switch_off(at, log);
            return true;
        }
        let heir = self.heir(at);
        heir.into_iter().for_each(|heir| self.hand_over(heir, fixed, log));
        heir.is_some()
    }

    /// Takes a track into the running period from the next boundary on, or from the first one where that has just begun.
    /// `presented` is when its first keyframe is shown, in the publisher's time.
    pub fn join(
        &mut self,
        id: TrackId,
        name: &Arc<str>,
        init: Arc<Init>,
        source: &Track,
        presented: MediaTime,
        log: &mut Vec<Record>,
    ) {
        let (number, start) = (self.number(), self.since_zero(presented));
        let at = match self.tracks.iter().position(|track| track.id == id) {
            Some(at) => at,
            None => {
                let lane = Lane::new(name.clone(), self.period.clone(), init);
                let strand = Strand::new(id, Aligner::new(source, self.zero), lane, number);
                self.tracks.push(Strand { listed: false, ..strand });
                self.tracks.len() - 1
            }
        };
        self.counts.dropped += self.tracks[at].discard();
        self.advance(at, number, false, log);
        let fresh = number == self.first && !self.tracks[at].listed && self.is_beginning(start);
        self.regroup |= !fresh;
        let track = &mut self.tracks[at];
        track.aligner = Aligner::new(source, self.zero);
        track.state = if fresh { State::On } else { State::Joining };
        track.listed |= fresh;
        (track.trusted, track.aligned, track.shown, track.last) = (true, true, i64::MIN, None);
        (track.arrived, track.then, track.reference_then) = (start, start, self.decided);
        if fresh {
            log.push(self.span(self.first, MediaTime::ZERO));
        }
    }

    /// Whether a first keyframe is early enough for the period's first segment.
    fn is_beginning(&self, start: MediaTime) -> bool {
        start.micros() <= self.bound(self.first).micros() + self.settings.segment.as_micros() as i64 / 2
    }

    /// Whether a picture that is shown then can be in this period at all.
    pub fn reaches(&self, presented: MediaTime) -> bool {
        self.since_zero(presented).micros() >= -(ROUNDING.as_micros() as i64)
    }

    /// The tracks that are on.
    pub fn live(&self) -> impl Iterator<Item = TrackId> {
        self.tracks.iter().filter(|track| track.state == State::On).map(|track| track.id)
    }

    /// The initialization segment of a track that is or was in this period.
    pub fn init_of(&self, id: TrackId) -> Option<&Arc<Init>> {
        self.tracks.iter().find(|track| track.id == id).map(|track| track.lane.init())
    }

    /// Whether pictures set the boundaries.
    pub fn is_led_by_pictures(&self) -> bool {
        self.tracks[self.reference].is_video()
    }

    /// Whether the keyframes of a track do not come where its segments begin.
    pub fn is_misaligned(&self, id: TrackId) -> bool {
        let misses = |track: &Strand| track.id == id && !track.is_off() && !track.aligned;
        !self.is_reference(id) && self.tracks.iter().any(misses)
    }

    /// The tracks whose keyframes do not come where segments begin any more, since the last call.
    pub fn take_misfits(&mut self) -> Vec<TrackId> {
        std::mem::take(&mut self.misfits)
    }

    pub(super) fn switch_off(&mut self, at: usize, log: &mut Vec<Record>) {
        if let Some(sample) = self.tracks[at].aligner.flush() {
            self.tracks[at].enqueue(sample);
        }
        if self.tracks[at].state == State::Joining {
            self.counts.dropped += self.tracks[at].discard();
        }
        self.tracks[at].state = State::Off;
        self.regroup = true;
        self.release(log);
    }

    /// Who is the reference without `at`: pictures where there are some.
    fn heir(&self, at: usize) -> Option<usize> {
        let on = |other: &usize| *other != at && self.tracks[*other].state == State::On;
        let others = || (0..self.tracks.len()).filter(on);
        others().find(|&other| self.tracks[other].is_video()).or_else(|| others().next())
    }

    /// The reference is silent while `at` goes on: pictures that go on too come before sound.
    pub(super) fn supersede(&mut self, at: usize, fixed: &mut Fixed, log: &mut Vec<Record>) {
        let reached = self.tracks[at].arrived.micros() - self.stall_micros(fixed);
        let goes_on = |&heir: &usize| self.tracks[heir].arrived.micros() >= reached;
        let pictures = self.heir(self.reference).filter(|&heir| self.tracks[heir].is_video());
        let heir = pictures.filter(goes_on).unwrap_or(at);
        self.hand_over(heir, fixed, log);
    }

    fn hand_over(&mut self, heir: usize, fixed: &mut Fixed, log: &mut Vec<Record>) {
        self.tracks[self.reference].state = State::Off;
        self.regroup = true;
        self.lead(heir, fixed, log);
    }

    /// Makes a track the reference, and places what it has waiting.
    pub(super) fn lead(&mut self, at: usize, fixed: &mut Fixed, log: &mut Vec<Record>) {
        let before = self.reference;
        if let Some(sample) = self.tracks[before].aligner.flush() {
            match self.is_behind(before) {
                true => self.tracks[before].enqueue(sample),
                false => self.place(sample, fixed, log),
            }
            self.release(log);
        }
        let (number, track) = (self.number(), &self.tracks[at]);
        if track.head().unwrap_or(track.arrived) >= self.bound(number) {
            self.advance(at, number, true, log);
        }
        self.reference = at;
        self.shown = i64::MIN;
        self.bridge(at, fixed, log);
        self.catch_up(fixed, log);
    }

    /// Places what the reference has waiting. One that was behind the reference before it fills those segments first
    /// whose boundaries are known.
    pub(super) fn catch_up(&mut self, fixed: &mut Fixed, log: &mut Vec<Record>) {
        let at = self.reference;
        if self.is_behind(at) {
            self.release_one(at, log);
        }
        while !self.is_behind(at)
            && let Some(sample) = self.tracks[at].dequeue()
        {
            let start = self.tracks[at].lane.time(sample.dts);
            if self.begins(&sample, start, fixed) {
                self.cut(start, sample.sync, fixed, log);
            }
            self.place(sample, fixed, log);
            self.release(log);
        }
    }

    /// Whether a track is in a segment that the reference has ended.
    pub(super) fn is_behind(&self, at: usize) -> bool {
        self.tracks[at].at < self.number()
    }

    /// Bounds the segments of a hole before the first sample of a track that becomes the reference.
    pub(super) fn bridge(&mut self, at: usize, fixed: &mut Fixed, log: &mut Vec<Record>) {
        let Some(first) = self.tracks[at].head() else {
            return;
        };
        loop {
            let longest = self.longest_micros(fixed);
            let next = self.bound(self.number()).micros() + longest;
            if first.micros() <= next + TOLERANCE_MICROS {
                return;
            }
            self.cut(MediaTime::new(next, Timescale::MICROS), Sync::Yes, fixed, log);
        }
    }

    pub(super) fn stall_micros(&self, fixed: &Fixed) -> i64 {
        let known = fixed.target_duration.is_some();
        self.longest_micros(fixed) * if known { 3 } else { 2 } / 2
    }
}
