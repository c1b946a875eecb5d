//! Which path is which handler.

use axum::Router;
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::admission::admit;
use crate::api::Api;
use crate::control::Control;
use crate::problem::{self, Kind, Problem};
use crate::{
    accounts, audit, clips, entries, events, jobs, live, openapi, playback_token, recordings, tokens,
    webhooks,
};

/// Everything below `/api`: `/api/v1/…`, its description and the reference page `/api/docs`. To be merged with other
/// routers; it has no fallback of its own.
///
/// The address of a peer is looked for among the request's extensions, as a `SocketAddr`.
pub fn router(api: Api) -> Router {
    let control = Control::new(api);
    let (routes, _) = routes().split_for_parts();
    let routes = routes
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn_with_state(control.clone(), admit))
        .with_state(control);
    Router::new()
        .nest(PREFIX, routes)
        .route(DOCUMENT, get(description))
        .route(&format!("{}/{{name}}", problem::TYPES), get(problem::explain))
        .route("/api/{*below}", any(nothing_here))
        .method_not_allowed_fallback(no_such_method)
        .layer(map_response(guarded))
        .merge(SwaggerUi::new("/api/docs").config(Config::from(DOCUMENT).try_it_out_enabled(true)))
}

/// The description of all of it.
pub(crate) fn document() -> OpenApi {
    openapi::complete(routes().split_for_parts().1)
}

/// What every path of the API begins with.
pub(crate) const PREFIX: &str = "/api/v1";
const DOCUMENT: &str = "/api/v1/openapi.json";

/// One router a module.
fn routes() -> OpenApiRouter<Control> {
    OpenApiRouter::with_openapi(openapi::base())
        .merge(live::router())
        .merge(entries::router())
        .merge(playback_token::router())
        .merge(recordings::router())
        .merge(jobs::router())
        .merge(tokens::router())
        .merge(accounts::router())
        .merge(audit::router())
        .merge(events::router())
        .merge(webhooks::router())
        .merge(clips::router())
}

async fn description() -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], openapi::openapi()).into_response()
}

async fn nothing_here() -> Problem {
    Problem::not_found("path")
}

async fn no_such_method() -> Problem {
    Problem::new(Kind::Method, "see /api/docs for what there is")
}

/// Answers have secrets in them and are no pages.
async fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
