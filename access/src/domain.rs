//! Names of sites, and what is read from a Referer or Origin.

use std::fmt;

/// Longest host name in text form (RFC 1035 §2.3.4).
const MAX_NAME: usize = 253;
/// Longest label of one.
const MAX_LABEL: usize = 63;

/// A site: `example.org`, or `*.example.org` for all below it and not itself. Internationalised names are written in
/// their ASCII form (RFC 5890: `xn--…`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DomainPattern {
    name: String,
    below: bool,
}

impl DomainPattern {
    /// Reads one, in either case; `None` where it has not the shape of a host name.
    pub fn parse(text: &str) -> Option<DomainPattern> {
        let below = text.strip_prefix("*.");
        let name = below.unwrap_or(text);
        is_host(name).then(|| DomainPattern { name: name.to_ascii_lowercase(), below: below.is_some() })
    }

    /// Whether a host is meant; a trailing dot and case make no difference.
    pub fn matches(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        match self.below {
            false => host.eq_ignore_ascii_case(&self.name),
            true => is_below(host.as_bytes(), self.name.as_bytes()),
        }
    }
}

impl fmt::Display for DomainPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.below { "*." } else { "" }, self.name)
    }
}

/// The host of an absolute URI (RFC 3986 §3.2.2) as it stands there, without user and port. `None` where there is none:
/// a `Referer` may be relative, an `Origin` may be `null`.
pub(crate) fn host(uri: &str) -> Option<&str> {
    let (_, rest) = uri.split_once("://")?;
    // A browser takes a backslash for a slash (URL standard, special schemes).
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let address = authority.rsplit_once('@').map_or(authority, |(_, address)| address);
    without_port(address)
}

/// The host of a `Host` field.
pub(crate) fn without_port(address: &str) -> Option<&str> {
    let host = match address.strip_prefix('[') {
        Some(literal) => literal.split_once(']')?.0,
        None => address.split(':').next()?,
    };
    (!host.is_empty()).then_some(host)
}

fn is_below(host: &[u8], name: &[u8]) -> bool {
    host.len()
        .checked_sub(name.len() + 1)
        .is_some_and(|dot| dot > 0 && host[dot] == b'.' && host[dot + 1..].eq_ignore_ascii_case(name))
}

fn is_host(name: &str) -> bool {
    let label = |label: &str| {
        (1..=MAX_LABEL).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    name.len() <= MAX_NAME && name.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_means_a_host_or_all_below_it() {
        let matches = |pattern, host| DomainPattern::parse(pattern).expect("a pattern").matches(host);
        for (pattern, host) in [
            ("example.org", "example.org"),
            ("Example.ORG", "eXample.org"),
            ("example.org", "example.org."),
            ("*.example.org", "www.example.org"),
            ("*.example.org", "A.B.Example.Org"),
            ("localhost", "localhost"),
            ("192.0.2.7", "192.0.2.7"),
        ] {
            assert!(matches(pattern, host), "{pattern} {host}");
        }
        for (pattern, host) in [
            ("example.org", "www.example.org"),
            ("example.org", "badexample.org"),
            ("example.org", "example.org.evil.test"),
            ("*.example.org", "example.org"),
            ("*.example.org", ".example.org"),
            ("*.example.org", "badexample.org"),
            ("*.example.org", ""),
        ] {
            assert!(!matches(pattern, host), "{pattern} {host}");
        }
    }

    #[test]
    fn what_is_no_host_name_is_no_pattern() {
        let long = format!("{}.org", "a".repeat(64));
        for text in [
            "",
            "*",
            "*.",
            "*.*.org",
            "a*.org",
            "https://a.org",
            "a.org/",
            "a.org:80",
            "-a.org",
            "a..org",
            "bücher.example",
            "a_b.org",
            "[::1]",
            long.as_str(),
        ] {
            assert_eq!(DomainPattern::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_host_is_where_a_browser_finds_it() {
        for (uri, expected) in [
            ("https://example.org/a?b#c", Some("example.org")),
            ("http://example.org:8080", Some("example.org")),
            ("https://user:example.org@evil.test/", Some("evil.test")),
            ("https://evil.test\\@example.org/", Some("evil.test")),
            ("https://evil.test?@example.org", Some("evil.test")),
            ("https://evil.test#@example.org", Some("evil.test")),
            ("http://[2001:db8::1]:80/", Some("2001:db8::1")),
            ("null", None),
            ("", None),
            ("/watch/x", None),
            ("about:blank", None),
            ("https:///x", None),
            ("https://:80/", None),
        ] {
            assert_eq!(host(uri), expected, "{uri}");
        }
    }
}
