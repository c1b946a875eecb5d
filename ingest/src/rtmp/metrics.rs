//! What the RTMP listener counts. Who shows the numbers, and where, is not decided here.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The counters of a [`Server`](super::Server). Cloning shares them.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    pub(super) connections: Gauge,
    pub(super) accepted: Counter,
    pub(super) bytes: Counter,
    refusals: Family<ReasonLabel, Counter>,
}

impl Metrics {
    /// Names them, below whatever prefix the registry has.
    pub fn register(&self, registry: &mut Registry) {
        let rtmp = registry.sub_registry_with_prefix("rtmp");
        rtmp.register("connections", "Open RTMP connections", self.connections.clone());
        rtmp.register("connections_accepted", "RTMP connections accepted", self.accepted.clone());
        rtmp.register("received_bytes", "Bytes received over RTMP", self.bytes.clone());
        rtmp.register(
            "refusals",
            "RTMP connections refused, or cut by the server, by reason",
            self.refusals.clone(),
        );
    }

    /// One more connection that was refused or cut.
    pub(super) fn refuse(&self, reason: &'static str) {
        self.refusals.get_or_create(&ReasonLabel { reason }).inc();
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}
