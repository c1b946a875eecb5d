//! Addresses and networks, each in one spelling.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;

/// An address as networks know it: IPv4 that came through an IPv6 socket (RFC 4291 §2.5.5.2) is IPv4.
pub fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// What somebody who has one address most likely has: of IPv6 a whole /64. Who is counted by his address is counted so.
pub fn subscriber(address: IpAddr) -> IpAddr {
    match canonical(address) {
        IpAddr::V6(six) => Ipv6Addr::from_bits(six.to_bits() & !u128::from(u64::MAX)).into(),
        four => four,
    }
}

/// Reads a network, `192.0.2.0/24`, or one address, which is a network of one. Bits beyond the prefix are cleared, and
/// IPv4 inside IPv6 is IPv4. `None` where it is neither.
pub fn network(text: &str) -> Option<IpNet> {
    let network = match text.parse::<IpNet>() {
        Ok(network) => network,
        Err(_) => IpNet::from(text.parse::<IpAddr>().ok()?),
    };
    Some(unmapped(network).trunc())
}

fn unmapped(network: IpNet) -> IpNet {
    /// Bits before the IPv4 address.
    const MAPPED: u8 = 96;
    let IpNet::V6(six) = network else { return network };
    let four = Ipv6Addr::to_ipv4_mapped(&six.addr()).filter(|_| six.prefix_len() >= MAPPED);
    four.and_then(|four| IpNet::new(four.into(), six.prefix_len() - MAPPED).ok()).unwrap_or(network)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_ipv6_is_one_subscriber() {
        let of = |text: &str| subscriber(text.parse().expect("an address"));
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:192.0.2.7"), of("192.0.2.7"));
    }

    #[test]
    fn a_network_has_one_spelling() {
        for (text, expected) in [
            ("192.0.2.0/24", Some("192.0.2.0/24")),
            ("192.0.2.77/24", Some("192.0.2.0/24")),
            ("192.0.2.7", Some("192.0.2.7/32")),
            ("2001:db8::1", Some("2001:db8::1/128")),
            ("2001:DB8::/32", Some("2001:db8::/32")),
            ("::ffff:10.0.0.0/104", Some("10.0.0.0/8")),
            ("::ffff:10.1.2.3", Some("10.1.2.3/32")),
            ("::/0", Some("::/0")),
            ("10.0.0.0/33", None),
            ("10.0.0/8", None),
            ("example.org", None),
            ("", None),
        ] {
            assert_eq!(network(text).map(|it| it.to_string()).as_deref(), expected, "{text}");
        }
    }
}
