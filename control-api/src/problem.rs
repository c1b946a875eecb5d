//! What went wrong, as RFC 9457 says it.
//!
//! The `type` of a problem is stable and is what a program decides by; `title` goes with the type, `detail` is for
//! people. The URI is relative to the server, which explains it there (`/api/problems/NAME`).

use axum::Json;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

/// Where the types of problems are explained.
pub(crate) const TYPES: &str = "/api/problems";

/// Declares the kinds of problems: name, status and title of each.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal, $status:ident, $title:literal;)+) => {
        /// A type of problem.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(crate) enum Kind { $($(#[$doc])* $kind,)+ }

        impl Kind {
            pub(crate) const ALL: &'static [Kind] = &[$(Kind::$kind),+];

            /// The last part of its URI, and its word in the log.
            pub(crate) fn name(self) -> &'static str {
                match self { $(Kind::$kind => $name),+ }
            }

            pub(crate) fn status(self) -> StatusCode {
                match self { $(Kind::$kind => StatusCode::$status),+ }
            }

            pub(crate) fn title(self) -> &'static str {
                match self { $(Kind::$kind => $title),+ }
            }
        }
    };
}

kinds! {
    /// Not the syntax that it should have.
    Malformed = "malformed", BAD_REQUEST, "The request cannot be read";
    /// No token, or one that opens nothing.
    Unauthorized = "unauthorized", UNAUTHORIZED, "A valid API token is needed";
    /// The token's role does not allow it.
    Forbidden = "forbidden", FORBIDDEN, "The token's role does not allow this";
    /// Not there, or another account's.
    NotFound = "not-found", NOT_FOUND, "There is no such thing";
    /// Not with this method.
    Method = "method-not-allowed", METHOD_NOT_ALLOWED, "The path does not have this method";
    /// The body did not come in time.
    Timeout = "timeout", REQUEST_TIMEOUT, "The request did not arrive in time";
    /// It contradicts what is there.
    Conflict = "conflict", CONFLICT, "It contradicts the present state";
    /// A request with the same idempotency key is under way.
    InProgress = "in-progress", CONFLICT, "The same request is being worked on";
    /// What it was about was changed since.
    Stale = "stale", PRECONDITION_FAILED, "It was changed meanwhile";
    /// The body is too large.
    TooLarge = "too-large", PAYLOAD_TOO_LARGE, "The body is too large";
    /// The body is not JSON.
    MediaType = "media-type", UNSUPPORTED_MEDIA_TYPE, "The body is not JSON";
    /// It can be read, and some of it cannot be.
    Invalid = "invalid", UNPROCESSABLE_ENTITY, "Some of the request cannot be";
    /// The idempotency key belongs to another request.
    KeyReused = "key-reused", UNPROCESSABLE_ENTITY, "The idempotency key belongs to another request";
    /// Too many requests.
    TooMany = "too-many-requests", TOO_MANY_REQUESTS, "Too many requests";
    /// A bug.
    Broken = "broken", INTERNAL_SERVER_ERROR, "The server failed";
    /// Try again a little later.
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "Not available at the moment";
}

/// What went wrong, ready to be answered.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    kind: Kind,
    detail: String,
    errors: Vec<FieldError>,
    /// Seconds after which it may be different.
    retry_after: Option<u64>,
}

/// Problem details (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct View {
    /// What kind of problem it is: stable, relative to the server, and explained there.
    #[schema(format = "uri-reference", example = "/api/problems/invalid")]
    r#type: String,
    /// The same for people.
    title: &'static str,
    /// The status of the answer.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What about this request.
    detail: String,
    /// What is wrong with which part of the request, all of it at once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
}

/// What is wrong with a part of a request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub(crate) struct FieldError {
    /// Which part: a path into the body like `settings.segment`, or the name of a parameter or header.
    pub(crate) field: String,
    /// What is wrong with it, and what would be right.
    pub(crate) problem: String,
}

impl Problem {
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Problem {
        Problem { kind, detail: detail.into(), errors: Vec::new(), retry_after: None }
    }

    pub(crate) fn not_found(what: &str) -> Problem {
        Problem::new(Kind::NotFound, format!("there is no such {what}"))
    }

    pub(crate) fn conflict(detail: impl Into<String>) -> Problem {
        Problem::new(Kind::Conflict, detail)
    }

    pub(crate) fn stale(current: u64) -> Problem {
        Problem::new(Kind::Stale, format!("it is at version {current}"))
    }

    pub(crate) fn invalid(errors: Vec<FieldError>) -> Problem {
        let detail = match errors.as_slice() {
            [one] => format!("{}: {}", one.field, one.problem),
            errors => format!("{} parts of the request cannot be", errors.len()),
        };
        Problem { errors, ..Problem::new(Kind::Invalid, detail) }
    }

    pub(crate) fn invalid_field(field: impl Into<String>, problem: impl Into<String>) -> Problem {
        Problem::invalid(vec![FieldError { field: field.into(), problem: problem.into() }])
    }

    /// Try again after so many seconds.
    pub(crate) fn after(self, seconds: u64) -> Problem {
        Problem { retry_after: Some(seconds), ..self }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }
}

impl From<catalog::Error> for Problem {
    fn from(error: catalog::Error) -> Problem {
        use catalog::Error;
        match error {
            Error::NotFound(what) => Problem::not_found(what),
            Error::Stale { current } => Problem::stale(current),
            Error::Conflict(why) => Problem::conflict(why),
            Error::Invalid { field, problem } => Problem::invalid_field(field, problem),
            Error::Rejected(why) => unauthorized(why.to_string()),
            Error::Unavailable(_) => {
                tracing::warn!(%error, "request not answered");
                Problem::new(Kind::Unavailable, "the database is not available").after(2)
            }
            Error::TooNew { .. } | Error::Broken(_) => {
                tracing::error!(%error, "request not answered");
                Problem::new(Kind::Broken, "this is a bug of the server; its log says more")
            }
        }
    }
}

pub(crate) fn unauthorized(detail: impl Into<String>) -> Problem {
    Problem::new(Kind::Unauthorized, detail)
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let view = View {
            r#type: format!("{TYPES}/{}", self.kind.name()),
            title: self.kind.title(),
            status: self.kind.status().as_u16(),
            detail: self.detail,
            errors: self.errors,
        };
        let mut response = (self.kind.status(), Json(view)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.extend(self.retry_after.map(|seconds| (RETRY_AFTER, HeaderValue::from(seconds))));
        if self.kind == Kind::Unauthorized {
            // RFC 6750 §3.
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"headwater\""));
        }
        response
    }
}

/// What a type of problem means.
pub(crate) async fn explain(Path(name): Path<String>) -> Result<String, Problem> {
    let kind = Kind::ALL.iter().find(|kind| kind.name() == name);
    let kind = kind.ok_or_else(|| Problem::not_found("type of problem"))?;
    Ok(format!("{TYPES}/{}: {} ({})\n", kind.name(), kind.title(), kind.status()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The types are the contract: a program decides by them.
    #[test]
    fn the_types_stay_what_they_are() {
        let types: Vec<_> = Kind::ALL.iter().map(|kind| (kind.name(), kind.status().as_u16())).collect();
        let expected = [
            ("malformed", 400),
            ("unauthorized", 401),
            ("forbidden", 403),
            ("not-found", 404),
            ("method-not-allowed", 405),
            ("timeout", 408),
            ("conflict", 409),
            ("in-progress", 409),
            ("stale", 412),
            ("too-large", 413),
            ("media-type", 415),
            ("invalid", 422),
            ("key-reused", 422),
            ("too-many-requests", 429),
            ("broken", 500),
            ("unavailable", 503),
        ];
        assert_eq!(types, expected);
    }
}
