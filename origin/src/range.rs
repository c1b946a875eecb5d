//! The Range header (RFC 9110 §14.2): one range of bytes.

use std::ops::Range;

use http::{HeaderMap, header};

/// What to send of a body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Selection {
    /// All of it (200): no Range, or one that is malformed or asks for several ranges, which may be ignored.
    Whole,
    /// These bytes (206); never empty.
    Bytes(Range<u64>),
    /// Nothing: the range lies past the end (416).
    Unsatisfiable,
}

/// What a request asks for of a body of `len` bytes.
pub(crate) fn selection(headers: &HeaderMap, len: u64) -> Selection {
    let mut values = headers.get_all(header::RANGE).iter();
    let spec = match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok().and_then(Spec::parse),
        _ => None,
    };
    match spec {
        None => Selection::Whole,
        Some(Spec::Suffix(0)) => Selection::Unsatisfiable,
        Some(Spec::Suffix(count)) if len > 0 => Selection::Bytes(len.saturating_sub(count)..len),
        Some(Spec::From(first, last)) if first < len => {
            Selection::Bytes(first..last.map_or(len, |last| len.min(last.saturating_add(1))))
        }
        Some(_) => Selection::Unsatisfiable,
    }
}

enum Spec {
    From(u64, Option<u64>),
    Suffix(u64),
}

impl Spec {
    fn parse(value: &str) -> Option<Spec> {
        let (unit, ranges) = value.split_once('=')?;
        if !unit.trim().eq_ignore_ascii_case("bytes") {
            return None;
        }
        match ranges.trim().split_once('-')? {
            ("", count) => number(count).map(Spec::Suffix),
            (first, "") => number(first).map(|first| Spec::From(first, None)),
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                (first <= last).then_some(Spec::From(first, Some(last)))
            }
        }
    }
}

/// Digits; more of them than fit are simply very large.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_1000(value: &str) -> Selection {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, value.parse().expect("a header value"));
        selection(&headers, 1000)
    }

    #[test]
    fn one_range_is_answered() {
        for (value, range) in [
            ("bytes=0-0", 0..1),
            ("bytes=0-", 0..1000),
            ("bytes=10-19", 10..20),
            ("Bytes=990-2000", 990..1000),
            ("bytes=-1", 999..1000),
            ("bytes=-5000", 0..1000),
            ("bytes=5-99999999999999999999999", 5..1000),
        ] {
            assert_eq!(of_1000(value), Selection::Bytes(range), "{value}");
        }
    }

    #[test]
    fn past_the_end_is_unsatisfiable() {
        for value in ["bytes=1000-", "bytes=1000-1001", "bytes=-0", "bytes=99999999999999999999999-"] {
            assert_eq!(of_1000(value), Selection::Unsatisfiable, "{value}");
        }
    }

    #[test]
    fn what_is_malformed_or_many_is_ignored() {
        for value in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=9-3",
            "bytes=0-1,3-4",
            "items=0-1",
            "bytes=0-1-2",
            "bytes=+1-2",
            "bytes=1 -2",
            "bytes=--1",
        ] {
            assert_eq!(of_1000(value), Selection::Whole, "{value}");
        }
    }

    #[test]
    fn two_headers_are_ignored() {
        let mut headers = HeaderMap::new();
        headers.append(header::RANGE, "bytes=0-1".parse().expect("a header value"));
        headers.append(header::RANGE, "bytes=3-4".parse().expect("a header value"));
        assert_eq!(selection(&headers, 1000), Selection::Whole);
    }
}
