//! Points of a timeline as they are written in a query: RFC 3339, or seconds.

use std::borrow::Cow;

use packager::window::{Asked, At};
use percent_encoding::percent_decode_str;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::problem::Problem;

/// The years that a time may lie in.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=2999;
/// The most seconds: ten years.
const MOST_SECONDS: i64 = 10 * 366 * 86_400;
const MICROS: i64 = 1_000_000;

/// `start` and `end` of a window; `None` where neither is there.
pub(crate) fn window(start: Option<&str>, end: Option<&str>) -> Result<Option<Asked>, Problem> {
    if start.is_none() && end.is_none() {
        return Ok(None);
    }
    let read = |text: &str, problem| point(text).ok_or(problem);
    Ok(Some(Asked {
        start: start.map(|text| read(text, Problem::BadStart)).transpose()?,
        end: end.map(|text| read(text, Problem::BadEnd)).transpose()?,
    }))
}

fn point(text: &str) -> Option<At> {
    // A colon may be percent-encoded, and so may the plus of an offset.
    let text: Cow<'_, str> = percent_decode_str(text).decode_utf8().ok()?;
    match text.strip_prefix('-') {
        Some(back) => seconds(back).map(At::Back),
        None if text.contains(['T', 't']) => wall(&text).map(At::Wall),
        None => seconds(&text).map(At::Since),
    }
}

fn wall(text: &str) -> Option<i64> {
    let at = OffsetDateTime::parse(text, &Rfc3339).ok().filter(|at| YEARS.contains(&at.year()))?;
    i64::try_from(at.unix_timestamp_nanos().div_euclid(1000)).ok()
}

/// Decimal seconds with at most six digits of a fraction, in microseconds.
fn seconds(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(whole, rest)| (whole, Some(rest)));
    let digits = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !digits(whole, 10) || fraction.is_some_and(|rest| !digits(rest, 6)) {
        return None;
    }
    let whole = whole.parse::<i64>().ok().filter(|whole| *whole <= MOST_SECONDS)?;
    let micros = format!("{:0<6}", fraction.unwrap_or_default()).parse::<i64>().ok()?;
    Some(whole * MICROS + micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_seconds_are_read_to_the_microsecond() {
        for (text, at) in [
            ("0", At::Since(0)),
            ("90", At::Since(90_000_000)),
            ("1.5", At::Since(1_500_000)),
            ("0.000001", At::Since(1)),
            ("-30", At::Back(30_000_000)),
            ("-0.25", At::Back(250_000)),
            ("1970-01-01T00:00:01Z", At::Wall(1_000_000)),
            ("1970-01-01t00:00:01.000002z", At::Wall(1_000_002)),
            ("1970-01-01T01:00:00+01:00", At::Wall(0)),
            ("1970-01-01T01%3A00%3A00%2B01%3A00", At::Wall(0)),
        ] {
            assert_eq!(point(text), Some(at), "{text}");
        }
    }

    #[test]
    fn what_a_window_says_of_itself_reads_back_the_same() {
        for at in [At::Since(7), At::Back(1_000_000), At::Wall(1_795_309_432_017_003)] {
            assert_eq!(point(&at.to_string()), Some(at), "{at}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "-",
            "+1",
            "1e3",
            "--1",
            "1.",
            ".5",
            "1.0000001",
            "NaN",
            "inf",
            "0x10",
            "99999999999",
            "2026-11-22",
            "2026-11-22T10:00:00",
            "T",
            "2026-13-22T10:00:00Z",
            "9999-01-01T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "%ff",
            "1 ",
            "1%00",
            "١",
        ] {
            assert_eq!(point(text), None, "{text:?}");
        }
    }
}
