//! Tracks that leave, and who is the reference after them.

use media::{MediaTime, Sync, Timescale, TrackId};

use super::cut::TOLERANCE_MICROS;
use super::{Fixed, Timeline};
use crate::presentation::Record;

impl Timeline {
    /// Declares tracks off that brought nothing while the reference went on.
    pub(super) fn bury(&mut self, fixed: &Fixed, log: &mut Vec<Record>) {
        let stall = self.stall_micros(fixed);
        for at in 0..self.tracks.len() {
            let track = &self.tracks[at];
            let silent = self.decided.micros() - track.reference_then.micros();
            if at != self.reference && !track.off && silent > stall {
                self.switch_off(at, log);
            }
        }
    }

    /// Declares that nothing more of a track comes in this period.
    pub fn lose(&mut self, id: TrackId, log: &mut Vec<Record>) {
        if let Some(at) = self.tracks.iter().position(|track| track.id == id && !track.off) {
            self.switch_off(at, log);
        }
    }

    pub(super) fn switch_off(&mut self, at: usize, log: &mut Vec<Record>) {
        if let Some(sample) = self.tracks[at].aligner.flush() {
            self.tracks[at].enqueue(sample);
        }
        self.tracks[at].off = true;
        self.regroup = true;
        self.release(log);
    }

    /// Makes a track the reference, and places what it has waiting.
    pub(super) fn lead(&mut self, at: usize, fixed: &mut Fixed, log: &mut Vec<Record>) {
        let before = self.reference;
        if let Some(sample) = self.tracks[before].aligner.flush() {
            self.place(sample, fixed, log);
            self.release(log);
        }
        let number = self.number();
        self.advance(at, number, true, log);
        self.reference = at;
        self.shown = i64::MIN;
        self.bridge(at, fixed, log);
        while let Some(sample) = self.tracks[at].dequeue() {
            let start = self.tracks[at].lane.time(sample.dts);
            if self.begins(&sample, start, fixed) {
                self.cut(start, sample.sync, fixed, log);
            }
            self.place(sample, fixed, log);
            self.release(log);
        }
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
