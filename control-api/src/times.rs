//! Points of time as they are written: RFC 3339.

use media::WallTime;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The years that a time may lie in, which everything that reads one can hold.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=2999;

/// Reads one; the text of the error is what is wrong with it.
pub(crate) fn parse(text: &str) -> Result<WallTime, String> {
    let wrong = || "is not a time of RFC 3339 like 2026-11-22T19:30:00Z".to_owned();
    let at = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| wrong())?;
    if !YEARS.contains(&at.year()) {
        return Err(format!("is not in the years {} to {}", YEARS.start(), YEARS.end()));
    }
    i64::try_from(at.unix_timestamp_nanos() / 1000).map(WallTime::from_micros).map_err(|_| wrong())
}

/// Writes one, where there is one.
pub(crate) fn show(at: Option<WallTime>) -> Option<String> {
    at.map(|at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_any_offset_is_read_and_shown_in_utc() {
        let shown = |text| parse(text).map(|at| at.to_string());
        assert_eq!(shown("2026-11-22T19:30:00Z").as_deref(), Ok("2026-11-22T19:30:00.000Z"));
        assert_eq!(shown("2026-11-22T19:30:00.5+02:00").as_deref(), Ok("2026-11-22T17:30:00.500Z"));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "tomorrow", "2026-11-22", "2026-11-22T19:30:00", "9999-12-31T23:59:59Z"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
