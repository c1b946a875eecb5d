//! When a target is tried again: a pure function of how often it failed.

use std::time::Duration;

/// Failures that count, one after another.
#[derive(Clone, Debug)]
pub struct Backoff {
    min: Duration,
    max: Duration,
    failures: u32,
}

/// What was sent for so long says that all is well: the next failure is a first one.
pub const STEADY: Duration = Duration::from_secs(30);

impl Backoff {
    /// From `min` to `max`.
    pub fn new(min: Duration, max: Duration) -> Backoff {
        Backoff { min, max, failures: 0 }
    }

    /// How long to wait after one more failure. `sent` is how long the target was sent to before it, and `random` is from
    /// 0 to 1: targets that failed together do not come back together.
    pub fn after(&mut self, sent: Duration, random: f64) -> Duration {
        if sent >= STEADY {
            self.failures = 0;
        }
        let doubled = self.min.saturating_mul(1 << self.failures.min(20)).min(self.max);
        self.failures = self.failures.saturating_add(1);
        doubled.mul_f64(0.75 + random.clamp(0.0, 1.0) / 2.0).min(self.max)
    }

    /// Forgets what failed.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_a_minute_and_begins_anew_after_success() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));
        let waits: Vec<u64> = (0..9).map(|_| backoff.after(Duration::ZERO, 0.5).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(backoff.after(Duration::from_secs(29), 0.5).as_secs(), 60, "not long enough");
        assert_eq!(backoff.after(STEADY, 0.5).as_secs(), 1);
        assert_eq!(backoff.after(Duration::ZERO, 0.0), Duration::from_millis(1500));
        assert_eq!(backoff.after(Duration::ZERO, 1.0), Duration::from_millis(5000));
    }
}
