//! The clocks: media time in ticks of a timescale, and wall time in UTC.
//!
//! The third clock, *now*, is monotonic and always an argument; nothing here reads one.

use std::cmp::Ordering;
use std::fmt;
use std::num::NonZeroU32;
use std::time::{Duration, SystemTime};

/// Ticks per second of a track.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Timescale(NonZeroU32);

impl Timescale {
    /// Milliseconds: RTMP timestamps.
    pub const MILLIS: Timescale = Timescale::constant(1000);
    /// Microseconds: comparing tracks and clocks.
    pub const MICROS: Timescale = Timescale::constant(1_000_000);
    /// 90 kHz: every video track that leaves the packager.
    pub const VIDEO: Timescale = Timescale::constant(90_000);

    /// `hz` ticks per second, or `None` for zero.
    pub const fn new(hz: u32) -> Option<Timescale> {
        match NonZeroU32::new(hz) {
            Some(hz) => Some(Timescale(hz)),
            None => None,
        }
    }

    const fn constant(hz: u32) -> Timescale {
        match NonZeroU32::new(hz) {
            Some(hz) => Timescale(hz),
            None => panic!("a timescale is never zero"),
        }
    }

    /// Ticks per second.
    pub const fn hz(self) -> u32 {
        self.0.get()
    }

    /// `ticks` of this timescale in ticks of `to`, rounded to the nearest, halves up.
    pub fn rescale(self, ticks: i64, to: Timescale) -> i64 {
        if self == to {
            return ticks;
        }
        let (from, to) = (i64::from(self.hz()), i64::from(to.hz()));
        let doubled = ticks.checked_mul(2 * to).and_then(|doubled| doubled.checked_add(from));
        doubled.map_or_else(|| rescale_far(ticks, from, to), |doubled| doubled.div_euclid(2 * from))
    }

    /// A duration in ticks, rounded to the nearest.
    pub fn ticks(self, duration: Duration) -> i64 {
        let hz = u64::from(self.hz());
        let whole = duration.as_secs().saturating_mul(hz);
        let rest = (u64::from(duration.subsec_nanos()) * hz + 500_000_000) / 1_000_000_000;
        whole.saturating_add(rest).min(i64::MAX as u64) as i64
    }
}

/// The same where 64 bits do not suffice for what lies between. Dividing 128 bits costs ten times as much.
#[cold]
fn rescale_far(ticks: i64, from: i64, to: i64) -> i64 {
    let (from, to) = (i128::from(from), i128::from(to));
    let doubled = i128::from(ticks) * to * 2 + from;
    doubled.div_euclid(from * 2).clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

/// A point or span of media time together with its scale, for comparison across tracks.
///
/// Ordering and equality are exact: `1/1000` equals `90/90000`.
#[derive(Clone, Copy, Debug)]
pub struct MediaTime {
    /// Ticks of `scale`; may be negative.
    pub ticks: i64,
    /// The unit of `ticks`.
    pub scale: Timescale,
}

impl MediaTime {
    /// Zero.
    pub const ZERO: MediaTime = MediaTime { ticks: 0, scale: Timescale::VIDEO };

    /// `ticks` of `scale`.
    pub const fn new(ticks: i64, scale: Timescale) -> MediaTime {
        MediaTime { ticks, scale }
    }

    /// The same time in ticks of another scale, rounded to the nearest.
    pub fn to(self, scale: Timescale) -> i64 {
        self.scale.rescale(self.ticks, scale)
    }

    /// Seconds, for ratios and for showing.
    pub fn seconds(self) -> f64 {
        self.ticks as f64 / f64::from(self.scale.hz())
    }

    /// Microseconds, rounded to the nearest.
    pub fn micros(self) -> i64 {
        self.to(Timescale::MICROS)
    }

    /// As a duration; `None` when negative.
    pub fn duration(self) -> Option<Duration> {
        u64::try_from(self.micros()).ok().map(Duration::from_micros)
    }
}

impl PartialEq for MediaTime {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for MediaTime {}

impl PartialOrd for MediaTime {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for MediaTime {
    fn cmp(&self, other: &Self) -> Ordering {
        let left = i128::from(self.ticks) * i128::from(other.scale.hz());
        let right = i128::from(other.ticks) * i128::from(self.scale.hz());
        left.cmp(&right)
    }
}

/// UTC, in microseconds since the Unix epoch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct WallTime(i64);

impl WallTime {
    /// Microseconds since the Unix epoch.
    pub const fn from_micros(micros: i64) -> WallTime {
        WallTime(micros)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn from_millis(millis: i64) -> WallTime {
        WallTime(millis * 1000)
    }

    /// Microseconds since the Unix epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Rounded down to the millisecond, which is what manifests can say.
    pub const fn floor_millis(self) -> WallTime {
        WallTime(self.0.div_euclid(1000) * 1000)
    }

    /// Later (or earlier) by a span of media time.
    pub fn plus(self, span: MediaTime) -> WallTime {
        WallTime(self.0.saturating_add(span.micros()))
    }
}

/// Before the epoch is the epoch.
impl From<SystemTime> for WallTime {
    fn from(at: SystemTime) -> WallTime {
        let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        WallTime(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

impl std::ops::Sub for WallTime {
    type Output = MediaTime;

    fn sub(self, other: WallTime) -> MediaTime {
        MediaTime::new(self.0.saturating_sub(other.0), Timescale::MICROS)
    }
}

/// RFC 3339 with milliseconds and `Z`, as EXT-X-PROGRAM-DATE-TIME and xs:dateTime want it.
impl fmt::Display for WallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = (self.0 + 500).div_euclid(1000);
        let at = time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000)
            .unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            at.year(),
            u8::from(at.month()),
            at.day(),
            at.hour(),
            at.minute(),
            at.second(),
            at.millisecond()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rescaling_rounds_to_the_nearest() {
        let audio = Timescale::new(44_100).expect("not zero");
        assert_eq!(Timescale::MILLIS.rescale(23, audio), 1014);
        assert_eq!(Timescale::MILLIS.rescale(-23, audio), -1014);
        assert_eq!(Timescale::MILLIS.rescale(67, Timescale::VIDEO), 6030);
    }

    #[test]
    fn rescaling_is_the_same_where_64_bits_suffice_and_where_not() {
        let fast = Timescale::new(4_000_000_000).expect("not zero");
        for ticks in [i64::MIN, -1 << 53, -3, -1, 0, 1, 3, 1 << 40, 1 << 53, i64::MAX] {
            for (from, to) in [(fast, Timescale::MILLIS), (Timescale::MILLIS, fast)] {
                let far = rescale_far(ticks, from.hz().into(), to.hz().into());
                assert_eq!(from.rescale(ticks, to), far, "{ticks} of {from:?} in {to:?}");
            }
        }
    }

    #[test]
    fn durations_in_ticks_are_rounded_to_the_nearest() {
        let ticks = |nanos| Timescale::VIDEO.ticks(Duration::from_nanos(nanos));
        assert_eq!([ticks(5_555), ticks(5_556), ticks(1_000_000_000)], [0, 1, 90_000]);
        assert_eq!(Timescale::VIDEO.ticks(Duration::MAX), i64::MAX);
    }

    #[test]
    fn times_of_different_scales_compare_exactly() {
        let audio = Timescale::new(44_100).expect("not zero");
        assert_eq!(MediaTime::new(44_100, audio), MediaTime::new(90_000, Timescale::VIDEO));
        assert!(MediaTime::new(1024, audio) > MediaTime::new(2089, Timescale::VIDEO));
        assert!(MediaTime::new(1024, audio) < MediaTime::new(2090, Timescale::VIDEO));
    }

    #[test]
    fn wall_time_shows_milliseconds() {
        assert_eq!(WallTime::from_millis(1_795_309_432_017).to_string(), "2026-11-22T01:03:52.017Z");
    }
}
