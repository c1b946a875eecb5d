//! Bytes per time, by their arrival.

use std::time::{Duration, Instant};

/// Seconds that count.
const SECONDS: usize = 10;

/// Bytes of each of the last ten seconds.
#[derive(Debug)]
pub(super) struct Rate {
    began: Instant,
    /// The newest second with bytes, counted from `began`.
    newest: u64,
    /// Bytes of a second, at its number modulo [`SECONDS`].
    buckets: [u64; SECONDS],
}

impl Rate {
    pub(super) fn new(now: Instant) -> Rate {
        Rate { began: now, newest: 0, buckets: [0; SECONDS] }
    }

    pub(super) fn add(&mut self, bytes: u64, now: Instant) {
        let second = self.elapsed(now).as_secs().max(self.newest);
        if second > self.newest {
            self.advance(second);
        }
        let bucket = &mut self.buckets[slot(second)];
        *bucket = bucket.saturating_add(bytes);
    }

    /// Bits per second over the last ten seconds, or over as many as there were.
    pub(super) fn bits_per_second(&self, now: Instant) -> u64 {
        let elapsed = self.elapsed(now);
        let current = elapsed.as_secs().max(self.newest);
        let oldest = (current + 1).saturating_sub(SECONDS as u64);
        let bytes: u128 = (oldest..=self.newest).map(|second| u128::from(self.buckets[slot(second)])).sum();
        let span = elapsed.saturating_sub(Duration::from_secs(oldest)).max(Duration::from_secs(1));
        u64::try_from(bytes.saturating_mul(8_000_000) / span.as_micros()).unwrap_or(u64::MAX)
    }

    /// Empties the buckets between the newest second and `second`.
    fn advance(&mut self, second: u64) {
        let first = (self.newest + 1).max(second.saturating_sub(SECONDS as u64 - 1));
        (first..=second).for_each(|second| self.buckets[slot(second)] = 0);
        self.newest = second;
    }

    fn elapsed(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.began)
    }
}

fn slot(second: u64) -> usize {
    (second % SECONDS as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_rate_is_seen_from_the_start_and_forgotten_after_ten_seconds() {
        let start = Instant::now();
        let mut rate = Rate::new(start);
        for tick in 0..600 {
            let now = start + Duration::from_millis(tick * 50);
            rate.add(50_000, now);
            let bits = rate.bits_per_second(now);
            assert!(tick < 20 || (7_800_000..=8_900_000).contains(&bits), "{bits} at {tick}");
        }
        let after = |seconds: u64| rate.bits_per_second(start + Duration::from_secs(30 + seconds));
        assert!((3_000_000..5_000_000).contains(&after(5)), "{}", after(5));
        assert_eq!(after(10), 0);
        assert_eq!(after(1 << 40), 0);
    }

    #[test]
    fn a_pause_leaves_nothing_of_an_older_round() {
        let start = Instant::now();
        let mut rate = Rate::new(start);
        rate.add(1_000_000, start + Duration::from_secs(3));
        rate.add(10, start + Duration::from_secs(23));
        assert_eq!(rate.bits_per_second(start + Duration::from_millis(23_500)), 8);
    }

    #[test]
    fn more_than_can_be_counted_saturates() {
        let start = Instant::now();
        let mut rate = Rate::new(start);
        (0..20).for_each(|second| rate.add(u64::MAX, start + Duration::from_secs(second / 2)));
        assert_eq!(rate.bits_per_second(start + Duration::from_secs(9)), u64::MAX);
    }
}
