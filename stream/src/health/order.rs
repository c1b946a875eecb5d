//! Whether pictures arrive in another order than they are shown in.

use std::time::{Duration, Instant};

/// For so long after the last one there are B-frames.
const MEMORY: Duration = Duration::from_secs(10);
/// Presentation times that are rounded by themselves can be this much apart, in microseconds.
const ROUNDING: i64 = 2_000;

/// The order of a video track.
#[derive(Debug, Default)]
pub(super) struct Order {
    latest: Option<i64>,
    reordered: Option<Instant>,
}

impl Order {
    /// A picture that is shown at `pts`, in microseconds.
    pub(super) fn note(&mut self, pts: i64, now: Instant) {
        let latest = self.latest.map_or(pts, |latest| latest.max(pts));
        self.latest = Some(latest);
        if pts < latest.saturating_sub(ROUNDING) {
            self.reordered = Some(now);
        }
    }

    /// The timestamps stepped.
    pub(super) fn step(&mut self) {
        self.latest = None;
    }

    pub(super) fn b_frames(&self, now: Instant) -> bool {
        self.reordered.is_some_and(|at| now.saturating_duration_since(at) <= MEMORY)
    }
}
