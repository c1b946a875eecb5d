//! Which segment a sample of a track beside the reference belongs to.
//!
//! Sound is cut at the first frame that starts at or after a boundary. Pictures are cut at their own keyframe, which an
//! encoder that forces keyframes puts there for all its outputs; where none comes near, at the boundary all the same,
//! so that a number stands for the same time in every rendition.

use media::{MediaTime, Sample, Sync, Timescale};

use super::Timeline;
use super::strand::State;
use crate::presentation::{FrameRate, Record};

/// What becomes of the sample that is next in a queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    /// A boundary can still appear before it, or its keyframe is still to come.
    Wait,
    /// It belongs into that segment.
    Into(u64),
    /// It begins that segment.
    Begins(u64, Fit),
    /// Its track joins, and it comes too late in that segment: the track joins with the next one.
    Late(u64),
}

/// How what begins a segment fits to its boundary.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fit {
    /// It stands there.
    Exact,
    /// It is the keyframe, and comes later.
    Late,
    /// It is no keyframe: none came near.
    Missed,
}

impl Timeline {
    /// No boundary can appear before it any more: the reference is past it, or it is too close to the last one.
    pub(super) fn horizon(&self) -> MediaTime {
        let least = self.settings.segment.as_micros() as i64 * 9 / 10;
        let bound = self.bound(self.number()).micros();
        let micros = (bound + least).max(self.decided.micros());
        MediaTime::new(micros, Timescale::MICROS)
    }

    /// The segment that covers a time, from `at_least` on.
    pub(super) fn number_at(&self, at_least: u64, start: MediaTime) -> u64 {
        (at_least..=self.number()).rev().find(|&number| self.bound(number) <= start).unwrap_or(at_least)
    }

    /// Moves samples that the reference has passed from the queues into their segments.
    pub(super) fn release(&mut self, log: &mut Vec<Record>) {
        for at in 0..self.tracks.len() {
            if at != self.reference {
                self.release_one(at, log);
            }
        }
        self.trim();
    }

    pub(super) fn release_one(&mut self, at: usize, log: &mut Vec<Record>) {
        let horizon = self.horizon();
        while let Some(sample) = self.tracks[at].queue.front() {
            let fate = self.fate(at, sample, horizon);
            if fate == Fate::Wait {
                return;
            }
            let Some(sample) = self.tracks[at].dequeue() else { return };
            match fate {
                Fate::Begins(number, fit) => {
                    let start = self.tracks[at].lane.time(sample.dts);
                    self.note_fit(at, number, fit);
                    self.begin_segment(at, number, start, log);
                    self.add(at, sample, log);
                }
                Fate::Late(number) => self.advance(at, number, false, log),
                Fate::Into(number) if self.tracks[at].state != State::Joining => {
                    self.advance(at, number, true, log);
                    self.add(at, sample, log);
                }
                _ => {}
            }
        }
        if self.tracks[at].is_video() {
            self.look_at_pending(at, log);
            self.shed(at, log);
        }
    }

    /// Pictures whose open segment grew beyond every bound: their timestamps do not go on as the reference's do.
    fn shed(&mut self, at: usize, log: &mut Vec<Record>) {
        let (bytes, samples) = self.tracks[at].lane.size();
        let limits = &self.settings.limits;
        let full = bytes >= limits.segment_bytes || samples >= limits.segment_samples;
        if full && !self.tracks[at].is_off() {
            self.switch_off(at, log);
        }
    }

    fn fate(&self, at: usize, sample: &Sample, horizon: MediaTime) -> Fate {
        let track = &self.tracks[at];
        let start = track.lane.time(sample.dts);
        if track.is_video() {
            return self.fate_of_picture(at, sample, start, horizon);
        }
        if start >= horizon {
            return Fate::Wait;
        }
        match self.number_at(track.at, start) {
            number if number > track.at && track.state == State::Joining => match sample.dts < track.placed {
                true => Fate::Into(track.at),
                false => Fate::Begins(number, Fit::Exact),
            },
            number => Fate::Into(number),
        }
    }

    fn fate_of_picture(&self, at: usize, sample: &Sample, start: MediaTime, horizon: MediaTime) -> Fate {
        let track = &self.tracks[at];
        let (micros, tolerance) = (start.micros(), track.tolerance_micros());
        let key = sample.sync != Sync::No;
        let next = self.boundary_before(track.at, micros.saturating_add(tolerance));
        if next > self.number() {
            let early = if key && !track.is_off() { tolerance } else { 0 };
            let waits = micros.saturating_add(early) >= horizon.micros();
            return if waits { Fate::Wait } else { Fate::Into(track.at) };
        }
        let bound = self.bound(next).micros();
        if micros < bound - tolerance {
            return Fate::Into(track.at);
        }
        let overlaps = sample.dts < track.placed;
        if track.state == State::Joining && (micros >= self.late_micros(next) || overlaps) {
            return Fate::Late(next);
        }
        if key {
            let fit = if micros <= bound + tolerance { Fit::Exact } else { Fit::Late };
            return Fate::Begins(next, fit);
        }
        let forced = self.forced.contains(&next);
        let late = self.late_micros(next);
        if track.trusted && !forced && !track.is_off() {
            if track.has_key_before(late) {
                return Fate::Into(track.at);
            }
            if track.arrived.micros() < late {
                return Fate::Wait;
            }
        }
        // Nothing that follows must be shown before the segment begins.
        let cuts = micros >= bound && (sample.pts() > track.shown || micros >= late);
        if cuts { Fate::Begins(next, Fit::Missed) } else { Fate::Into(track.at) }
    }

    /// The last segment that begins before a time, of those that follow segment `at`, or the first of them.
    fn boundary_before(&self, at: u64, micros: i64) -> u64 {
        let mut later = (at + 2..=self.number()).rev();
        later.find(|&number| self.bound(number).micros() <= micros).unwrap_or(at + 1)
    }

    /// Takes down how a picture that begins a segment fits. Where the reference itself had no keyframe there, none is
    /// missed.
    fn note_fit(&mut self, at: usize, number: u64, fit: Fit) {
        let track = &mut self.tracks[at];
        if !track.is_video() || track.is_off() || self.forced.contains(&number) {
            return;
        }
        let aligned = fit == Fit::Exact;
        self.counts.misaligned += u64::from(!aligned);
        track.trusted = fit != Fit::Missed;
        if std::mem::replace(&mut track.aligned, aligned) && !aligned {
            self.misfits.push(track.id);
        }
    }

    /// Closes the segments of a track before `number`, which begins with a sample at `start`.
    fn begin_segment(&mut self, at: usize, number: u64, start: MediaTime, log: &mut Vec<Record>) {
        self.measure_beside(at, number, log);
        if self.tracks[at].state == State::Joining {
            self.advance(at, number - 1, false, log);
            let end = self.bound(number).min(start);
            self.end_segment(at, false, end, log);
            self.tracks[at].state = State::On;
        }
        self.advance(at, number, true, log);
        self.tracks[at].listed = true;
    }

    /// Until when a keyframe is waited for that is meant to begin a segment.
    fn late_micros(&self, number: u64) -> i64 {
        self.bound(number).micros() + self.settings.segment.as_micros() as i64 / 2
    }

    fn add(&mut self, at: usize, sample: Sample, log: &mut Vec<Record>) {
        let start = self.tracks[at].lane.time(sample.dts).micros();
        let late = self.late_micros(self.tracks[at].at);
        let track = &mut self.tracks[at];
        // A keyframe as near as that is worth waiting for the next time.
        track.trusted |= sample.sync != Sync::No && start < late;
        track.shown = track.shown.max(sample.pts());
        track.placed = sample.dts + i64::from(sample.duration);
        self.reached = self.reached.max(track.end_of(&sample));
        track.lane.add(sample, track.at, self.part_target, log);
    }

    /// A segment can end before the duration of what begins the next one is known.
    pub(super) fn look_at_pending(&mut self, at: usize, log: &mut Vec<Record>) {
        let track = &self.tracks[at];
        let Some(sample) = track.aligner.pending().filter(|_| track.queue.is_empty()) else { return };
        let start = track.lane.time(sample.dts);
        if track.state != State::On || start >= self.horizon() {
            return;
        }
        let (number, fit) = match track.is_video() {
            false => (self.number_at(track.at, start), Fit::Exact),
            true => match self.fate_of_picture(at, sample, start, self.horizon()) {
                Fate::Begins(number, fit) if sample.sync != Sync::No => (number, fit),
                _ => return,
            },
        };
        if number > track.at {
            self.note_fit(at, number, fit);
            self.begin_segment(at, number, start, log);
        }
    }

    /// Closes the segments of a track up to, not including, `number`. One that is not `whole` is said to last
    /// until the next boundary, because its media broke off.
    pub(super) fn advance(&mut self, at: usize, number: u64, whole: bool, log: &mut Vec<Record>) {
        while self.tracks[at].at < number {
            let end = self.bound(self.tracks[at].at + 1);
            self.end_segment(at, whole, end, log);
        }
    }

    fn end_segment(&mut self, at: usize, whole: bool, end: MediaTime, log: &mut Vec<Record>) {
        let open = self.tracks[at].at;
        let start = self.bound(open);
        let track = &mut self.tracks[at];
        if track.listed {
            let whole = whole && track.lane.has_samples();
            track.lane.close_segment(open, start, (!whole).then_some(end), log);
        }
        track.at += 1;
    }

    /// The frame rate of pictures beside the reference, over their first segment.
    fn measure_beside(&mut self, at: usize, number: u64, log: &mut Vec<Record>) {
        let elapsed = self.bound(number).micros() - self.bound(self.tracks[at].at).micros();
        let track = &mut self.tracks[at];
        let (_, frames) = track.lane.size();
        if track.measured_rate || !track.is_video() || frames == 0 {
            return;
        }
        track.measured_rate = true;
        if let Some(frame_rate) = FrameRate::nearest(frames, elapsed) {
            log.push(Record::FrameRate { rendition: track.lane.name().clone(), frame_rate });
        }
    }
}
