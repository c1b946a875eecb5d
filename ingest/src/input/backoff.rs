//! How long to wait before trying again.

use std::time::Duration;

/// The longest first pause: what went away is tried again within a second.
const FIRST: Duration = Duration::from_secs(1);

/// Pauses that double, each shortened by up to a half, so that inputs that failed together do not come back together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff {
    next: Duration,
    most: Duration,
}

impl Backoff {
    /// Never longer than `most`.
    pub(super) fn new(most: Duration) -> Backoff {
        Backoff { next: FIRST.min(most), most }
    }

    /// All was well: the next pause is a first one.
    pub(super) fn reset(&mut self) {
        *self = Backoff::new(self.most);
    }

    /// The next pause. `chance` is drawn from 0 to 1.
    pub(super) fn pause(&mut self, chance: f64) -> Duration {
        let pause = self.next.mul_f64(1.0 - chance.clamp(0.0, 1.0) / 2.0);
        self.next = (self.next * 2).min(self.most);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_most_and_begin_anew_after_success() {
        let mut backoff = Backoff::new(Duration::from_secs(30));
        let pauses: Vec<u64> = (0..8).map(|_| backoff.pause(0.0).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30, 30]);
        assert_eq!(backoff.pause(1.0), Duration::from_secs(15));
        backoff.reset();
        assert!(backoff.pause(0.3) < Duration::from_secs(1));
    }
}
