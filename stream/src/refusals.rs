//! What an edge says of peers that it turned away or cut.
//!
//! This is the one place where that is reported, for every edge and reason. Who leaves by himself is not
//! mentioned here. All are counted; the log has only so many lines of each.

use std::fmt::Display;
use std::net::SocketAddr;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use tracing::{info, warn};

use crate::quiet::Quiet;

/// The peers that one edge turned away or cut.
///
/// A reason is a short word of the program's own; the text beside it is for a person and may hold what the peer
/// sent only where it was checked. The log has a few lines a minute of each reason, however many peers come.
#[derive(Debug)]
pub struct Refusals {
    protocol: &'static str,
    quiet: Quiet,
    counts: Family<ReasonLabel, Counter>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

impl Refusals {
    /// Of the edge that speaks `protocol`.
    pub fn new(protocol: &'static str) -> Refusals {
        Refusals { protocol, quiet: Quiet::default(), counts: Family::default() }
    }

    /// Shows how many there were of each reason, as `refusals` below whatever prefix the registry has.
    pub fn register(&self, registry: &mut Registry) {
        let help = "Connections and requests turned away or cut, by reason";
        registry.register("refusals", help, self.counts.clone());
    }

    /// Somebody who is missed now: a publisher, or a viewer whom the server had no room for.
    pub fn warn(&self, peer: Option<SocketAddr>, reason: &'static str, why: &dyn Display) {
        self.count(reason);
        if let Some(unsaid) = self.quiet.may_say(reason) {
            let (protocol, peer) = (self.protocol, Peer(peer));
            warn!(protocol, %peer, reason, unsaid, "refused: {why}");
        }
    }

    /// A passer-by.
    pub fn note(&self, peer: Option<SocketAddr>, reason: &'static str, why: &dyn Display) {
        self.count(reason);
        if let Some(unsaid) = self.quiet.may_say(reason) {
            let (protocol, peer) = (self.protocol, Peer(peer));
            info!(protocol, %peer, reason, unsaid, "cut: {why}");
        }
    }

    fn count(&self, reason: &'static str) {
        self.counts.get_or_create(&ReasonLabel { reason }).inc();
    }
}

/// IPv4 as IPv4, also where it came in over a socket of IPv6.
struct Peer(Option<SocketAddr>);

impl Display for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(peer) => SocketAddr::new(peer.ip().to_canonical(), peer.port()).fmt(f),
            None => f.write_str("unknown"),
        }
    }
}
