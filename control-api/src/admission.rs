//! Who asks, and how often: before anything of a request is looked at.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::HttpBody;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use catalog::{Secret, Token, tokens};
use http::header::{AUTHORIZATION, CONNECTION};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::body;
use crate::control::Control;
use crate::limits::Left;
use crate::problem::{Kind, Problem, unauthorized};

/// Lets a request through with its token, and once its body is there; or says why not.
pub(crate) async fn admit(State(control): State<Control>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<SocketAddr>().copied();
    let unread = !request.body().is_end_stream();
    let token = match authenticate(&control, peer, request.headers()).await {
        Ok(token) => token,
        Err(problem) => return last_one(refuse(&control, peer, problem), unread),
    };
    let left = match control.tokens().take(&token.id) {
        Ok(left) => left,
        Err(left) => {
            let refused = refuse(&control, peer, too_many(left.reset));
            return limited(last_one(refused, unread), left);
        }
    };
    let mut request = match body::arrived(request, &control).await {
        Ok(request) => request,
        Err(problem) => return limited(last_one(refuse(&control, peer, problem), unread), left),
    };
    request.extensions_mut().insert(Arc::new(token));
    limited(next.run(request).await, left)
}

/// Where the body was not read, the connection ends with the answer: that is said.
fn last_one(mut response: Response, unread: bool) -> Response {
    if unread {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

async fn authenticate(
    control: &Control,
    peer: Option<SocketAddr>,
    headers: &HeaderMap,
) -> Result<Token, Problem> {
    let secret = bearer(headers).ok_or_else(|| {
        unauthorized(format!("send Authorization: Bearer {}… (RFC 6750 §2.1)", tokens::PREFIX))
    })?;
    let tokens = control.catalog().tokens();
    if !tokens.is_known(&secret) {
        control.sources().may_guess(peer.map(|peer| peer.ip())).map_err(too_many)?;
    }
    Ok(tokens.authenticate(&secret).await?)
}

/// The token of a request; `None` where there is none that could be one.
fn bearer(headers: &HeaderMap) -> Option<Secret> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (value, None) = (values.next()?, values.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    let fits = token.len() == tokens::PREFIX.len() + tokens::LENGTH && token.starts_with(tokens::PREFIX);
    (fits && scheme.eq_ignore_ascii_case("bearer")).then(|| Secret::new(token))
}

/// Nothing of the token is said: neither here nor in the log.
fn refuse(control: &Control, peer: Option<SocketAddr>, problem: Problem) -> Response {
    let kind = problem.kind();
    if kind.status().is_client_error() {
        control.refusals().note(peer, kind.name(), &kind.title());
    }
    problem.into_response()
}

fn too_many(seconds: u64) -> Problem {
    Problem::new(Kind::TooMany, format!("try again in {seconds} s")).after(seconds)
}

/// Says what is left of the token's rate, in the three headers that clients know.
fn limited(mut response: Response, left: Left) -> Response {
    let values = [
        ("ratelimit-limit", u64::from(left.limit)),
        ("ratelimit-remaining", u64::from(left.remaining)),
        ("ratelimit-reset", left.reset),
    ];
    let headers = response.headers_mut();
    headers.extend(values.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from(value))));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_from_one_bearer_header() {
        let token = format!("hw_{}", "a".repeat(40));
        for (value, found) in [
            (format!("Bearer {token}"), true),
            (format!("bearer  {token} "), true),
            (format!("Basic {token}"), false),
            (token.clone(), false),
            (format!("Bearer {token}b"), false),
            (format!("Bearer xx_{}", "a".repeat(40)), false),
            ("Bearer ".to_owned(), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, HeaderValue::try_from(&value).expect("a header value"));
            assert_eq!(bearer(&headers).is_some(), found, "{value}");
            headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer x"));
            assert!(bearer(&headers).is_none(), "two headers");
        }
    }
}
