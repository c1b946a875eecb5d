//! What is counted of the certificate.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tls::Pair;

#[derive(Clone, Debug, Default)]
pub(super) struct Metrics {
    not_after: Gauge,
    refused: Gauge,
    reloads: Family<Outcome, Counter>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

impl Metrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let tls = registry.sub_registry_with_prefix("tls");
        let help = "When the certificate that is served expires, in seconds of Unix time";
        tls.register("certificate_not_after_timestamp_seconds", help, self.not_after.clone());
        let help = "1 while the certificate and key on disk are refused and older ones are served";
        tls.register("certificate_files_refused", help, self.refused.clone());
        tls.register(
            "certificate_reloads",
            "Changes of the files, by what came of them",
            self.reloads.clone(),
        );
    }

    /// This pair is served from now on.
    pub(super) fn serves(&self, pair: &Pair) {
        self.not_after.set(pair.validity().not_after);
        self.refused.set(0);
    }

    /// The files have what is served.
    pub(super) fn settled(&self) {
        self.refused.set(0);
    }

    /// The files were taken up.
    pub(super) fn replaced(&self, pair: &Pair) {
        self.serves(pair);
        self.count("replaced");
    }

    /// The files are of no use.
    pub(super) fn refused(&self) {
        self.refused.set(1);
        self.count("refused");
    }

    fn count(&self, outcome: &'static str) {
        self.reloads.get_or_create(&Outcome { outcome }).inc();
    }
}
