//! Peers that are called: a name to addresses, addresses looked at.

use std::net::{IpAddr, SocketAddr};

use address::input::Host;
use address::is_public;
use tokio::net::lookup_host;
use tokio::time::{Instant, timeout_at};

use super::task::Task;

/// The addresses to try in turn until then, all of which may be called; or why there is none.
pub(super) async fn addresses(task: &Task, host: &Host, until: Instant) -> Result<Vec<SocketAddr>, String> {
    let found = match host.address() {
        Some(ip) => vec![SocketAddr::new(ip, host.port)],
        None => match timeout_at(until, lookup_host((host.name.as_str(), host.port))).await {
            Ok(Ok(found)) => found.collect(),
            Ok(Err(error)) => return Err(format!("cannot find {}: {error}", host.name)),
            Err(_) => return Err(format!("{} was not found in time", host.name)),
        },
    };
    let private = task.definition.trusted || task.shared.settings.allow_private;
    // One look for all of them: a name with one private address may be meant to lead there.
    match found.iter().find(|address| !may_be_called(address.ip(), private)) {
        Some(address) => Err(format!(
            "{} is an address that inputs of the API may not call (input.allow_private)",
            address.ip()
        )),
        None if found.is_empty() => Err(format!("{} has no address", host.name)),
        None => Ok(found),
    }
}

/// Nobody answers at an address of none or of many.
fn may_be_called(ip: IpAddr, private: bool) -> bool {
    let ip = ip.to_canonical();
    !ip.is_unspecified() && !ip.is_multicast() && (private || is_public(ip))
}
