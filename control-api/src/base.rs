//! What the URLs in answers begin with.

use axum::extract::{FromRef, FromRequestParts};
use http::header::HOST;
use http::request::Parts;
use http::uri::{Authority, Scheme};
use url::Url;

use crate::control::Control;
use crate::problem::{Kind, Problem};

/// Where this server is to the caller: as configured, or as he called it.
#[derive(Clone, Debug)]
pub(crate) struct Base(Url);

impl<S> FromRequestParts<S> for Base
where
    S: Sync,
    Control: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Base, Problem> {
        match &Control::from_ref(state).settings().public_url {
            Some(url) => Ok(Base(url.clone())),
            None => {
                called(parts).map(Base).ok_or_else(|| Problem::new(Kind::Malformed, "the Host is not one"))
            }
        }
    }
}

impl Base {
    /// The URL of something on this server; `path` begins with a slash and is plain.
    pub(crate) fn http(&self, path: &str) -> String {
        format!("{}{path}", self.0.as_str().trim_end_matches('/'))
    }

    /// The host, in brackets where it is an address of IPv6.
    pub(crate) fn host(&self) -> &str {
        self.0.host_str().unwrap_or("localhost")
    }
}

/// As the caller called it, over TLS where the request came so. Only what a host is made of comes into answers.
fn called(parts: &Parts) -> Option<Url> {
    let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    let authority = match host {
        Some(host) => host.parse::<Authority>().ok()?,
        None => parts.uri.authority()?.clone(),
    };
    let plain = |c: u8| c.is_ascii_alphanumeric() || b".-_:[]".contains(&c);
    authority.as_str().bytes().all(plain).then_some(())?;
    // Whoever accepted the connection says so; what the request says of itself is the caller's.
    let scheme = parts.extensions.get::<Scheme>().unwrap_or(&Scheme::HTTP);
    Url::parse(&format!("{scheme}://{authority}")).ok().filter(Url::has_host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(host: &str) -> Option<Base> {
        let request = http::Request::get("/api/v1/live").header(HOST, host).body(()).expect("a request");
        called(&request.into_parts().0).map(Base)
    }

    #[test]
    fn urls_begin_as_the_server_was_called() {
        for (host, url, name) in [
            ("example.org:8080", "http://example.org:8080/play/x", "example.org"),
            ("example.org", "http://example.org/play/x", "example.org"),
            ("[::1]:8080", "http://[::1]:8080/play/x", "[::1]"),
        ] {
            let base = base(host).expect(host);
            assert_eq!((base.http("/play/x").as_str(), base.host()), (url, name));
        }
        let prefixed = Base(Url::parse("https://example.org/tv/").expect("a URL"));
        assert_eq!(prefixed.http("/play/x"), "https://example.org/tv/play/x");
    }

    #[test]
    fn over_tls_urls_begin_with_https() {
        let request = http::Request::get("http://example.org:8443/api/v1/live").extension(Scheme::HTTPS);
        let called = called(&request.body(()).expect("a request").into_parts().0).map(Base);
        assert_eq!(called.expect("a base").http("/play/x"), "https://example.org:8443/play/x");
    }

    #[test]
    fn a_host_that_is_none_gets_into_no_url() {
        for host in ["a b", "a@b", "\"><script>", "a/b", "", "a:b:c", "a:99999"] {
            assert!(base(host).is_none(), "{host}");
        }
    }
}
