//! A client that says exactly what the server answered: no redirects, no decoding, no error for a status.

use std::io::Read;
use std::sync::LazyLock;
use std::time::Duration;

use ureq::http::{HeaderMap, Request};
use ureq::{Agent, AsSendBody};

static AGENT: LazyLock<Agent> = LazyLock::new(|| {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(Duration::from_secs(10)))
        .build();
    config.into()
});

/// An answer with its whole body.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    /// A header's value; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a header in ASCII"))
    }

    /// The body as text.
    pub fn text(self) -> String {
        String::from_utf8(self.body).expect("a body in UTF-8")
    }
}

/// GET with these headers.
pub fn get(url: &str, headers: &[(&str, &str)]) -> Answer {
    request("GET", url, headers)
}

/// The body of a GET that goes on for as long as somebody reads it.
pub fn open(url: &str, headers: &[(&str, &str)]) -> impl Read + Send + use<> {
    let mut request = Agent::new_with_defaults().get(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.call().unwrap_or_else(|error| panic!("GET {url}: {error}"));
    response.into_body().into_reader()
}

/// Any method without a body.
pub fn request(method: &str, url: &str, headers: &[(&str, &str)]) -> Answer {
    send(method, url, headers, ())
}

/// Any method that has one, with a body.
pub fn send(method: &str, url: &str, headers: &[(&str, &str)], body: impl AsSendBody) -> Answer {
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(body).expect("a request");
    let response = AGENT.run(request).unwrap_or_else(|error| panic!("{method} {url}: {error}"));
    let (parts, mut body) = response.into_parts();
    let body = body.read_to_vec().unwrap_or_else(|error| panic!("{method} {url}: {error}"));
    Answer { status: parts.status.as_u16(), headers: parts.headers, body }
}
