//! Whether gzip is welcome (RFC 9110 §12.5.3).

use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

/// Whether the peer names gzip and does not refuse it. Who names nothing gets the plain file.
pub(crate) fn gzip_welcome(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(takes_gzip)
}

fn takes_gzip(member: &str) -> bool {
    let (coding, weight) = member.split_once(';').unwrap_or((member, "q=1"));
    let refused = weight.trim().trim_start_matches("q=").trim_matches(['0', '.']).is_empty();
    coding.trim().eq_ignore_ascii_case("gzip") && !refused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_has_to_be_named_and_not_refused() {
        for (value, welcome) in [
            ("gzip", true),
            ("gzip, deflate, br, zstd", true),
            ("br;q=1.0, gzip;q=0.8", true),
            ("GZIP ; q=0.05", true),
            ("", false),
            ("br", false),
            ("gzip;q=0", false),
            ("gzip; q=0.000, br", false),
            ("notgzip", false),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, value.parse().expect("a header value"))]);
            assert_eq!(gzip_welcome(&headers), welcome, "{value}");
        }
        assert!(!gzip_welcome(&HeaderMap::new()));
    }
}
