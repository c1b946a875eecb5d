//! When a multivariant playlist last changed: for a minute after that, caches must ask again soon.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::HeaderValue;
use moka::sync::Cache;

/// How long a changed body counts as unsettled.
const SETTLING: Duration = Duration::from_secs(60);

/// How long a body that nobody asks for is remembered; afterwards it counts as changed.
const MEMORY: Duration = Duration::from_secs(600);

/// The last known body of each entry's session, and since when.
pub(crate) struct Freshness(Cache<(Arc<str>, u64), (HeaderValue, Instant)>);

impl Freshness {
    /// Remembers at most `entries` of them.
    pub(crate) fn new(entries: u64) -> Freshness {
        Freshness(Cache::builder().max_capacity(entries).time_to_idle(MEMORY).build())
    }

    /// Whether the body with this tag is less than a minute old. One never seen is new.
    pub(crate) fn unsettled(&self, entry: &str, session: u64, etag: &HeaderValue, now: Instant) -> bool {
        let key = (Arc::from(entry), session);
        let since = match self.0.get(&key) {
            Some((known, since)) if known == etag => since,
            _ => {
                self.0.insert(key, (etag.clone(), now));
                now
            }
        };
        now.saturating_duration_since(since) < SETTLING
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_settles_a_minute_after_its_last_change() {
        let freshness = Freshness::new(10);
        let (first, second) = (HeaderValue::from_static("\"1\""), HeaderValue::from_static("\"2\""));
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(freshness.unsettled("x", 7, &first, at(0)));
        assert!(freshness.unsettled("x", 7, &first, at(59)));
        assert!(!freshness.unsettled("x", 7, &first, at(60)));
        assert!(freshness.unsettled("x", 7, &second, at(61)));
        assert!(!freshness.unsettled("x", 7, &second, at(121)));
        assert!(freshness.unsettled("x", 8, &second, at(121)), "another session is another body");
        assert!(freshness.unsettled("y", 7, &second, at(121)), "another entry is another body");
    }
}
