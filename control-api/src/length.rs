//! Lengths of time as they are written: `2s`, `500ms`, `1h 30m`.

use std::time::Duration;

use utoipa::ToSchema;

/// A length of time: numbers, each with a unit.
#[derive(ToSchema)]
#[schema(value_type = String, pattern = "^[0-9]{1,8}(ms|s|m|h|d)( [0-9]{1,8}(ms|s|m|h|d)){0,4}$", example = "2s")]
#[allow(dead_code, reason = "for the document alone")]
pub(crate) struct Length(String);

/// The units, from the largest on, in milliseconds.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// Reads one; `None` where it does not match the pattern of [`Length`].
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let terms: Vec<&str> = text.split(' ').collect();
    let millis = terms.iter().map(|text| term(text)).sum::<Option<u64>>()?;
    (terms.len() <= UNITS.len()).then(|| Duration::from_millis(millis))
}

/// Writes one, to the millisecond.
pub(crate) fn format(length: Duration) -> String {
    let mut rest = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
    let mut terms = Vec::new();
    for (unit, millis) in UNITS {
        let count = rest / millis;
        rest %= millis;
        if count > 0 {
            terms.push(format!("{count}{unit}"));
        }
    }
    if terms.is_empty() { "0s".to_owned() } else { terms.join(" ") }
}

fn term(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).filter(|digits| (1..=8).contains(digits))?;
    let (number, unit) = text.split_at(digits);
    let (_, millis) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
    Some(number.parse::<u64>().ok()? * millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for text in ["2s", "500ms", "1h 30m", "7d", "1d 1ms", "0s"] {
            assert_eq!(parse(text).map(format).as_deref(), Some(text));
        }
        assert_eq!(parse("90s").map(format).as_deref(), Some("1m 30s"));
        assert_eq!(parse("99999999d"), Some(Duration::from_secs(99_999_999 * 86_400)));
    }

    #[test]
    fn a_number_has_a_unit_and_nothing_else_is_a_length() {
        for text in
            ["", "2", "s", "2 s", "2S", "-2s", "2.5s", "2s ", " 2s", "2s  3s", "2days", "123456789s", "٢s"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse("1s 1s 1s 1s 1s 1s"), None);
    }
}
