//! Measures in words.

use std::time::Duration;

/// `300 ms`, `1.5 s`, `2 s`.
pub(super) fn span(duration: Duration) -> String {
    let millis = duration.as_millis();
    if millis < 1000 { format!("{millis} ms") } else { format!("{} s", number(duration.as_secs_f64())) }
}

/// The size of a span of microseconds.
pub(super) fn micros(micros: i64) -> String {
    span(Duration::from_micros(micros.unsigned_abs()))
}

/// `6.2 Mbit/s`, `800 kbit/s`.
pub(super) fn rate(bits: u64) -> String {
    if bits >= 1_000_000 {
        format!("{} Mbit/s", number(bits as f64 / 1e6))
    } else {
        format!("{} kbit/s", bits / 1000)
    }
}

/// At most one decimal.
pub(super) fn number(value: f64) -> String {
    let tenths = (value * 10.0).round() / 10.0;
    if tenths.fract() == 0.0 { format!("{tenths:.0}") } else { format!("{tenths:.1}") }
}

/// `once`, `twice`, `three times or more`: what [`super::recent::Recent`] can tell.
pub(super) fn times(count: usize) -> &'static str {
    match count {
        0 | 1 => "once",
        2 => "twice",
        _ => "three times or more",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_read_as_people_write_them() {
        let spans = [300, 999, 1000, 1500, 2002, 61_000].map(|millis| span(Duration::from_millis(millis)));
        assert_eq!(spans, ["300 ms", "999 ms", "1 s", "1.5 s", "2 s", "61 s"]);
        assert_eq!(
            [rate(800_000), rate(6_240_000), rate(6_000_000)],
            ["800 kbit/s", "6.2 Mbit/s", "6 Mbit/s"]
        );
        assert_eq!(micros(i64::MIN), "9223372036854.8 s");
    }
}
