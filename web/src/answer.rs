//! Answers with their headers.

use axum::body::Body;
use axum::response::Response;
use http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::encoding;
use crate::files::{Coding, File};

/// Names of assets hold a hash of what they are.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// Asked for each time; the tag says whether it is still the same.
const ASK_EACH_TIME: &str = "no-cache";

/// The licences of what the build took from others; the one name without a hash.
const LICENSES: &str = "licenses.md";

/// Who may put a page into a frame.
#[derive(Clone, Copy)]
pub(crate) enum Framing {
    /// Only pages of the same origin.
    SameOrigin,
    /// Everybody: that is what it is for.
    Anywhere,
}

impl Framing {
    /// Nothing but our own files and what the player makes of media (`blob:`), and no script in the page itself.
    fn policy(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Framing::SameOrigin => {
                "default-src 'self'; media-src 'self' blob:; worker-src 'self' blob:; object-src 'none'; \
                 base-uri 'self'; form-action 'none'; frame-ancestors 'self'"
            }
            Framing::Anywhere => {
                "default-src 'self'; media-src 'self' blob:; worker-src 'self' blob:; object-src 'none'; \
                 base-uri 'self'; form-action 'none'"
            }
        })
    }
}

/// A page in the coding that the peer likes.
pub(crate) fn page(file: &File, framing: Framing, headers: &HeaderMap) -> Response {
    let mut response = coded(file, "text/html; charset=utf-8", headers);
    let own = response.headers_mut();
    own.insert(CACHE_CONTROL, HeaderValue::from_static(ASK_EACH_TIME));
    own.insert(CONTENT_SECURITY_POLICY, framing.policy());
    response
}

/// What a page needs.
pub(crate) fn asset(path: &str, file: &File, headers: &HeaderMap) -> Response {
    let mut response = coded(file, content_type(path), headers);
    let keep = if path == LICENSES { ASK_EACH_TIME } else { FOR_EVER };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(keep));
    response
}

/// The page that stands in for those that were not built: no script, its style inside.
pub(crate) fn unbuilt(html: String, framing: Framing) -> Response {
    let mut response = Response::new(Body::from(html));
    let own = response.headers_mut();
    own.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    own.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    own.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(match framing {
            Framing::SameOrigin => {
                "default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"
            }
            Framing::Anywhere => "default-src 'none'; media-src 'self'; style-src 'unsafe-inline'",
        }),
    );
    guard(own);
    response
}

/// For an id that can be none, and a file that was not built.
pub(crate) fn nothing_here() -> Response {
    let mut response = Response::new(Body::from("There is nothing here.\n"));
    *response.status_mut() = StatusCode::NOT_FOUND;
    let own = response.headers_mut();
    own.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    own.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=1"));
    guard(own);
    response
}

fn coded(file: &File, content_type: &'static str, headers: &HeaderMap) -> Response {
    let gzip = file.gzip.as_ref().filter(|_| encoding::gzip_welcome(headers));
    let coding = gzip.unwrap_or(&file.plain);
    let mut response = Response::new(Body::empty());
    if has(headers, &coding.etag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        fill(&mut response, coding, content_type, gzip.is_some());
    }
    let own = response.headers_mut();
    own.insert(ETAG, HeaderValue::try_from(&coding.etag).expect("hexadecimal in quotes is a header value"));
    own.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    guard(own);
    response
}

fn fill(response: &mut Response, coding: &Coding, content_type: &'static str, gzip: bool) {
    *response.body_mut() = Body::from(coding.body.clone());
    let own = response.headers_mut();
    own.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if gzip {
        own.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
}

/// Whether the peer has this already (RFC 9110 §13.1.2). Our tags hold no comma.
fn has(headers: &HeaderMap, etag: &str) -> bool {
    let values = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

fn guard(headers: &mut HeaderMap) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
}

/// What the build makes, and no more.
fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("md" | "txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
