//! What is counted: events that were queued or not, calls by what came of them.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The counters. Cloning shares them.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    pub(crate) queued: Counter,
    pub(crate) refused: Counter,
    pub(crate) running: Gauge,
    calls: Family<Outcome, Counter>,
}

impl Metrics {
    /// Names them, below whatever prefix the registry has.
    pub fn register(&self, registry: &mut Registry) {
        let webhooks = registry.sub_registry_with_prefix("webhook");
        webhooks.register("deliveries_queued", "Deliveries queued", self.queued.clone());
        let refused = "Deliveries not queued, because too many waited for their webhook";
        webhooks.register("deliveries_refused", refused, self.refused.clone());
        webhooks.register("calls_running", "Calls under way", self.running.clone());
        webhooks.register("calls", "Calls made, by what followed", self.calls.clone());
    }

    pub(crate) fn called(&self, outcome: &'static str) {
        self.calls.get_or_create(&Outcome { outcome }).inc();
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}
