//! Answers: headers and body of what was found, or 304 when the peer has it.

use std::ops::Range;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_TYPE, ETAG, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use media::{Kind, WallTime};

use crate::cache_control::Class;
use crate::immutable::{self, Immutable};
use crate::manifest::Rendered;
use crate::problem::Problem;
use crate::range::{self, Selection};
use crate::{cors, encoding, etag};

/// RFC 8216bis §4.
pub(crate) const HLS: &str = "application/vnd.apple.mpegurl";
/// ISO/IEC 23009-1 Annex C.
pub(crate) const DASH: &str = "application/dash+xml";
/// As IANA knows the client manifest.
pub(crate) const SMOOTH: &str = "application/vnd.ms-sstr+xml";

/// What a request wants of a body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Selected {
    /// Nothing: the peer has it.
    Known,
    /// All of it.
    Whole,
    /// These bytes.
    Bytes(Range<u64>),
}

impl Selected {
    /// Whether any byte of the body is sent.
    pub(crate) fn needs_bytes(&self, method: &Method) -> bool {
        *self != Selected::Known && method != Method::HEAD
    }
}

/// Part of a body, or all of it, or only what the peer already has.
pub(crate) fn immutable(
    found: &Immutable,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    Ok(of(found, selected(found, method, headers)?))
}

/// What a request wants of `found`, which may be in storage: tag and length are known of that, too.
pub(crate) fn selected(found: &Immutable, method: &Method, headers: &HeaderMap) -> Result<Selected, Problem> {
    let (etag, len) = (found.etag(), found.len());
    if etag::not_modified(headers, &etag) {
        return Ok(Selected::Known);
    }
    // Range means something with GET alone (RFC 9110 §14.2).
    let ranged = method == Method::GET && etag::range_applies(headers, &etag);
    match if ranged { range::selection(headers, len) } else { Selection::Whole } {
        Selection::Whole => Ok(Selected::Whole),
        Selection::Bytes(range) => Ok(Selected::Bytes(range)),
        Selection::Unsatisfiable => Err(Problem::Unsatisfiable { len }),
    }
}

/// What was selected of `found`.
pub(crate) fn of(found: &Immutable, selected: Selected) -> Response {
    let etag = found.etag();
    match selected {
        Selected::Known => not_modified(Class::Immutable, &etag),
        Selected::Whole => whole(found, &etag),
        Selected::Bytes(range) => partial(found, &etag, range),
    }
}

/// A segment that is still being made: neither length nor tag nor ranges, and kept by caches once it is whole
/// (RFC 9111 §3.3).
pub(crate) fn growing(body: Body, kind: Kind) -> Response {
    let mut response = open(body, Class::Immutable);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(immutable::mime_type(kind)));
    response
}

/// A manifest in the coding that the peer likes.
pub(crate) fn manifest(
    rendered: &Rendered,
    mime_type: &'static str,
    class: Class,
    headers: &HeaderMap,
) -> Response {
    let gzip = encoding::gzip_welcome(headers);
    let coded = if gzip { rendered.gzip() } else { rendered.plain() };
    let mut response = if etag::not_modified(headers, &coded.etag) {
        not_modified(class, &coded.etag)
    } else {
        let mut response = tagged(Body::from(coded.body.clone()), class, &coded.etag);
        let own = response.headers_mut();
        own.insert(CONTENT_TYPE, HeaderValue::from_static(mime_type));
        if gzip {
            own.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    };
    response.headers_mut().insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    response
}

/// A JPEG (RFC 2046 §4.2).
pub(crate) fn jpeg(image: &Bytes, class: Class, headers: &HeaderMap) -> Response {
    let etag = etag::quoted(&etag::of_body(image));
    if etag::not_modified(headers, &etag) {
        return not_modified(class, &etag);
    }
    let mut response = tagged(Body::from(image.clone()), class, &etag);
    let own = response.headers_mut();
    own.insert(CONTENT_TYPE, HeaderValue::from_static("image/jpeg"));
    own.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The server's clock as xs:dateTime (ISO/IEC 23009-1 §5.8.5.7, `urn:mpeg:dash:utc:http-iso:2014`).
pub(crate) fn clock(now: WallTime) -> Response {
    let mut response = open(Body::from(now.to_string()), Class::Never);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// Which bytes of a file are sent.
pub(crate) struct Whole {
    /// Bytes of all of it.
    pub(crate) len: u64,
    /// Those that are sent.
    pub(crate) range: Range<u64>,
    /// Whether they were asked for by a range.
    pub(crate) partial: bool,
}

/// A file to keep (RFC 6266), called after its entry.
pub(crate) fn download(body: Body, whole: &Whole, entry: &str, class: Class, etag: &HeaderValue) -> Response {
    let Whole { len, range, partial } = whole;
    let mut response = tagged(body, class, etag);
    let text = |text: String| HeaderValue::try_from(text).expect("ids and digits are a header value");
    let own = response.headers_mut();
    own.insert(CONTENT_TYPE, HeaderValue::from_static("video/mp4"));
    own.insert(CONTENT_DISPOSITION, text(format!("attachment; filename=\"{entry}.mp4\"")));
    own.insert(CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
    own.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if *partial {
        own.insert(CONTENT_RANGE, text(format!("bytes {}-{}/{len}", range.start, range.end - 1)));
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    response
}

fn whole(found: &Immutable, etag: &HeaderValue) -> Response {
    let mut response = tagged(Body::new(found.body(0..found.len())), Class::Immutable, etag);
    let own = response.headers_mut();
    own.insert(CONTENT_TYPE, HeaderValue::from_static(found.mime_type()));
    own.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    response
}

fn partial(found: &Immutable, etag: &HeaderValue, range: Range<u64>) -> Response {
    let mut response = tagged(Body::new(found.body(range.clone())), Class::Immutable, etag);
    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    let value = format!("bytes {}-{}/{}", range.start, range.end - 1, found.len());
    let own = response.headers_mut();
    own.insert(CONTENT_TYPE, HeaderValue::from_static(found.mime_type()));
    own.insert(CONTENT_RANGE, HeaderValue::try_from(value).expect("digits are a header value"));
    own.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    response
}

/// 304 with the headers that would update what the peer has (RFC 9110 §15.4.5).
pub(crate) fn not_modified(class: Class, etag: &HeaderValue) -> Response {
    let mut response = tagged(Body::empty(), class, etag);
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    response
}

fn tagged(body: Body, class: Class, etag: &HeaderValue) -> Response {
    let mut response = open(body, class);
    response.headers_mut().insert(ETAG, etag.clone());
    response
}

fn open(body: Body, class: Class) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, class.cache_control());
    cors::open(headers);
    response
}
