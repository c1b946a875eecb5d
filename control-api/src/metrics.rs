//! What the control API counts. Who shows the numbers, and where, is not decided here.

use std::sync::Arc;

use prometheus_client::registry::Registry;
use stream::Refusals;

/// The counters. Cloning shares them.
#[derive(Clone, Debug)]
pub struct Metrics {
    pub(crate) refusals: Arc<Refusals>,
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics { refusals: Arc::new(Refusals::new("api")) }
    }
}

impl Metrics {
    /// Names them, below whatever prefix the registry has.
    pub fn register(&self, registry: &mut Registry) {
        self.refusals.register(registry.sub_registry_with_prefix("api"));
    }
}
