//! Content coding: whether gzip is welcome (RFC 9110 §12.5.3), and gzip.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, header};

/// Whether the peer takes gzip, and would not rather have the plain body.
pub(crate) fn gzip_welcome(headers: &HeaderMap) -> bool {
    let mut wishes = Wishes::default();
    for value in headers.get_all(header::ACCEPT_ENCODING) {
        value.to_str().unwrap_or_default().split(',').filter_map(wish).for_each(|wish| wishes.take(wish));
    }
    let gzip = wishes.gzip.or(wishes.any).unwrap_or(0);
    gzip > 0 && gzip >= wishes.identity.unwrap_or(0)
}

/// The gzip coding of a manifest.
pub(crate) fn gzip(body: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::default());
    encoder.write_all(body).and_then(|()| encoder.finish()).expect("writing to memory does not fail").into()
}

/// Weights in thousandths.
#[derive(Default)]
struct Wishes {
    gzip: Option<u16>,
    identity: Option<u16>,
    any: Option<u16>,
}

impl Wishes {
    fn take(&mut self, (coding, weight): (&str, u16)) {
        if coding.eq_ignore_ascii_case("gzip") || coding.eq_ignore_ascii_case("x-gzip") {
            self.gzip = Some(weight);
        } else if coding.eq_ignore_ascii_case("identity") {
            self.identity = Some(weight);
        } else if coding == "*" {
            self.any = Some(weight);
        }
    }
}

/// A coding with its weight; nothing for one whose weight cannot be read.
fn wish(member: &str) -> Option<(&str, u16)> {
    let (coding, parameter) = match member.split_once(';') {
        Some((coding, parameter)) => (coding, Some(parameter.trim())),
        None => (member, None),
    };
    let weight = match parameter {
        None => 1000,
        Some(parameter) => qvalue(parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q="))?)?,
    };
    Some((coding.trim(), weight))
}

/// `0`, `0.123`, `1`, `1.000` (RFC 9110 §12.4.2).
fn qvalue(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction: u16 = format!("{fraction:0<3}").parse().ok()?;
    match whole {
        "0" => Some(fraction),
        "1" if fraction == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn welcome(value: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, value.parse().expect("a header value"));
        gzip_welcome(&headers)
    }

    #[test]
    fn weights_decide() {
        for value in [
            "gzip",
            "GZIP",
            "x-gzip",
            "br, gzip",
            "gzip;q=0.001",
            "*",
            "*;q=0.5",
            "br;q=1.0, gzip;q=0.8",
            "identity;q=0.5, gzip;q=0.5",
            "gzip ; q=1.000",
            "deflate;q=x, gzip",
            "identity;q=0, *",
        ] {
            assert!(welcome(value), "{value}");
        }
        for value in [
            "",
            "br",
            "identity",
            "gzip;q=0",
            "gzip;q=0.000",
            "*;q=0",
            "gzip;q=0, *",
            "gzip;q=2",
            "gzip;q=",
            "gzip;q=0.5, identity",
            "gzip;q=0.1234",
            "gzip;level=9",
            "notgzip",
        ] {
            assert!(!welcome(value), "{value}");
        }
        assert!(!gzip_welcome(&HeaderMap::new()));
    }
}
