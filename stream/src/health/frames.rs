//! Distances of pictures: frame rate, whether it varies, and pictures that are missing.
//!
//! They are those of presentation. Decode times of pictures that are reordered may be anything: GStreamer spaces them
//! unevenly.

use super::latest::Latest;

/// Distances that count.
const FRAMES: usize = 256;
/// Fewer say nothing.
const ENOUGH: usize = 24;
/// Pictures that may be decoded before one that is shown before them; few encoders reorder more than four.
const REORDERED: usize = 8;
/// Timestamps of whole milliseconds put two pictures this much nearer or farther.
const ROUNDING: u32 = 2_000;

/// The latest distances, in microseconds.
#[derive(Debug)]
pub(super) struct Frames {
    /// Pictures that one may still come before, the first to be shown at the end.
    pending: Vec<i64>,
    last: Option<i64>,
    distances: Latest<u32, FRAMES>,
}

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
    /// A picture that is shown at `pts`, in microseconds.
    pub(super) fn note(&mut self, pts: i64) {
        let place = self.pending.partition_point(|&other| other > pts);
        self.pending.insert(place, pts);
        if self.pending.len() > REORDERED
            && let Some(shown) = self.pending.pop()
        {
            self.show(shown);
        }
    }

    /// The timestamps stepped: what spans the step is no distance.
    pub(super) fn step(&mut self) {
        self.pending.clear();
        self.last = None;
    }

    /// The track is another one from here on.
    pub(super) fn restart(&mut self) {
        self.step();
        self.distances.clear();
    }

    /// `None` while there are too few.
    pub(super) fn pace(&self) -> Option<Pace> {
        let mut distances: Vec<u32> = self.distances.iter().collect();
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

    fn show(&mut self, pts: i64) {
        if let Some(last) = self.last {
            let distance = pts.saturating_sub(last).max(0);
            self.distances.push(u32::try_from(distance).unwrap_or(u32::MAX));
        }
        self.last = Some(pts);
    }
}

impl Default for Frames {
    fn default() -> Self {
        Frames { pending: Vec::with_capacity(REORDERED + 1), last: None, distances: Latest::default() }
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
            (0..400).for_each(|n| frames.note(at(n)));
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
    fn reordered_pictures_count_in_the_order_in_which_they_are_shown() {
        let mut frames = Frames::default();
        (0..400).map(|n| [0, 4, 2, 1, 3][n % 5] + n as i64 / 5 * 5).for_each(|n| frames.note(n * 40_000));
        let pace = frames.pace().expect("enough");
        assert_eq!((pace.rate, pace.varies, pace.missing), (25.0, false, 0));
    }

    #[test]
    fn few_pictures_say_nothing() {
        let mut frames = Frames::default();
        let few = (ENOUGH + REORDERED) as i64;
        (0..few).for_each(|n| frames.note(n * 33_000));
        assert_eq!(frames.pace(), None);
        frames.note(few * 33_000);
        assert!(frames.pace().is_some());
    }

    #[test]
    fn slow_pictures_say_so_before_there_are_many() {
        let mut frames = Frames::default();
        (0..14).for_each(|n| frames.note(n * 1_000_000));
        assert_eq!(frames.pace().map(|pace| pace.rate), Some(1.0));
    }
}
