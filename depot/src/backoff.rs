//! How long to wait before it is tried again.

use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// Twice as long after each failure, a minute at most, for as long as it takes.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    pub fn next(&mut self) -> Duration {
        let wait = FIRST.saturating_mul(1 << self.failures.min(16));
        self.failures += 1;
        wait.min(LONGEST)
    }

    pub fn reset(&mut self) {
        self.failures = 0;
    }
}
