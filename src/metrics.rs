//! `/metrics`, `/healthz`, `/readyz`: what a machine asks about the server.
//!
//! Edges count by themselves; streams are asked when somebody looks, so that a stream that is gone leaves nothing
//! behind. The format is OpenMetrics text, which Prometheus and its kin read.

mod process;
mod streams;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use stream::Directory;
use tokio_util::sync::CancellationToken;

use crate::log;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const NO_STORE: (HeaderName, &str) = (CACHE_CONTROL, "no-store");

/// What edges count in.
#[derive(Default)]
pub(crate) struct Edges {
    pub(crate) rtmp: ingest::rtmp::Metrics,
    pub(crate) http: origin::Metrics,
}

/// The pages. Ready until `stop`.
pub(crate) fn router(edges: &Edges, directory: &Directory, stop: &CancellationToken) -> Router {
    let pages = Arc::new(Pages { registry: registry(edges, directory), stop: stop.clone() });
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .with_state(pages)
}

struct Pages {
    registry: Registry,
    stop: CancellationToken,
}

fn registry(edges: &Edges, directory: &Directory) -> Registry {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(process::Process));
    let ours = registry.sub_registry_with_prefix("headwater");
    let version = vec![("version", env!("CARGO_PKG_VERSION"))];
    ours.register("build", "Which Headwater this is", Info::new(version));
    ours.register("panics", "Panics: each one is a bug", log::PANICS.clone());
    edges.rtmp.register(ours);
    edges.http.register(ours);
    ours.register_collector(Box::new(streams::Streams::new(directory.clone())));
    registry
}

async fn metrics(State(pages): State<Arc<Pages>>) -> impl IntoResponse {
    let mut text = String::new();
    match encode(&mut text, &pages.registry) {
        Ok(()) => ([(CONTENT_TYPE, OPEN_METRICS), NO_STORE], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// The process answers.
async fn healthz() -> impl IntoResponse {
    ([NO_STORE], "alive\n")
}

/// It takes new publishers and viewers.
async fn readyz(State(pages): State<Arc<Pages>>) -> impl IntoResponse {
    match pages.stop.is_cancelled() {
        false => (StatusCode::OK, [NO_STORE], "ready\n"),
        true => (StatusCode::SERVICE_UNAVAILABLE, [NO_STORE], "shutting down\n"),
    }
}
