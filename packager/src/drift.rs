//! How far a publisher's clock lags behind the server's.
//!
//! Arrival jitters, so the smallest lag over half a minute counts: a burst after a stall brings it back to zero,
//! a slow clock does not.

use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(30);

/// Measures the lag of one period.
#[derive(Debug)]
pub struct Drift {
    anchor: Instant,
    window: Instant,
    least: Option<Duration>,
}

impl Drift {
    /// Media time zero arrived `now`.
    pub fn new(now: Instant) -> Drift {
        Drift { anchor: now, window: now, least: None }
    }

    /// Media time `media` arrived `now`; says the lag once per window.
    pub fn note(&mut self, media: Duration, now: Instant) -> Option<Duration> {
        let lag = now.saturating_duration_since(self.anchor).saturating_sub(media);
        self.least = Some(self.least.map_or(lag, |least| least.min(lag)));
        if now.saturating_duration_since(self.window) < WINDOW {
            return None;
        }
        self.window = now;
        self.least.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn largest(lag_at: impl Fn(u64) -> u64) -> Duration {
        let start = Instant::now();
        let mut drift = Drift::new(start);
        (0..3600)
            .filter_map(|second| {
                let now = start + Duration::from_millis(second * 1000 + lag_at(second));
                drift.note(Duration::from_secs(second), now)
            })
            .max()
            .expect("a window passed")
    }

    #[test]
    fn a_slow_clock_shows() {
        let lag = largest(|second| second / 5);
        assert!(lag > Duration::from_millis(650), "{lag:?}");
    }

    #[test]
    fn jitter_and_a_stall_do_not() {
        assert!(largest(|second| second * 7919 % 400) < Duration::from_millis(100));
        assert!(largest(|second| if second % 100 < 20 { 5000 } else { 0 }) < Duration::from_millis(1));
    }
}
