//! What inputs count.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The counters of [`Inputs`](super::Inputs). Cloning shares them.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    pub(super) running: Gauge,
    pub(super) bytes: Counter,
    pub(super) attempts: Counter,
    pub(super) failures: Counter,
    pub(super) dropped: Counter,
}

impl Metrics {
    /// Names them, below whatever prefix the registry has.
    pub fn register(&self, registry: &mut Registry) {
        let inputs = registry.sub_registry_with_prefix("inputs");
        inputs.register("running", "Inputs that are on air", self.running.clone());
        inputs.register("received_bytes", "Bytes received by inputs", self.bytes.clone());
        inputs.register("attempts", "Times that inputs called or opened their ports", self.attempts.clone());
        inputs.register("failures", "Times that inputs failed or lost their sender", self.failures.clone());
        let help = "Datagrams of inputs that the kernel had no room for";
        inputs.register("dropped_datagrams", help, self.dropped.clone());
    }
}
