//! Whether a target is this very server and this very entry, which would go in circles.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use catalog::{EntryId, Keys};
use tokio::net::UdpSocket;

/// Whether something sent to this address under this name comes back as the entry itself. Only what is plain is found: a
/// way over other servers is not.
pub(crate) async fn circle(keys: &Keys, entry: &EntryId, name: &str, to: SocketAddr, ports: &[u16]) -> bool {
    ports.contains(&to.port()) && opens(keys, entry, name) && is_here(to).await
}

/// Whether a key of the entry is in a name: of RTMP, or a stream id of SRT in whichever form.
fn opens(keys: &Keys, entry: &EntryId, name: &str) -> bool {
    let is_key = |text: &str| keys.find(text).is_some_and(|opened| opened.entry.id == *entry);
    let words = name.split(|it: char| !(it.is_alphanumeric() || it == '_' || it == '-' || it == '.'));
    [name]
        .into_iter()
        .chain(words)
        .any(|word| is_key(word) || word.rsplit_once('_').is_some_and(|(key, _)| is_key(key)))
}

/// Whether an address is one of this machine: what is sent there comes from there.
async fn is_here(to: SocketAddr) -> bool {
    let any: IpAddr = match to {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let ip = to.ip().to_canonical();
    if ip.is_loopback() || ip.is_unspecified() {
        return true;
    }
    let Ok(socket) = UdpSocket::bind((any, 0)).await else { return false };
    // Nothing is sent by that.
    let from = match socket.connect(to).await {
        Ok(()) => socket.local_addr().ok(),
        Err(_) => None,
    };
    from.is_some_and(|from| from.ip().to_canonical() == ip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn this_machine_is_known_by_its_addresses() {
        for (text, here) in
            [("127.0.0.1:1", true), ("[::1]:1", true), ("0.0.0.0:1", true), ("192.0.2.1:1", false)]
        {
            assert_eq!(is_here(text.parse().expect("an address")).await, here, "{text}");
        }
    }
}
