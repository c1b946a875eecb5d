//! What a stream is doing and has done, for metrics and for whoever looks after it.
//!
//! The owner writes plain counters as it goes; a reader takes them at any time and makes nobody wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

use media::{MediaTime, Sample, WallTime};
use packager::Counts;
use packager::presentation::Record;

/// Where a stream stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Its publisher is on.
    Publishing,
    /// Its publisher is expected back.
    Waiting,
    /// It ended; its last window is still there.
    Ended,
}

/// A stream at one instant. Counters begin with the stream and never go back while it is known.
#[derive(Clone, PartialEq, Debug)]
pub struct Status {
    /// The entry.
    pub entry: Arc<str>,
    /// Where it stands.
    pub state: State,
    /// Samples that its publishers sent.
    pub samples: u64,
    /// Payload bytes of them.
    pub bytes: u64,
    /// Parts made, in all renditions.
    pub parts: u64,
    /// Segments finished, in all renditions.
    pub segments: u64,
    /// Periods begun: the first, and one for each discontinuity.
    pub periods: u64,
    /// Samples for which there was no place on the timeline.
    pub dropped: u64,
    /// Segments that begin without a keyframe, because none came in time.
    pub forced_cuts: u64,
    /// Timed metadata that its publishers sent.
    pub metadata: u64,
    /// Wall time of the live edge: the end of the newest part, by the clock of its period.
    pub edge: Option<WallTime>,
}

/// The counters behind a [`Status`].
#[derive(Debug, Default)]
pub(crate) struct Meter {
    samples: AtomicU64,
    bytes: AtomicU64,
    parts: AtomicU64,
    segments: AtomicU64,
    periods: AtomicU64,
    dropped: AtomicU64,
    forced_cuts: AtomicU64,
    metadata: AtomicU64,
    /// Microseconds; zero for none.
    edge: AtomicI64,
}

impl Meter {
    pub(crate) fn sample(&self, sample: &Sample) {
        self.samples.fetch_add(1, Relaxed);
        self.bytes.fetch_add(sample.data.len() as u64, Relaxed);
    }

    pub(crate) fn metadata(&self) {
        self.metadata.fetch_add(1, Relaxed);
    }

    pub(crate) fn record(&self, record: &Record) {
        match record {
            Record::Part { period, init, part, .. } => {
                self.parts.fetch_add(1, Relaxed);
                let end = MediaTime::new(part.start + part.duration, init.track.timescale);
                self.edge.fetch_max(period.start.plus(end).micros(), Relaxed);
            }
            Record::Segment { .. } => {
                self.segments.fetch_add(1, Relaxed);
            }
            _ => {}
        }
    }

    /// What the packager of one session counted, as `before` and now.
    pub(crate) fn counts(&self, before: Counts, now: Counts) {
        self.periods.fetch_add(now.periods.saturating_sub(before.periods), Relaxed);
        self.dropped.fetch_add(now.dropped.saturating_sub(before.dropped), Relaxed);
        self.forced_cuts.fetch_add(now.forced_cuts.saturating_sub(before.forced_cuts), Relaxed);
    }

    pub(crate) fn status(&self, entry: Arc<str>, state: State) -> Status {
        let edge = self.edge.load(Relaxed);
        Status {
            entry,
            state,
            samples: self.samples.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            parts: self.parts.load(Relaxed),
            segments: self.segments.load(Relaxed),
            periods: self.periods.load(Relaxed),
            dropped: self.dropped.load(Relaxed),
            forced_cuts: self.forced_cuts.load(Relaxed),
            metadata: self.metadata.load(Relaxed),
            edge: (edge != 0).then(|| WallTime::from_micros(edge)),
        }
    }
}
