//! What the SRT listener counts. Who shows the numbers, and where, is not decided here.

use std::sync::Arc;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use srt::Stats;
use stream::Refusals;

/// The counters of a [`Server`](super::Server). Cloning shares them.
#[derive(Clone, Debug)]
pub struct Metrics {
    pub(super) connections: Gauge,
    pub(super) accepted: Counter,
    pub(super) bytes: Counter,
    pub(super) packets: Counter,
    pub(super) lost: Counter,
    pub(super) retransmitted: Counter,
    pub(super) dropped: Counter,
    pub(super) undecrypted: Counter,
    pub(super) refusals: Arc<Refusals>,
}

impl Default for Metrics {
    fn default() -> Metrics {
        let refusals = Arc::new(Refusals::new("srt"));
        let (connections, accepted, bytes) = Default::default();
        let (packets, lost, retransmitted, dropped, undecrypted) = Default::default();
        Metrics { connections, accepted, bytes, packets, lost, retransmitted, dropped, undecrypted, refusals }
    }
}

impl Metrics {
    /// Names them, below whatever prefix the registry has.
    pub fn register(&self, registry: &mut Registry) {
        let srt = registry.sub_registry_with_prefix("srt");
        srt.register("connections", "Open SRT connections", self.connections.clone());
        srt.register("connections_accepted", "SRT connections accepted", self.accepted.clone());
        srt.register("received_bytes", "Bytes received over SRT", self.bytes.clone());
        srt.register("received_packets", "Packets received, again or not", self.packets.clone());
        srt.register("lost_packets", "Packets missing when later ones came", self.lost.clone());
        srt.register("retransmitted_packets", "Packets that came again", self.retransmitted.clone());
        srt.register("dropped_packets", "Packets given up as too late", self.dropped.clone());
        srt.register("undecrypted_packets", "Packets that could not be decrypted", self.undecrypted.clone());
        self.refusals.register(srt);
    }

    /// Counts what came since it was asked last.
    pub(super) fn add(&self, now: &Stats, before: &Stats) {
        for (counter, count) in [
            (&self.bytes, (|stats| stats.received_bytes) as fn(&Stats) -> u64),
            (&self.packets, |stats| stats.received_packets),
            (&self.lost, |stats| stats.lost_packets),
            (&self.retransmitted, |stats| stats.retransmitted_packets),
            (&self.dropped, |stats| stats.dropped_packets),
            (&self.undecrypted, |stats| stats.undecrypted_packets),
        ] {
            counter.inc_by(count(now).saturating_sub(count(before)));
        }
    }
}
