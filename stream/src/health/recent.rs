//! Something that happens now and then: how often, and how often lately.

use std::time::{Duration, Instant};

use super::latest::Latest;

/// How long what happened is worth a finding.
pub(super) const LATELY: Duration = Duration::from_secs(60);

/// Counts, and remembers the last three times.
#[derive(Debug, Default)]
pub(super) struct Recent {
    count: u64,
    times: Latest<Instant, 3>,
}

impl Recent {
    pub(super) fn note(&mut self, now: Instant) {
        self.count = self.count.saturating_add(1);
        self.times.push(now);
    }

    /// How often altogether.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// How often in the last minute, counting to three.
    pub(super) fn lately(&self, now: Instant) -> usize {
        self.times.iter().filter(|&at| now.saturating_duration_since(at) <= LATELY).count()
    }
}
