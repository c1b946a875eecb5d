//! Who asks, behind proxies that are trusted to say so.
//!
//! `X-Forwarded-For` is believed of nobody but trusted proxies, and of what it lists only what they added: from the
//! right up to the first address that is no trusted proxy. What stands left of that is what the client made up.
//!
//! `Forwarded` (RFC 7239) is not read: a proxy that writes the one passes on the other as the client sent it, so that
//! whoever reads both believes the client.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use access::{IpNet, canonical};
use http::header::{HOST, HeaderName};
use http::{HeaderMap, Uri};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// The address of the client; that of the peer where no proxy is trusted. A peer that has none, in the same process,
/// is `::`.
pub(crate) fn address(peer: Option<IpAddr>, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let peer = canonical(peer.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)));
    let trusted = |address: &IpAddr| proxies.iter().any(|proxy| proxy.contains(address));
    if !trusted(&peer) {
        return peer;
    }
    let mut nearest = peer;
    for hop in hops(headers) {
        // What is no address was added by nobody who is trusted.
        let Some(hop) = parse(hop) else { break };
        nearest = hop;
        if !trusted(&hop) {
            break;
        }
    }
    nearest
}

/// By which name the client knows the server.
pub(crate) fn host<'a>(
    peer: Option<IpAddr>,
    uri: &'a Uri,
    headers: &'a HeaderMap,
    proxies: &[IpNet],
) -> Option<&'a str> {
    let trusted = peer.map(canonical).is_some_and(|peer| proxies.iter().any(|proxy| proxy.contains(&peer)));
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let said = trusted.then(|| text(FORWARDED_HOST)).flatten();
    // HTTP/2 has it in the target (RFC 9113 §8.3.1).
    said.or_else(|| uri.authority().map(|it| it.as_str())).or_else(|| text(HOST))
}

/// From the nearest to the farthest.
fn hops(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let fields = headers.get_all(FORWARDED_FOR).iter().rev();
    fields.flat_map(|value| value.to_str().unwrap_or("not text").rsplit(',')).map(str::trim)
}

/// An address, with a port or without.
fn parse(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']')).unwrap_or(hop);
    let address = bare.parse::<IpAddr>().or_else(|_| hop.parse::<SocketAddr>().map(|it| it.ip()));
    address.ok().map(canonical)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn check(peer: &str, fields: &[&str], expected: &str) {
        let proxies: Vec<IpNet> =
            ["10.0.0.0/8", "2001:db8:1::/48"].iter().flat_map(|it| it.parse()).collect();
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(FORWARDED_FOR, HeaderValue::from_str(field).expect("a header value"));
        }
        headers.insert("forwarded", HeaderValue::from_static("for=198.51.100.66"));
        headers.insert("x-real-ip", HeaderValue::from_static("198.51.100.66"));
        let address = address(peer.parse().ok(), &headers, &proxies);
        assert_eq!(address.to_string(), expected, "{peer} {fields:?}");
    }

    #[test]
    fn nobody_else_is_believed() {
        check("192.0.2.1", &["198.51.100.66"], "192.0.2.1");
        check("::ffff:192.0.2.1", &["10.0.0.1"], "192.0.2.1");
        check("", &["198.51.100.66"], "::");
    }

    #[test]
    fn a_proxy_is_believed_what_it_added() {
        check("10.0.0.1", &["192.0.2.1"], "192.0.2.1");
        check("::ffff:10.0.0.1", &["192.0.2.1"], "192.0.2.1");
        check("10.0.0.1", &["198.51.100.66, 192.0.2.1"], "192.0.2.1");
        check("10.0.0.1", &["198.51.100.66", "192.0.2.1"], "192.0.2.1");
        check("10.0.0.1", &["198.51.100.66, 192.0.2.1, 10.0.0.2"], "192.0.2.1");
        check("2001:db8:1::1", &["[2001:db8:2::7]:4711"], "2001:db8:2::7");
        check("10.0.0.1", &["192.0.2.1:4711"], "192.0.2.1");
        check("10.0.0.1", &["::ffff:192.0.2.1"], "192.0.2.1");
    }

    #[test]
    fn what_is_no_address_ends_the_list() {
        check("10.0.0.1", &[], "10.0.0.1");
        check("10.0.0.1", &["unknown"], "10.0.0.1");
        check("10.0.0.1", &["192.0.2.1, unknown, 10.0.0.2"], "10.0.0.2");
        check("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3");
        check("10.0.0.1", &[""], "10.0.0.1");
        check("10.0.0.1", &["192.0.2.1,"], "10.0.0.1");
    }
}
