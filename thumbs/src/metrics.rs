//! What is counted: images by what came of them, who waits, and workers.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::job::Failure;

/// The counters of a [`Thumbs`](crate::Thumbs). Cloning shares them.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    outcomes: Family<OutcomeLabel, Counter>,
    waiting: Gauge,
    pub(crate) started: Counter,
    pub(crate) failed: Counter,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

/// One job that waits, until it is dropped.
pub(crate) struct Waiting(Gauge);

impl Metrics {
    /// Names them, below whatever prefix the registry has.
    pub fn register(&self, registry: &mut Registry) {
        let images = registry.sub_registry_with_prefix("images");
        let outcomes =
            "Images asked for, by what came of them; kept: one that was made before, or for another at once";
        images.register("asked", outcomes, self.outcomes.clone());
        images.register(
            "waiting",
            "Images that wait for the worker, or are being made",
            self.waiting.clone(),
        );
        images.register("workers_started", "Workers that were started", self.started.clone());
        images.register(
            "worker_failures",
            "Workers that failed or could not be started",
            self.failed.clone(),
        );
    }

    pub(crate) fn waits(&self) -> Waiting {
        self.waiting.inc();
        Waiting(self.waiting.clone())
    }

    pub(crate) fn made<T>(&self, outcome: &Result<T, Failure>) {
        self.count(outcome.as_ref().map_or_else(|failure| word(*failure), |_| "made"));
    }

    pub(crate) fn kept(&self) {
        self.count("kept");
    }

    pub(crate) fn late(&self) {
        self.count("late");
    }

    fn count(&self, outcome: &'static str) {
        self.outcomes.get_or_create(&OutcomeLabel { outcome }).inc();
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.dec();
    }
}

fn word(failure: Failure) -> &'static str {
    match failure {
        Failure::Refused(_) => "refused",
        Failure::TooLarge => "too-large",
        Failure::Crashed => "crashed",
        Failure::Busy => "busy",
        Failure::Unavailable => "unavailable",
    }
}
