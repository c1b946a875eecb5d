//! What the RTMP listener counts. Who shows the numbers, and where, is not decided here.

use std::sync::Arc;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use stream::Refusals;

/// The counters of a [`Server`](super::Server). Cloning shares them.
#[derive(Clone, Debug)]
pub struct Metrics {
    pub(super) connections: Gauge,
    pub(super) accepted: Counter,
    pub(super) bytes: Counter,
    pub(super) refusals: Arc<Refusals>,
}

impl Default for Metrics {
    fn default() -> Metrics {
        let refusals = Arc::new(Refusals::new("rtmp"));
        let (connections, accepted, bytes) = Default::default();
        Metrics { connections, accepted, bytes, refusals }
    }
}

impl Metrics {
    /// Names them, below whatever prefix the registry has.
    pub fn register(&self, registry: &mut Registry) {
        let rtmp = registry.sub_registry_with_prefix("rtmp");
        rtmp.register("connections", "Open RTMP connections", self.connections.clone());
        rtmp.register("connections_accepted", "RTMP connections accepted", self.accepted.clone());
        rtmp.register("received_bytes", "Bytes received over RTMP", self.bytes.clone());
        self.refusals.register(rtmp);
    }
}
