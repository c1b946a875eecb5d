//! xs:duration.

use std::fmt;

/// Microseconds as xs:duration in seconds, without trailing zeros.
pub(super) struct Seconds(pub(super) i64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0.max(0) / 1_000_000, self.0.max(0) % 1_000_000);
        if part == 0 {
            return write!(f, "PT{whole}S");
        }
        let part = format!("{part:06}");
        write!(f, "PT{whole}.{}S", part.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_no_more_digits_than_they_need() {
        let shown = |micros| Seconds(micros).to_string();
        assert_eq!(shown(0), "PT0S");
        assert_eq!(shown(2_000_000), "PT2S");
        assert_eq!(shown(1_795_309_432_123_000), "PT1795309432.123S");
        assert_eq!(shown(5), "PT0.000005S");
    }
}
