//! The control API as anybody gets at it: byte by byte, or as somebody's program with a token.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::support::api::{Api, Reply};
use crate::support::{Server, http};
use crate::web::{exchange, status};

/// What a token may cost, for those who are about something else.
pub const FREELY: &str = "auth.rate = 10000\nauth.burst = 100000\n";

/// An account of its own: a token of each role, and an entry.
pub struct Tenant {
    pub account: String,
    pub admin: Api,
    pub producer: Api,
    pub viewer: Api,
    /// The tokens' ids.
    pub tokens: Vec<String>,
    /// A live entry.
    pub live: Value,
}

impl Tenant {
    /// Named so.
    pub fn new(server: &Server, name: &str) -> Tenant {
        let all = Api::admin(server);
        let account = id(&all.post("/accounts", &json!({"name": name})).done());
        let token = |role: &str| {
            let wanted = json!({"role": role, "name": format!("{role} of {name}"), "account": account});
            let token = all.post("/tokens", &wanted).done();
            (Api::by(server, token["secret"].as_str().expect("shown once")), id(&token))
        };
        let [(admin, a), (producer, b), (viewer, c)] = ["admin", "producer", "viewer"].map(token);
        let live = producer.post("/live", &json!({"name": format!("show of {name}")})).done();
        Tenant { account: account.clone(), admin, producer, viewer, tokens: vec![a, b, c], live }
    }

    /// The id of its entry.
    pub fn entry(&self) -> String {
        id(&self.live)
    }

    /// The key of its entry.
    pub fn key(&self) -> String {
        self.live["keys"]["primary"].as_str().expect("a key").to_owned()
    }
}

/// The id of what was created or shown.
pub fn id(of: &Value) -> String {
    of["id"].as_str().unwrap_or_else(|| panic!("no id: {of:#}")).to_owned()
}

/// An answer to a request of which every byte was ours.
#[derive(Debug)]
pub struct Raw {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Raw {
    /// It is JSON, whatever was asked.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Sends `METHOD TARGET` with a token, further header lines and a body; both as they are.
pub fn raw(to: SocketAddr, token: &str, line: &str, headers: &[u8], body: &[u8]) -> Raw {
    let length = body.len();
    let head = format!(
        "{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         Content-Length: {length}\r\n"
    );
    let answer = exchange(to, &[head.as_bytes(), headers, b"\r\n", body].concat()).expect("an answer");
    parse(&answer)
}

/// Splits what came back into its parts.
pub fn parse(answer: &[u8]) -> Raw {
    let text = String::from_utf8_lossy(answer).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text.as_str(), ""));
    Raw { status: status(answer), head: head.to_ascii_lowercase(), body: body.to_owned() }
}

/// Each byte percent-encoded.
pub fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

/// The description of the API that the server gives of itself.
pub fn description(server: &Server) -> Value {
    let answer = http::get(&server.http_url("api/v1/openapi.json"), &[]);
    serde_json::from_slice(&answer.body).expect("JSON")
}

/// Each method and path of it, below `/api/v1`.
pub fn operations(description: &Value) -> Vec<(String, String)> {
    let paths = description["paths"].as_object().expect("paths");
    let methods = |(path, item): (&String, &Value)| {
        let names = item.as_object().expect("methods").keys().filter(|name| METHODS.contains(&name.as_str()));
        names.map(|method| (method.to_uppercase(), path.clone())).collect::<Vec<_>>()
    };
    paths.iter().flat_map(methods).collect()
}

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The same with these ids in the places of the path.
pub fn fill(path: &str, id: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { id } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// Asks with an empty object where a body belongs.
pub fn ask(api: &Api, method: &str, path: &str) -> Reply {
    let body = json!({});
    let body = matches!(method, "POST" | "PATCH" | "PUT").then_some(&body);
    api.send(method, path, &[], body)
}
