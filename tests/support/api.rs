//! The HTTP API of a server, as somebody's program uses it.

use std::io::Read;

use serde_json::Value;
use ureq::http::HeaderMap;

use super::http;
use super::server::Server;

/// Where the API is, and by which token it is used.
#[derive(Clone)]
pub struct Api {
    base: String,
    token: String,
}

/// What was answered.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    /// The body; `null` where there is none.
    pub body: Value,
}

impl Api {
    /// By the token of the first start, which may do everything.
    pub fn admin(server: &Server) -> Api {
        let file = server.folder().join("data/admin-token");
        let token = std::fs::read_to_string(&file).expect("the first start writes a token");
        Api::by(server, token.trim())
    }

    /// By any token.
    pub fn by(server: &Server, token: &str) -> Api {
        Api { base: server.http_url("api/v1"), token: token.to_owned() }
    }

    /// The secret.
    pub fn token(&self) -> &str {
        &self.token
    }

    pub fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], None)
    }

    pub fn delete(&self, path: &str) -> Reply {
        self.send("DELETE", path, &[], None)
    }

    pub fn post(&self, path: &str, body: &Value) -> Reply {
        self.send("POST", path, &[], Some(body))
    }

    pub fn patch(&self, path: &str, body: &Value) -> Reply {
        self.send("PATCH", path, &[], Some(body))
    }

    /// A body without an end, to be read as it comes.
    pub fn open(&self, path: &str, headers: &[(&str, &str)]) -> impl Read + Send + use<> {
        let bearer = format!("Bearer {}", self.token);
        http::open(&format!("{}{path}", self.base), &[headers, &[("authorization", &bearer)]].concat())
    }

    /// Any method with further headers; `path` begins with a slash.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Reply {
        let (url, bearer) = (format!("{}{path}", self.base), format!("Bearer {}", self.token));
        let mut headers = headers.to_vec();
        headers.push(("authorization", &bearer));
        let answer = match body {
            None if method == "POST" => http::send(method, &url, &headers, ""),
            None => http::request(method, &url, &headers),
            Some(body) => {
                headers.push(("content-type", "application/json"));
                http::send(method, &url, &headers, body.to_string())
            }
        };
        Reply::new(answer)
    }
}

impl Reply {
    fn new(answer: http::Answer) -> Reply {
        let body = match answer.body.as_slice() {
            [] => Value::Null,
            body => serde_json::from_slice(body)
                .unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(body))),
        };
        Reply { status: answer.status, headers: answer.headers, body }
    }

    /// The body of what was done; panics with the answer where it was refused.
    pub fn done(self) -> Value {
        assert!((200..300).contains(&self.status), "{}: {:#}", self.status, self.body);
        self.body
    }

    /// Status and type of the problem that it is.
    pub fn problem(&self) -> (u16, &str) {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        let kind = self.body["type"].as_str().and_then(|kind| kind.strip_prefix("/api/problems/"));
        (self.status, kind.unwrap_or_else(|| panic!("no type: {:#}", self.body)))
    }
}
