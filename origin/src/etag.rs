//! Entity tags (RFC 9110 §8.8.3) and the conditions that name them (§13.1).

use http::{HeaderMap, HeaderValue, header};
use sha2::{Digest, Sha256};

/// The strong tag of a body that may change.
pub(crate) fn of_body(body: &[u8]) -> String {
    Sha256::digest(body).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// A tag as a header value: `opaque` in double quotes. `opaque` is ours: plain ASCII without quotes.
pub(crate) fn quoted(opaque: &str) -> HeaderValue {
    HeaderValue::try_from(format!("\"{opaque}\"")).expect("our tags are made of digits, letters, '-' and '.'")
}

/// Whether If-None-Match is there and names `etag`: then the answer is 304 (weak comparison, §13.1.2).
pub(crate) fn not_modified(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    headers.get_all(header::IF_NONE_MATCH).iter().any(|value| {
        let value = value.as_bytes().trim_ascii();
        value == b"*" || tags(value).any(|tag| tag == etag.as_bytes())
    })
}

/// Whether a Range may be answered: there is no If-Range, or it names `etag` (strong comparison, §13.1.5).
///
/// A date never matches, because there is no Last-Modified here.
pub(crate) fn range_applies(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    headers.get(header::IF_RANGE).is_none_or(|value| value == etag)
}

/// The tags of a list, without their weakness mark. Ours hold no comma, so that splitting there is enough.
fn tags(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|&byte| byte == b',').map(|tag| {
        let tag = tag.trim_ascii();
        tag.strip_prefix(b"W/").unwrap_or(tag)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(value: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, value.parse().expect("a header value"));
        not_modified(&headers, &quoted("7-1"))
    }

    #[test]
    fn if_none_match_takes_lists_stars_and_weak_tags() {
        for value in ["\"7-1\"", "W/\"7-1\"", "*", "\"a\", \"7-1\"", "\"a,b\" ,W/\"7-1\"", " * "] {
            assert!(matches(value), "{value}");
        }
        for value in ["\"7-10\"", "7-1", "", ",", "\"7-1", "w/\"7-1\"", "\"*\""] {
            assert!(!matches(value), "{value}");
        }
    }

    #[test]
    fn if_range_wants_the_strong_tag() {
        let mut headers = HeaderMap::new();
        assert!(range_applies(&headers, &quoted("7-1")));
        for (value, applies) in
            [("\"7-1\"", true), ("W/\"7-1\"", false), ("Sun, 22 Nov 2026 01:03:52 GMT", false)]
        {
            headers.insert(header::IF_RANGE, value.parse().expect("a header value"));
            assert_eq!(range_applies(&headers, &quoted("7-1")), applies, "{value}");
        }
    }
}
