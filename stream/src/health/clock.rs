//! How late media arrives by its own clock.
//!
//! Arrival jitters, so the smallest lag of each five seconds counts: a burst after a stall brings it back, a slow
//! clock or a slow network does not.

use super::latest::Latest;

/// Microseconds over which the smallest lag counts. Windows of all tracks begin at the same times.
const WINDOW: i64 = 5_000_000;
/// Windows that are remembered: five minutes.
const WINDOWS: usize = 64;
/// Windows at the start that say what no lag is.
const FIRST: u32 = 3;
/// Microseconds per half of what is remembered by which a lag has to grow to be drift.
const LEAST_GROWTH: i64 = 5_000;
/// Microseconds by which media is ahead at the start when it comes from a file: no encoder holds so much.
const FILE: i64 = 10_000_000;
/// Microseconds by which media may run ahead later: an encoder empties its buffer.
const AHEAD: i64 = 2_000_000;
/// Share of time by which media comes slower or faster than it plays, before that is what it does.
const OFF_PACE: f64 = 0.05;

/// The lag of one track since it began or since its timestamps stepped. All times are microseconds.
///
/// A lag is arrival since the publisher began, minus the timestamp; only differences of lags mean something.
#[derive(Debug)]
pub(super) struct Clock {
    /// When media began to arrive, and with which lag.
    first: Option<(i64, i64)>,
    /// Which window is open.
    window: i64,
    least: Option<i64>,
    /// The smallest lag of each window, with when it began.
    windows: Latest<(i64, i64), WINDOWS>,
    completed: u32,
    base: i64,
}

impl Clock {
    /// Measures anew from here.
    pub(super) fn restart(&mut self) {
        self.windows.clear();
        (self.first, self.least, self.completed, self.base) = (None, None, 0, i64::MAX);
    }

    /// Media of the time `at` arrived.
    pub(super) fn note(&mut self, at: i64, arrival: i64) {
        let lag = arrival.saturating_sub(at);
        let window = arrival / WINDOW;
        if window != self.window {
            self.complete();
            self.window = window;
        }
        self.first.get_or_insert((arrival, lag));
        self.least = Some(self.least.map_or(lag, |least| least.min(lag)));
    }

    /// The smallest lag of the last five to ten seconds.
    pub(super) fn recent(&self) -> Option<i64> {
        let before = self.windows.newest().map(|(_, lag)| lag);
        self.least.into_iter().chain(before).min()
    }

    /// How much later than by `other` media of the same time arrives, in the last window that both have.
    pub(super) fn behind(&self, other: &Clock) -> Option<i64> {
        let mut own = self.windows.iter().rev().take(2);
        own.find_map(|(window, lag)| {
            let mut others = other.windows.iter().rev().take(2);
            others.find(|other| other.0 == window).map(|other| lag.saturating_sub(other.1))
        })
    }

    /// How much larger the lag is than it was at first.
    pub(super) fn drift(&self) -> Option<i64> {
        self.windows.newest().map(|(_, lag)| lag.saturating_sub(self.base))
    }

    /// How much the lag grows in a second, in parts per million, where it does so all the time: a single delay is no
    /// growth. Negative where it shrinks.
    pub(super) fn growth(&self) -> Option<f64> {
        let count = self.windows.len();
        if count < 4 {
            return None;
        }
        let (oldest, middle) = (self.windows.get(0)?, self.windows.get(count / 2)?);
        let newest = self.windows.newest()?;
        let halves = [middle.1.saturating_sub(oldest.1), newest.1.saturating_sub(middle.1)];
        let grows = halves.iter().all(|&half| half > LEAST_GROWTH);
        let shrinks = halves.iter().all(|&half| half < -LEAST_GROWTH);
        (grows || shrinks).then(|| slope(oldest, newest) * 1e6)
    }

    /// Seconds of media that arrive in a second, where they are fewer than one for three windows.
    pub(super) fn slow(&self) -> Option<f64> {
        let [first, second, third] = self.last_three()?;
        let is_slow = slope(first, second) > OFF_PACE && slope(second, third) > OFF_PACE;
        is_slow.then(|| 1.0 - slope(first, third))
    }

    /// Seconds of media that arrive in a second, where they are more than one for three windows and media has got
    /// ahead, or where it is very far ahead at the start.
    pub(super) fn fast(&self) -> Option<f64> {
        if self.completed < FIRST {
            return self.far_ahead();
        }
        let [first, second, third] = self.last_three()?;
        let is_fast = slope(first, second) < -OFF_PACE && slope(second, third) < -OFF_PACE;
        let lead = self.windows.get(0)?.1.saturating_sub(third.1);
        (is_fast && lead > AHEAD).then(|| 1.0 - slope(first, third))
    }

    fn far_ahead(&self) -> Option<f64> {
        let (began, lag) = self.first?;
        let lead = lag.saturating_sub(self.recent()?);
        let elapsed = self.window.saturating_add(1).saturating_mul(WINDOW).saturating_sub(began);
        (lead > FILE).then(|| 1.0 + lead as f64 / elapsed.max(1) as f64)
    }

    fn last_three(&self) -> Option<[(i64, i64); 3]> {
        let mut latest = self.windows.iter().rev();
        let (third, second, first) = (latest.next()?, latest.next()?, latest.next()?);
        Some([first, second, third])
    }

    fn complete(&mut self) {
        if let Some(least) = self.least.take() {
            self.windows.push((self.window.saturating_mul(WINDOW), least));
            if self.completed < FIRST {
                self.completed += 1;
                self.base = self.base.min(least);
            }
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Clock {
            first: None,
            window: 0,
            least: None,
            windows: Latest::default(),
            completed: 0,
            base: i64::MAX,
        }
    }
}

/// Lag per time between two windows.
fn slope(from: (i64, i64), to: (i64, i64)) -> f64 {
    let time = to.0.saturating_sub(from.0).max(1);
    to.1.saturating_sub(from.1) as f64 / time as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A minute and more of media, every 40 ms, that arrives late by this many microseconds.
    fn clock(late: impl Fn(i64) -> i64) -> Clock {
        let mut clock = Clock::default();
        (0..20 * 60 * 25).map(|n| n * 40_000).for_each(|at| clock.note(at, at + late(at)));
        clock
    }

    #[test]
    fn a_slow_clock_drifts_and_says_how_fast() {
        let clock = clock(|at| at / 2_000 + at * 7919 % 60_000);
        let drift = clock.drift().expect("measured");
        assert!((560_000..600_000).contains(&drift), "{drift}");
        let growth = clock.growth().expect("grows");
        assert!((450.0..550.0).contains(&growth), "{growth}");
        assert_eq!((clock.slow(), clock.fast()), (None, None));
    }

    #[test]
    fn jitter_is_no_drift_and_a_single_delay_does_not_grow() {
        let jitter = clock(|at| at / 40_000 * 7919 % 400_000);
        assert!(jitter.drift().is_some_and(|drift| drift.abs() < 20_000), "{:?}", jitter.drift());
        assert_eq!(jitter.growth(), None);
        let delay = clock(|at| if at > 1_000_000_000 { 700_000 } else { 0 });
        assert_eq!((delay.drift(), delay.growth(), delay.slow()), (Some(700_000), None, None));
    }

    #[test]
    fn slow_delivery_is_told_from_a_slow_clock() {
        let slow = clock(|at| at / 4);
        assert!(slow.slow().is_some_and(|pace| (0.79..0.81).contains(&pace)), "{:?}", slow.slow());
        let fast = clock(|at| -at / 2);
        assert!(fast.fast().is_some_and(|pace| (1.9..2.1).contains(&pace)), "{:?}", fast.fast());
        assert_eq!((slow.fast(), fast.slow()), (None, None));
    }
}
