//! Conditions of a request (RFC 9110 §13): the tag of a thing is its version, and what else of the answer changes.

use axum::extract::FromRequestParts;
use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::problem::Problem;

/// If-Match and If-None-Match of a request.
#[derive(Debug)]
pub(crate) struct Conditions(HeaderMap);

impl<S: Sync> FromRequestParts<S> for Conditions {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Conditions, Problem> {
        let mut kept = HeaderMap::new();
        for name in [IF_MATCH, IF_NONE_MATCH] {
            kept.extend(parts.headers.get_all(&name).iter().map(|value| (name.clone(), value.clone())));
        }
        Ok(Conditions(kept))
    }
}

/// The tag of a thing: its version, and a word for what of the answer changes besides.
pub(crate) fn tag(version: u64, state: Option<&str>) -> HeaderValue {
    let text = match state {
        Some(state) => format!("\"{version}-{state}\""),
        None => format!("\"{version}\""),
    };
    HeaderValue::try_from(text).expect("digits and a word of ours are a header value")
}

impl Conditions {
    /// The version that the caller wants to change: `None` when he did not say.
    ///
    /// The version decides, and not what else is in the tag: an entry that went on air meanwhile has not changed.
    pub(crate) fn expected(&self, current: u64) -> Result<Option<u64>, Problem> {
        let mut tags = self.tags(&IF_MATCH).peekable();
        if tags.peek().is_none() {
            return Ok(None);
        }
        let matches = |tag: &str| tag == "*" || version(tag) == Some(current);
        if tags.any(matches) { Ok(Some(current)) } else { Err(Problem::stale(current)) }
    }

    /// Whether the caller has the answer with this tag already (weak comparison).
    pub(crate) fn has(&self, tag: &HeaderValue) -> bool {
        let weak = |other: &str| other == "*" || other.strip_prefix("W/").unwrap_or(other).as_bytes() == tag;
        self.tags(&IF_NONE_MATCH).any(weak)
    }

    fn tags(&self, name: &HeaderName) -> impl Iterator<Item = &str> {
        let values = self.0.get_all(name).iter().map(|value| value.to_str().unwrap_or("?"));
        values.flat_map(|value| value.split(',')).map(str::trim)
    }
}

/// The version in a strong tag of ours.
fn version(tag: &str) -> Option<u64> {
    let opaque = tag.strip_prefix('"')?.strip_suffix('"')?;
    opaque.split('-').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conditions(name: HeaderName, value: &'static str) -> Conditions {
        Conditions(HeaderMap::from_iter([(name, HeaderValue::from_static(value))]))
    }

    #[test]
    fn if_match_wants_the_version() {
        for (value, expected) in [
            ("\"3\"", Some(Some(3))),
            ("\"3-live\"", Some(Some(3))),
            ("\"2\", \"3\"", Some(Some(3))),
            ("*", Some(Some(3))),
            ("\"2\"", None),
            ("W/\"3\"", None),
            ("3", None),
            ("", None),
        ] {
            let found = conditions(IF_MATCH, value).expected(3).ok();
            assert_eq!(found, expected, "{value}");
        }
        assert_eq!(Conditions(HeaderMap::new()).expected(3).ok(), Some(None));
    }

    #[test]
    fn if_none_match_wants_the_whole_tag() {
        let tag = tag(3, Some("live"));
        for (value, has) in [
            ("\"3-live\"", true),
            ("W/\"3-live\"", true),
            ("*", true),
            ("\"3\"", false),
            ("\"3-ended\"", false),
        ] {
            assert_eq!(conditions(IF_NONE_MATCH, value).has(&tag), has, "{value}");
        }
    }
}
