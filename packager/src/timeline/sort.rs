//! Which segment a sample of a track beside the reference belongs to.

use media::{MediaTime, Sample, Timescale};

use super::Timeline;
use crate::presentation::Record;

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
        let horizon = self.horizon();
        for at in 0..self.tracks.len() {
            if at == self.reference {
                continue;
            }
            while let Some(start) = self.tracks[at].head() {
                if start >= horizon {
                    break;
                }
                let Some(sample) = self.tracks[at].dequeue() else {
                    break;
                };
                self.sort_in(at, sample, start, log);
            }
        }
        self.trim();
    }

    /// Puts a sample of a track beside the reference into the segment that covers its start.
    pub(super) fn sort_in(&mut self, at: usize, sample: Sample, start: MediaTime, log: &mut Vec<Record>) {
        let number = self.number_at(self.tracks[at].at, start);
        self.advance(at, number, true, log);
        self.tracks[at].lane.add(sample, number, self.part_target, log);
    }

    /// Closes the segments of a track up to, not including, `number`. One that is not `whole` is said to last
    /// until the next boundary, because its media broke off.
    pub(super) fn advance(&mut self, at: usize, number: u64, whole: bool, log: &mut Vec<Record>) {
        while self.tracks[at].at < number {
            let open = self.tracks[at].at;
            let (start, end) = (self.bound(open), self.bound(open + 1));
            let track = &mut self.tracks[at];
            let whole = whole && track.lane.has_samples();
            track.lane.close_segment(open, start, (!whole).then_some(end), log);
            track.at += 1;
        }
    }
}
