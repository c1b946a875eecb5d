//! Why there is no answer: a status, what caches may do with it, and a body that says so (RFC 9457).

use access::Denied;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_RANGE, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE,
};
use http::{HeaderValue, StatusCode};
use packager::window::Missing;

use crate::cache_control::Class;
use crate::cors;

/// What is wrong with a request, or with what it asks for. The texts hold nothing that the peer sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("there is nothing under this path")]
    NoSuchPath,
    #[error("there is no such entry, or no such session of it")]
    UnknownEntry,
    #[error("the entry is not live")]
    NotLive,
    #[error("the entry has no such rendition")]
    NoSuchRendition,
    #[error("Smooth Streaming has no name for the codecs of this entry: use HLS or DASH")]
    NotForSmooth,
    #[error(
        "segments of MPEG-TS carry H.264, AAC and MPEG audio here, which this is not: use the HLS playlist of the entry or DASH"
    )]
    NotForTs,
    #[error("this is not there yet")]
    NotYet,
    #[error("this was there, or was skipped, and will not come again")]
    Gone,
    #[error("the stream is starting: there is nothing to play yet")]
    Starting,
    #[error("the value of s is not one session: a decimal number")]
    BadSession,
    #[error("the value of ll is not 0 or 1")]
    BadLowLatency,
    #[error("the value of _HLS_msn is not one decimal number (RFC 8216bis §6.2.5.2)")]
    BadMsn,
    #[error("the value of _HLS_part is not one decimal number (RFC 8216bis §6.2.5.2)")]
    BadPart,
    #[error("_HLS_part says nothing without _HLS_msn (RFC 8216bis §6.2.5.2)")]
    PartWithoutMsn,
    #[error("the value of _HLS_skip is not YES or v2 (RFC 8216bis §6.2.5.1)")]
    BadSkip,
    #[error("_HLS_msn or _HLS_part is too far ahead of the playlist (RFC 8216bis §6.2.5.2)")]
    TooFarAhead,
    #[error("what was asked for did not come in three target durations")]
    NotInTime { target_duration: u32 },
    #[error("too many requests are waiting (http.max_waiting)")]
    TooManyWaiting { target_duration: u32 },
    #[error("this was expected and will not come")]
    NeverMade,
    #[error(
        "the value of start is not one time: RFC 3339, or seconds from the beginning, or -seconds from the edge"
    )]
    BadStart,
    #[error(
        "the value of end is not one time: RFC 3339, or seconds from the beginning, or -seconds from the edge"
    )]
    BadEnd,
    #[error("the window ends where it begins, or before")]
    EmptyWindow,
    #[error("timeline is one name of a-z, 0-9 and -, and goes without s")]
    BadTimeline,
    #[error("the entry has no such timeline, or it has not begun")]
    NoSuchTimeline,
    #[error(
        "the value of at is not one time: RFC 3339, or seconds from the beginning, or -seconds from the edge"
    )]
    BadAt,
    #[error("the value of width is not one even number from 16 to 1920")]
    BadWidth,
    #[error("the picture cannot be decoded")]
    Undecodable,
    #[error("too many images are being made")]
    TooManyImages,
    #[error("this server makes no images now: its headwater-worker is not there, or does not start")]
    NoImages,
    #[error("only GET, HEAD and OPTIONS are served here")]
    Method,
    #[error("path and query are too long")]
    TargetTooLong,
    #[error("an HTTP/1.1 request has exactly one Host (RFC 9112 §3.2)")]
    BadHost,
    #[error("a request of this method has no content here")]
    UnwantedContent,
    #[error("the range lies past the end")]
    Unsatisfiable { len: u64 },
    #[error("{0}")]
    Denied(Denied),
    #[error("what is stored of this is damaged")]
    Damaged,
    #[error("the storage of this failed: the server's log says how")]
    StorageFailed,
    #[error("the storage of this did not answer in time")]
    StorageSlow,
    #[error("too much stored media is being read or sent")]
    TooManyLoads,
    #[error("it is still on air: there is a file when it is over")]
    StillOnAir,
    #[error("it is too long for one file")]
    TooLong,
    #[error("the format of its pictures or its sound changes: it does not go into one file")]
    NotOneFile,
    #[error("the value of rendition is not one name")]
    BadRendition,
    #[error("too many files are being sent")]
    TooManyDownloads,
}

impl Problem {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Problem::NoSuchPath | Problem::UnknownEntry | Problem::NotLive => StatusCode::NOT_FOUND,
            Problem::NotForSmooth | Problem::NotForTs => StatusCode::NOT_FOUND,
            Problem::NoSuchRendition | Problem::NotYet | Problem::NeverMade => StatusCode::NOT_FOUND,
            Problem::NoSuchTimeline => StatusCode::NOT_FOUND,
            Problem::Gone => StatusCode::GONE,
            Problem::Starting | Problem::NotInTime { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Problem::TooManyWaiting { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Problem::BadMsn | Problem::BadPart | Problem::PartWithoutMsn => StatusCode::BAD_REQUEST,
            Problem::BadSkip | Problem::TooFarAhead => StatusCode::BAD_REQUEST,
            Problem::BadSession | Problem::BadLowLatency => StatusCode::BAD_REQUEST,
            Problem::BadStart | Problem::BadEnd | Problem::EmptyWindow => StatusCode::BAD_REQUEST,
            Problem::BadTimeline => StatusCode::BAD_REQUEST,
            Problem::BadAt | Problem::BadWidth => StatusCode::BAD_REQUEST,
            Problem::Undecodable => StatusCode::NOT_FOUND,
            Problem::TooManyImages | Problem::NoImages => StatusCode::SERVICE_UNAVAILABLE,
            Problem::BadHost | Problem::UnwantedContent => StatusCode::BAD_REQUEST,
            Problem::Method => StatusCode::METHOD_NOT_ALLOWED,
            Problem::TargetTooLong => StatusCode::URI_TOO_LONG,
            Problem::Unsatisfiable { .. } => StatusCode::RANGE_NOT_SATISFIABLE,
            Problem::Denied(denied) if denied.lacks_token() => StatusCode::UNAUTHORIZED,
            Problem::Denied(_) => StatusCode::FORBIDDEN,
            Problem::Damaged => StatusCode::GONE,
            Problem::StorageFailed | Problem::StorageSlow => StatusCode::SERVICE_UNAVAILABLE,
            Problem::TooManyLoads => StatusCode::SERVICE_UNAVAILABLE,
            Problem::StillOnAir => StatusCode::CONFLICT,
            Problem::TooLong | Problem::NotOneFile => StatusCode::UNPROCESSABLE_ENTITY,
            Problem::BadRendition => StatusCode::BAD_REQUEST,
            Problem::TooManyDownloads => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// A short word for metrics and logs.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Problem::NoSuchPath => "no-such-path",
            Problem::UnknownEntry => "unknown-entry",
            Problem::NotLive => "not-live",
            Problem::NoSuchRendition => "no-such-rendition",
            Problem::NotForSmooth => "not-for-smooth",
            Problem::NotForTs => "not-for-ts",
            Problem::NotYet => "not-yet",
            Problem::Gone => "gone",
            Problem::Starting => "starting",
            Problem::BadSession => "bad-session",
            Problem::BadLowLatency => "bad-ll",
            Problem::BadMsn => "bad-msn",
            Problem::BadPart => "bad-part",
            Problem::PartWithoutMsn => "part-without-msn",
            Problem::BadSkip => "bad-skip",
            Problem::TooFarAhead => "too-far-ahead",
            Problem::NotInTime { .. } => "not-in-time",
            Problem::TooManyWaiting { .. } => "too-many-waiting",
            Problem::NeverMade => "never-made",
            Problem::BadStart => "bad-start",
            Problem::BadEnd => "bad-end",
            Problem::EmptyWindow => "empty-window",
            Problem::BadTimeline => "bad-timeline",
            Problem::NoSuchTimeline => "no-such-timeline",
            Problem::BadAt => "bad-at",
            Problem::BadWidth => "bad-width",
            Problem::Undecodable => "undecodable",
            Problem::TooManyImages => "too-many-images",
            Problem::NoImages => "no-images",
            Problem::Method => "method",
            Problem::TargetTooLong => "target-too-long",
            Problem::BadHost => "bad-host",
            Problem::UnwantedContent => "unwanted-content",
            Problem::Unsatisfiable { .. } => "unsatisfiable",
            Problem::Denied(denied) => denied.word(),
            Problem::Damaged => "damaged",
            Problem::StorageFailed => "storage-failed",
            Problem::StorageSlow => "storage-slow",
            Problem::TooManyLoads => "too-many-loads",
            Problem::StillOnAir => "still-on-air",
            Problem::TooLong => "too-long",
            Problem::NotOneFile => "not-one-file",
            Problem::BadRendition => "bad-rendition",
            Problem::TooManyDownloads => "too-many-downloads",
        }
    }

    fn class(self) -> Class {
        match self.status() {
            StatusCode::NOT_FOUND | StatusCode::GONE => Class::Absent,
            _ => Class::Never,
        }
    }

    /// The header that a status demands.
    fn own_header(self) -> Option<(http::HeaderName, HeaderValue)> {
        Some(match self {
            Problem::TooManyDownloads => (RETRY_AFTER, HeaderValue::from_static("10")),
            Problem::TooManyImages => (RETRY_AFTER, HeaderValue::from_static("1")),
            Problem::NoImages => (RETRY_AFTER, HeaderValue::from_static("30")),
            Problem::TooManyLoads | Problem::StorageSlow => (RETRY_AFTER, HeaderValue::from_static("1")),
            Problem::StorageFailed => (RETRY_AFTER, HeaderValue::from_static("2")),
            Problem::Starting => (RETRY_AFTER, HeaderValue::from_static("1")),
            Problem::NotInTime { target_duration } | Problem::TooManyWaiting { target_duration } => {
                (RETRY_AFTER, HeaderValue::from(target_duration))
            }
            Problem::Method => (ALLOW, HeaderValue::from_static(cors::METHODS)),
            // What follows on the connection may be the rest of something smuggled.
            Problem::BadHost | Problem::UnwantedContent => (CONNECTION, HeaderValue::from_static("close")),
            Problem::Unsatisfiable { len } => (
                CONTENT_RANGE,
                HeaderValue::try_from(format!("bytes */{len}")).expect("digits are a header value"),
            ),
            Problem::Denied(denied) if denied.lacks_token() => (WWW_AUTHENTICATE, challenge(denied)),
            _ => return None,
        })
    }

    fn body(self) -> String {
        let status = self.status();
        let title = status.canonical_reason().unwrap_or_default();
        format!(
            r#"{{"type":"about:blank","title":"{title}","status":{},"detail":"{self}","reason":"{}"}}"#,
            status.as_u16(),
            self.word()
        )
    }
}

/// What a 401 has to say (RFC 9110 §15.5.2), in the words of RFC 6750 §3. The token's place is the path all the same.
fn challenge(denied: Denied) -> HeaderValue {
    HeaderValue::from_static(match denied {
        Denied::TokenMissing => r#"Bearer realm="playback""#,
        _ => r#"Bearer realm="playback", error="invalid_token""#,
    })
}

impl From<Missing> for Problem {
    fn from(missing: Missing) -> Problem {
        match missing {
            Missing::Empty => Problem::EmptyWindow,
            Missing::NotYet => Problem::NotYet,
            Missing::Gone => Problem::Gone,
        }
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Problem {
        Problem::Denied(denied)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body()));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, self.class().cache_control());
        headers.extend(self.own_header());
        cors::open(headers);
        response.extensions_mut().insert(self);
        response
    }
}
