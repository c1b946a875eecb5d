//! Where decoding can begin: distances of keyframes.

use std::time::Duration;

use media::Sync;

use super::KeyframeInterval;
use super::latest::Latest;

/// Keyframes whose distances count.
const INTERVALS: usize = 16;

/// The keyframes of a video track. All times are microseconds of media.
#[derive(Debug, Default)]
pub(super) struct Gop {
    /// The last keyframe, or where the timestamps last stepped.
    since: Option<i64>,
    /// `since` is a keyframe.
    keyed: bool,
    newest: i64,
    keyframes: u64,
    intervals: Latest<i64, INTERVALS>,
    /// Which of the latest keyframes were intra pictures of an open GOP, as bits, the newest lowest.
    open: u16,
}

impl Gop {
    pub(super) fn note(&mut self, at: i64, sync: Sync) {
        self.newest = at;
        let since = *self.since.get_or_insert(at);
        if sync == Sync::No {
            return;
        }
        if self.keyed {
            self.intervals.push(at.saturating_sub(since).max(0));
        }
        self.open = self.open << 1 | u16::from(sync == Sync::Recovery);
        self.keyframes = self.keyframes.saturating_add(1);
        (self.since, self.keyed) = (Some(at), true);
    }

    /// The timestamps stepped: what spans the step is no distance.
    pub(super) fn step(&mut self) {
        (self.since, self.keyed) = (None, false);
    }

    /// The track is another one from here on.
    pub(super) fn restart(&mut self) {
        self.step();
        self.intervals.clear();
        self.open = 0;
    }

    pub(super) fn keyframes(&self) -> u64 {
        self.keyframes
    }

    /// Distances that are complete.
    pub(super) fn interval(&self) -> Option<KeyframeInterval> {
        Some(KeyframeInterval {
            last: span(self.intervals.newest()?),
            shortest: span(self.intervals.iter().min()?),
            longest: span(self.intervals.iter().max()?),
        })
    }

    /// How many distances are known.
    pub(super) fn intervals(&self) -> usize {
        self.intervals.len()
    }

    /// Media since the last keyframe.
    pub(super) fn unfinished(&self) -> Duration {
        self.since.map_or(Duration::ZERO, |since| span(self.newest.saturating_sub(since)))
    }

    /// Some of the latest keyframes do not cut references to what was before.
    pub(super) fn is_open(&self) -> bool {
        self.open != 0
    }
}

fn span(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}
