//! How long to wait before trying again.

use std::time::Duration;

/// The longest first pause: what went away is tried again within a second.
const FIRST: Duration = Duration::from_secs(1);
/// An input that was on air for so long was well.
const WELL: Duration = Duration::from_secs(3);
/// What was well is tried with first pauses until they add up to this.
const EAGER: Duration = Duration::from_secs(60);

/// Pauses that double, each shortened by up to a half, so that inputs that failed together do not come back together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff {
    next: Duration,
    most: Duration,
    /// What is left of the time in which pauses do not grow.
    eager: Duration,
}

impl Backoff {
    /// Never longer than `most`.
    pub(super) fn new(most: Duration) -> Backoff {
        Backoff { next: FIRST.min(most), most, eager: Duration::ZERO }
    }

    /// A try is over in which the input was on air for so long. Where that is long enough the next pause is a first one, and
    /// so are those after it for a minute: a sender that is restarted is missed for a second and not for half a minute.
    pub(super) fn tried(&mut self, on_air: Duration) {
        if on_air >= WELL {
            *self = Backoff { eager: EAGER, ..Backoff::new(self.most) };
        }
    }

    /// The next pause. `chance` is drawn from 0 to 1.
    pub(super) fn pause(&mut self, chance: f64) -> Duration {
        let pause = self.next.mul_f64(1.0 - chance.clamp(0.0, 1.0) / 2.0);
        if self.eager.is_zero() {
            self.next = (self.next * 2).min(self.most);
        }
        self.eager = self.eager.saturating_sub(pause);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: Duration = Duration::from_secs(30);

    fn seconds(backoff: &mut Backoff, count: usize) -> Vec<u64> {
        (0..count).map(|_| backoff.pause(0.0).as_secs()).collect()
    }

    #[test]
    fn what_never_was_on_air_is_tried_ever_more_rarely() {
        let mut backoff = Backoff::new(MOST);
        assert_eq!(seconds(&mut backoff, 8), [1, 2, 4, 8, 16, 30, 30, 30]);
        assert_eq!(backoff.pause(1.0), Duration::from_secs(15));
        backoff.tried(WELL - Duration::from_millis(1));
        assert_eq!(seconds(&mut backoff, 1), [30], "it flaps");
    }

    /// Whoever returns is called within a second, and has another to answer in before two are over.
    #[test]
    fn what_was_on_air_is_tried_each_second_for_a_minute() {
        let mut backoff = Backoff::new(MOST);
        seconds(&mut backoff, 8);
        backoff.tried(WELL);
        assert_eq!(seconds(&mut backoff, 60), [1; 60]);
        assert_eq!(seconds(&mut backoff, 6), [1, 2, 4, 8, 16, 30]);
        for chance in [0.0, 0.3, 1.0] {
            backoff.tried(WELL);
            let mut away = Duration::ZERO;
            while away < EAGER {
                let pause = backoff.pause(chance);
                assert!(pause >= FIRST / 2 && pause <= FIRST, "{pause:?} after {away:?}");
                away += pause;
            }
        }
    }

    #[test]
    fn another_success_begins_anew() {
        let mut backoff = Backoff::new(MOST);
        backoff.tried(WELL);
        seconds(&mut backoff, 64);
        backoff.tried(WELL);
        assert_eq!(seconds(&mut backoff, 60), [1; 60]);
    }
}
