//! Distances of pictures: frame rate, whether it varies, and pictures that are missing.

use super::latest::Latest;

/// Distances that count.
const FRAMES: usize = 256;
/// Fewer say nothing.
const ENOUGH: usize = 24;
/// Timestamps of whole milliseconds put two pictures this much nearer or farther.
const ROUNDING: u32 = 2_000;

/// The latest distances in decode time, in microseconds.
#[derive(Debug, Default)]
pub(super) struct Frames(Latest<u32, FRAMES>);

/// What they say.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Pace {
    /// Pictures per second.
    pub(super) rate: f64,
    /// More than a tenth of the distances differ from the usual one by more than a quarter.
    pub(super) varies: bool,
    /// Pictures that would have to be between the others, if the rate does not vary.
    pub(super) missing: u64,
    /// Pictures that were looked at.
    pub(super) seen: u64,
    /// The shortest and the longest distance, in microseconds.
    pub(super) spread: (u32, u32),
}

impl Frames {
    /// The next picture came `distance` microseconds after the one before.
    pub(super) fn note(&mut self, distance: i64) {
        self.0.push(u32::try_from(distance.max(0)).unwrap_or(u32::MAX));
    }

    pub(super) fn restart(&mut self) {
        self.0.clear();
    }

    /// `None` while there are too few.
    pub(super) fn pace(&self) -> Option<Pace> {
        let mut distances: Vec<u32> = self.0.iter().collect();
        let total: u64 = distances.iter().copied().map(u64::from).sum();
        let seen = distances.len() as u64;
        if distances.len() < ENOUGH && total < 5_000_000 || total == 0 {
            return None;
        }
        distances.sort_unstable();
        let (shortest, usual, longest) =
            (*distances.first()?, *distances.get(distances.len() / 2)?, *distances.last()?);
        let odd = distances.iter().filter(|&&distance| is_odd(distance, usual)).count() as u64;
        let varies = distances.len() >= ENOUGH && odd * 10 > seen;
        let missing = if varies { 0 } else { distances.iter().map(|&it| missing(it, usual)).sum() };
        let rate = (seen as f64 * 1e8 / total as f64).round() / 100.0;
        Some(Pace { rate, varies, missing, seen, spread: (shortest, longest) })
    }
}

fn is_odd(distance: u32, usual: u32) -> bool {
    distance.abs_diff(usual) > (usual / 4).max(ROUNDING)
}

/// How many pictures would fit in between.
fn missing(distance: u32, usual: u32) -> u64 {
    let (distance, usual) = (u64::from(distance), u64::from(usual.max(1)));
    if distance * 4 < usual * 7 { 0 } else { ((distance + usual / 2) / usual).saturating_sub(1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pictures at these times, stamped in milliseconds by rounding and by cutting off.
    fn check(times: impl Fn(u64) -> f64, expected: (f64, bool, u64)) {
        for stamp in [f64::round, f64::floor] {
            let at = |n: u64| (stamp(times(n) * 1000.0) * 1000.0) as i64;
            let mut frames = Frames::default();
            (1..400).for_each(|n| frames.note(at(n) - at(n - 1)));
            let pace = frames.pace().expect("enough");
            assert_eq!((pace.varies, pace.missing), (expected.1, expected.2), "{pace:?}");
            assert!((pace.rate / expected.0 - 1.0).abs() < 0.002, "{pace:?}");
        }
    }

    #[test]
    fn usual_rates_in_milliseconds_are_constant() {
        for rate in [10.0, 15.0, 24_000.0 / 1001.0, 24.0, 25.0, 30_000.0 / 1001.0, 30.0, 48.0, 50.0] {
            check(|n| n as f64 / rate, (rate, false, 0));
        }
        for rate in [60_000.0 / 1001.0, 60.0, 100.0, 120.0] {
            check(|n| n as f64 / rate, (rate, false, 0));
        }
    }

    #[test]
    fn a_rate_that_varies_does_so() {
        check(|n| n as f64 / 30.0 + if n % 3 == 0 { 0.015 } else { 0.0 }, (30.0, true, 0));
        check(|n| (n / 3 * 4 + n % 3) as f64 / 30.0, (22.5, true, 0));
    }

    #[test]
    fn single_pictures_that_are_missing_are_counted() {
        check(|n| (n + n / 64) as f64 / 30.0, (30.0 * 256.0 / 260.0, false, 4));
    }

    #[test]
    fn few_pictures_say_nothing() {
        let mut frames = Frames::default();
        (0..23).for_each(|_| frames.note(33_000));
        assert_eq!(frames.pace(), None);
        frames.note(33_000);
        assert!(frames.pace().is_some());
    }

    #[test]
    fn slow_pictures_say_so_before_there_are_many() {
        let mut frames = Frames::default();
        (0..5).for_each(|_| frames.note(1_000_000));
        assert_eq!(frames.pace().map(|pace| pace.rate), Some(1.0));
    }
}
