//! The body of a request: JSON of a bounded size that arrives in a bounded time.

use std::fmt;
use std::marker::PhantomData;

use axum::body::{Body, HttpBody};
use axum::extract::{FromRef, FromRequest, Request};
use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, MapAccess, Visitor};
use sha2::{Digest, Sha256};
use tokio::time::timeout;

use crate::control::Control;
use crate::problem::{Kind, Problem};

/// A JSON body. Unknown fields are refused by the type itself (`deny_unknown_fields`).
#[derive(Debug)]
pub(crate) struct Json<T> {
    pub(crate) value: T,
    /// A hash of its bytes, by which a repeated request is known.
    pub(crate) digest: String,
}

/// The same where no body at all, or `null`, is as good as an empty object.
#[derive(Debug)]
pub(crate) struct OptionalJson<T>(pub(crate) T);

impl<S, T> FromRequest<S> for Json<T>
where
    S: Sync,
    Control: FromRef<S>,
    T: DeserializeOwned,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Json<T>, Problem> {
        is_json(request.headers())?;
        let bytes = read(request.into_body(), &Control::from_ref(state)).await?;
        let digest = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Json { value: parse(&bytes)?, digest })
    }
}

impl<S, T> FromRequest<S> for OptionalJson<T>
where
    S: Sync,
    Control: FromRef<S>,
    T: DeserializeOwned,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<OptionalJson<T>, Problem> {
        let typed = request.headers().contains_key(CONTENT_TYPE).then(|| is_json(request.headers()));
        let bytes = read(request.into_body(), &Control::from_ref(state)).await?;
        if bytes.is_empty() {
            return parse(b"{}").map(OptionalJson);
        }
        typed.unwrap_or_else(|| Err(media_type()))?;
        if bytes.trim_ascii() == b"null" {
            return parse(b"{}").map(OptionalJson);
        }
        parse(&bytes).map(OptionalJson)
    }
}

/// A member that may be left out, and is not `null`.
pub(crate) fn given<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// A member of a merge patch (RFC 7396): left out, `null` to clear it, or a value.
pub(crate) fn clearable<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// A member that is an object, may be left out, and is not `null`.
pub(crate) fn given_object<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Object::deserialize(deserializer).map(|Object(value)| Some(value))
}

/// A member of a merge patch that is an object.
pub(crate) fn clearable_object<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    optional_object(deserializer).map(Some)
}

/// A member that is an object, or `null` as if it were left out.
pub(crate) fn optional_object<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::<Object<T>>::deserialize(deserializer)?.map(|Object(value)| value))
}

/// A struct out of a JSON object. By itself serde takes an array of its members as well.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Object<T>, D::Error> {
        deserializer.deserialize_map(Members(PhantomData)).map(Object)
    }
}

struct Members<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members))
    }
}

fn is_json(headers: &HeaderMap) -> Result<(), Problem> {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim();
    let known = ["application/json", "application/merge-patch+json"];
    if known.iter().any(|known| essence.eq_ignore_ascii_case(known)) { Ok(()) } else { Err(media_type()) }
}

fn media_type() -> Problem {
    Problem::new(Kind::MediaType, "send Content-Type: application/json")
}

/// The request with its body in memory. One that is answered while some of its body is still on the way takes its
/// connection with it, and whoever sends the next one on that would find it closed.
pub(crate) async fn arrived(request: Request, control: &Control) -> Result<Request, Problem> {
    if request.body().is_end_stream() {
        return Ok(request);
    }
    let (parts, body) = request.into_parts();
    Ok(Request::from_parts(parts, read(body, control).await?.into()))
}

async fn read(body: Body, control: &Control) -> Result<Bytes, Problem> {
    let settings = control.settings();
    let body = Limited::new(body, settings.max_body).collect();
    let collected = timeout(settings.body_timeout, body).await;
    let late =
        |_| Problem::new(Kind::Timeout, format!("the body took longer than {:?}", settings.body_timeout));
    match collected.map_err(late)? {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(Problem::new(Kind::TooLarge, format!("the body is larger than {} bytes", settings.max_body)))
        }
        Err(_) => Err(Problem::new(Kind::Malformed, "the body broke off")),
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let Object(value) = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let (path, inner) = (error.path().to_string(), error.into_inner());
        match inner.classify() {
            serde_json::error::Category::Data => unfit(&path, &inner),
            _ => Problem::new(Kind::Malformed, format!("not JSON that is read here: {inner}")),
        }
    })?;
    let whole = deserializer.end();
    whole
        .map_err(|error| Problem::new(Kind::Malformed, format!("there is more behind the JSON: {error}")))?;
    Ok(value)
}

/// JSON that does not fit the type. Where it does not, and not with which value: that may be a secret.
fn unfit(path: &str, error: &serde_json::Error) -> Problem {
    let text = error.to_string();
    let at = text.rfind(" at line ").unwrap_or(text.len());
    let text = text[..at].to_owned();
    if let Some(rest) = text.strip_prefix("invalid value: ").or_else(|| text.strip_prefix("invalid type: ")) {
        let expected = rest.rsplit_once(", expected ").map_or(rest, |(_, expected)| expected);
        return Problem::invalid_field(path, format!("is not {expected}"));
    }
    match text.strip_prefix("missing field `").and_then(|rest| rest.split_once('`')) {
        Some((name, _)) => Problem::invalid_field(below(path, name), "is missing"),
        None => Problem::invalid_field(path, text),
    }
}

/// A member of what a path leads to; `.` is the whole body.
fn below(path: &str, name: &str) -> String {
    if path == "." { name.to_owned() } else { format!("{path}.{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "read by serde alone")]
    struct Some {
        name: String,
        #[serde(default, deserialize_with = "optional_object")]
        inner: Option<Inner>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "read by serde alone")]
    struct Inner {
        number: u8,
    }

    #[test]
    fn what_does_not_fit_is_named_by_its_path_and_not_shown() {
        for (text, kind, detail) in [
            (r#"{"name": 7}"#, Kind::Invalid, "name: is not a string"),
            (r#"{"name": "a", "inner": {"number": 900}}"#, Kind::Invalid, "inner.number: is not u8"),
            (r#"{"name": "a", "x": 1}"#, Kind::Invalid, "x: unknown field `x`, expected `name` or `inner`"),
            (r#"{"name": "a", "name": "b"}"#, Kind::Invalid, "duplicate field `name`"),
            ("{}", Kind::Invalid, "name: is missing"),
            (r#"{"name": "a", "inner": {}}"#, Kind::Invalid, "inner.number: is missing"),
            (r#"{"name": "a"}{}"#, Kind::Malformed, "there is more"),
            (r#"["a"]"#, Kind::Invalid, ".: is not an object"),
            (r#"{"name": "a", "inner": [7]}"#, Kind::Invalid, "inner: is not an object"),
            ("{", Kind::Malformed, "not JSON"),
            ("", Kind::Malformed, "not JSON"),
            (&"[".repeat(60_000), Kind::Invalid, ".: is not an object"),
            (&format!(r#"{{"name": {}}}"#, "[".repeat(60_000)), Kind::Invalid, "name: is not a string"),
        ] {
            let problem = parse::<Some>(text.as_bytes()).expect_err(text);
            assert_eq!(problem.kind(), kind, "{problem:?}");
            assert!(format!("{problem:?}").contains(detail), "{problem:?}");
        }
    }

    #[test]
    fn json_that_nests_too_deep_is_malformed() {
        let text = r#"{"a":"#.repeat(10_000);
        let problem = parse::<serde_json::Value>(text.as_bytes()).expect_err("too deep");
        assert_eq!(problem.kind(), Kind::Malformed);
    }
}
