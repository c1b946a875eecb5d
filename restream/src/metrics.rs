//! What is counted.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::status::State;

/// The counters. Cloning shares them.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    pub(crate) bytes: Family<By, Counter>,
    pub(crate) frames: Family<By, Counter>,
    pub(crate) skipped: Counter,
    pub(crate) attempts: Counter,
    pub(crate) failures: Counter,
    targets: Family<In, Gauge>,
}

impl Metrics {
    /// Names them, below whatever prefix the registry has.
    pub fn register(&self, registry: &mut Registry) {
        let restream = registry.sub_registry_with_prefix("restream");
        restream.register("targets", "Targets, by where they stand", self.targets.clone());
        restream.register("bytes", "Bytes that targets took", self.bytes.clone());
        restream.register("frames", "Frames that targets were sent", self.frames.clone());
        let skipped = "Frames left out because a target was too slow";
        restream.register("skipped_frames", skipped, self.skipped.clone());
        restream.register("attempts", "Attempts to connect to a target", self.attempts.clone());
        restream.register("failures", "Attempts and connections that failed", self.failures.clone());
    }

    /// A target goes from one state to another; `None` is not there.
    pub(crate) fn moved(&self, from: Option<State>, to: Option<State>) {
        let gauge = |state: State| self.targets.get_or_create_owned(&In { state: state.as_str() });
        if let Some(from) = from {
            gauge(from).dec();
        }
        if let Some(to) = to {
            gauge(to).inc();
        }
    }
}

/// By what a target is sent to.
#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
pub(crate) struct By {
    pub(crate) protocol: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct In {
    state: &'static str,
}
