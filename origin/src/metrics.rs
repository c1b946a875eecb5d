//! What the origin counts: connections, requests by class, bytes, problems and refusals by reason.
//!
//! Counting is a few atomic additions per request. Who shows the numbers, and where, is not decided here.

use std::sync::Arc;

use http::{Response, StatusCode};
use packager::names::{Resource, Ts};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use stream::Refusals;

use crate::problem::Problem;
use crate::target;

/// The counters of a [`Server`](crate::Server). Cloning shares them.
#[derive(Clone, Debug)]
pub struct Metrics {
    pub(crate) connections: Gauge,
    pub(crate) accepted: Counter,
    pub(crate) blocked: Gauge,
    requests: Family<RequestLabels, Counter>,
    bytes: Family<ClassLabel, Counter>,
    problems: Family<ReasonLabel, Counter>,
    pub(crate) refusals: Arc<Refusals>,
    pub(crate) loads: Loads,
}

/// What is counted of stored media.
#[derive(Clone, Debug, Default)]
pub(crate) struct Loads {
    outcomes: Family<OutcomeLabel, Counter>,
    read: Counter,
    /// Of stored segments in memory.
    pub(crate) bytes: Gauge,
}

impl Loads {
    /// A segment of so many bytes was read.
    pub(crate) fn read(&self, len: u64) {
        self.read.inc_by(len);
        self.count("read");
    }

    /// One that was read already, or is being read, is used.
    pub(crate) fn shared(&self) {
        self.count("shared");
    }

    /// One could not be had.
    pub(crate) fn ended(&self, why: Problem) {
        self.count(why.word());
    }

    fn count(&self, outcome: &'static str) {
        self.outcomes.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    fn register(&self, registry: &mut Registry) {
        let outcomes = "Uses of stored segments, by what came of them";
        registry.register("stored_segments", outcomes, self.outcomes.clone());
        registry.register("stored_read_bytes", "Bytes of stored segments read", self.read.clone());
        registry.register("stored_bytes", "Bytes of stored segments in memory", self.bytes.clone());
    }
}

impl Default for Metrics {
    fn default() -> Metrics {
        let refusals = Arc::new(Refusals::new("http"));
        let (connections, accepted, blocked, requests, bytes, problems) = Default::default();
        let loads = Loads::default();
        Metrics { connections, accepted, blocked, requests, bytes, problems, refusals, loads }
    }
}

impl Metrics {
    /// Names them, below whatever prefix the registry has.
    pub fn register(&self, registry: &mut Registry) {
        let http = registry.sub_registry_with_prefix("http");
        http.register("connections", "Open HTTP connections", self.connections.clone());
        http.register("connections_accepted", "HTTP connections accepted", self.accepted.clone());
        let blocked = "Requests that wait for the next part or segment of a stream";
        http.register("blocked_requests", blocked, self.blocked.clone());
        http.register("requests", "Requests answered, by what they asked for", self.requests.clone());
        http.register("response_bytes", "Bytes of answers' bodies handed to the network", self.bytes.clone());
        http.register("problems", "Requests answered with a reason instead", self.problems.clone());
        self.refusals.register(http);
        self.loads.register(http);
    }

    /// One more request and its answer; returns what counts the bytes of its body.
    pub(crate) fn answered<B>(&self, path: &str, response: &Response<B>) -> Counter {
        let class = class(path);
        let labels = RequestLabels { class, status: status(response.status()) };
        self.requests.get_or_create(&labels).inc();
        if let Some(problem) = response.extensions().get::<Problem>() {
            self.problems.get_or_create(&ReasonLabel { reason: problem.word() }).inc();
        }
        self.bytes.get_or_create(&ClassLabel { class }).clone()
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct RequestLabels {
    class: &'static str,
    status: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct ClassLabel {
    class: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

/// What a request asks for, as far as operators care.
fn class(path: &str) -> &'static str {
    match target::parse(path) {
        Ok((_, Resource::Multivariant)) => "multivariant",
        Ok((_, Resource::Playlist { .. })) => "playlist",
        Ok((_, Resource::Mpd)) => "mpd",
        Ok((_, Resource::Init { .. })) => "init",
        Ok((_, Resource::Segment { .. } | Resource::Parts { .. })) => "segment",
        Ok((_, Resource::Part { .. })) => "part",
        Ok((_, Resource::Smooth)) => "smooth",
        Ok((_, Resource::Fragment(_))) => "fragment",
        Ok((_, Resource::Ts(Ts::Multivariant))) => "multivariant",
        Ok((_, Resource::Ts(Ts::Playlist { .. }))) => "playlist",
        Ok((_, Resource::Ts(Ts::Segment { .. }))) => "ts",
        Ok((_, Resource::Picture(_))) => "picture",
        Ok((_, Resource::Download)) => "download",
        Ok((_, Resource::Time)) | Err(_) => "other",
    }
}

fn status(status: StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        5 => "5xx",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_counted_by_what_it_asks_for_and_what_it_got() {
        let (metrics, mut registry) = (Metrics::default(), Registry::with_prefix("x"));
        metrics.register(&mut registry);
        let mut found = Response::new(());
        metrics.answered("/play/e/video-1/7.m4s", &found).inc_by(10);
        *found.status_mut() = StatusCode::GONE;
        found.extensions_mut().insert(Problem::Gone);
        metrics.answered("/play/e/video-1/1.m4s", &found);
        metrics.answered("/../etc/passwd", &found);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).expect("a String takes all");
        for line in [
            "x_http_requests_total{class=\"segment\",status=\"2xx\"} 1",
            "x_http_requests_total{class=\"segment\",status=\"4xx\"} 1",
            "x_http_requests_total{class=\"other\",status=\"4xx\"} 1",
            "x_http_response_bytes_total{class=\"segment\"} 10",
            "x_http_problems_total{reason=\"gone\"} 2",
        ] {
            assert!(text.lines().any(|it| it == line), "{line}\n{text}");
        }
    }
}
