//! What is counted: recordings that are open, what was written and how long that took, what was lost and why.

use container::index::Reason;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Bounds of the buckets of the time that one write takes, in seconds.
const BUCKETS: [f64; 9] = [0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 2.0, 10.0];

/// The counters. Cloning shares them.
#[derive(Clone, Debug)]
pub struct Metrics {
    pub(crate) open: Gauge,
    pub(crate) bytes: Counter,
    pub(crate) failures: Counter,
    pub(crate) writes: Histogram,
    lost: Family<Why, Counter>,
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics {
            open: Gauge::default(),
            bytes: Counter::default(),
            failures: Counter::default(),
            writes: Histogram::new(BUCKETS),
            lost: Family::default(),
        }
    }
}

impl Metrics {
    /// Names them, below whatever prefix the registry has.
    pub fn register(&self, registry: &mut Registry) {
        let ours = registry.sub_registry_with_prefix("recorder");
        ours.register("open", "Recordings that are being written", self.open.clone());
        ours.register("media_bytes", "Bytes of segments that were recorded", self.bytes.clone());
        ours.register("failures", "Recordings that could not be begun or taken up", self.failures.clone());
        let help = "How long one write took, with what it synced";
        ours.register_with_unit("write", help, Unit::Seconds, self.writes.clone());
        ours.register("lost_segments", "Segments that were on air and not recorded", self.lost.clone());
    }

    pub(crate) fn lost(&self, reason: Reason) {
        self.lost.get_or_create(&Why { reason: reason.as_str() }).inc();
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Why {
    reason: &'static str,
}
