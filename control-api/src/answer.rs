//! Answers that are no problem.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, ETAG, LOCATION};
use http::{HeaderValue, StatusCode};
use serde::Serialize;

use crate::conditions::Conditions;

/// The answer to GET, or 304 where the caller has it.
pub(crate) fn found<T: Serialize>(view: &T, tag: HeaderValue, conditions: &Conditions) -> Response {
    if conditions.has(&tag) {
        return (StatusCode::NOT_MODIFIED, [(ETAG, tag)]).into_response();
    }
    changed(view, tag)
}

/// The answer to a change.
pub(crate) fn changed<T: Serialize>(view: &T, tag: HeaderValue) -> Response {
    ([(ETAG, tag)], Json(view)).into_response()
}

/// The answer to a creation: 201 with where it is.
#[derive(Clone, PartialEq, Debug, Serialize, serde::Deserialize)]
pub(crate) struct Created {
    pub(crate) location: String,
    pub(crate) etag: Option<String>,
    /// JSON.
    pub(crate) body: String,
}

impl Created {
    pub(crate) fn new<T: Serialize>(location: String, etag: Option<HeaderValue>, view: &T) -> Created {
        let etag = etag.and_then(|etag| etag.to_str().map(str::to_owned).ok());
        let body = serde_json::to_string(view).expect("a view has text keys and no failing parts");
        Created { location, etag, body }
    }
}

impl IntoResponse for Created {
    fn into_response(self) -> Response {
        let content = [(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        let mut response = (StatusCode::CREATED, content, self.body).into_response();
        let headers = [(LOCATION, Some(self.location)), (ETAG, self.etag)];
        for (name, text) in headers {
            if let Some(value) = text.and_then(|text| HeaderValue::try_from(text).ok()) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}
