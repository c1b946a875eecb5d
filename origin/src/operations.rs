//! What a machine asks about the server: `/metrics`, `/healthz`, `/readyz`.
//!
//! What is counted is the business of whoever fills the registry. The format is OpenMetrics text, which Prometheus
//! and its kin read.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use http::{HeaderValue, StatusCode};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tokio_util::sync::CancellationToken;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const NO_STORE: (HeaderName, HeaderValue) = (CACHE_CONTROL, HeaderValue::from_static("no-store"));

/// The pages, to be [merged](crate::Server::merge). The server says that it is ready until `stop`.
pub fn operations(registry: Registry, stop: CancellationToken) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(async || ([NO_STORE], "alive\n")))
        .route("/readyz", get(readyz))
        .with_state(Arc::new(Pages { registry, stop }))
}

struct Pages {
    registry: Registry,
    stop: CancellationToken,
}

async fn metrics(State(pages): State<Arc<Pages>>) -> Response {
    let mut text = String::new();
    match encode(&mut text, &pages.registry) {
        Ok(()) => ([(CONTENT_TYPE, HeaderValue::from_static(OPEN_METRICS)), NO_STORE], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, [NO_STORE], error.to_string()).into_response(),
    }
}

/// Whether it takes new publishers and viewers.
async fn readyz(State(pages): State<Arc<Pages>>) -> impl IntoResponse {
    match pages.stop.is_cancelled() {
        false => (StatusCode::OK, [NO_STORE], "ready\n"),
        true => (StatusCode::SERVICE_UNAVAILABLE, [NO_STORE], "shutting down\n"),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::Request;
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn a_server_that_stops_is_alive_and_not_ready() {
        let stop = CancellationToken::new();
        let pages = operations(Registry::default(), stop.clone());
        let status = async |path: &str| {
            let request = Request::get(path).body(Body::empty()).expect("valid");
            pages.clone().oneshot(request).await.expect("infallible").status().as_u16()
        };
        assert_eq!([status("/healthz").await, status("/readyz").await], [200, 200]);
        stop.cancel();
        assert_eq!([status("/healthz").await, status("/readyz").await], [200, 503]);
    }
}
