//! The API of a running server.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use serde_json::Value;
use ureq::http::{Response, StatusCode};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body};

use crate::cli;
use crate::tenancy::ADMIN_TOKEN;

const TOKEN: &str = "HEADWATER_TOKEN";
const SERVER: &str = "HEADWATER_SERVER";
const USUAL_SERVER: &str = "http://127.0.0.1:8080";
/// For an answer to be there.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server and a token for it.
pub(super) struct Api {
    agent: Agent,
    server: String,
    token: String,
}

impl Api {
    /// As the flags, the environment and the data directory say.
    pub(super) fn new(flags: &cli::Server) -> anyhow::Result<Api> {
        let server =
            flags.server.clone().or_else(|| variable(SERVER)).unwrap_or_else(|| USUAL_SERVER.to_owned());
        let server = server.trim_end_matches('/').to_owned();
        let config = Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .user_agent(concat!("headwater/", env!("CARGO_PKG_VERSION")));
        let config = match server.starts_with("https://") {
            true => config.tls_config(tls()),
            false => config,
        };
        Ok(Api { agent: config.build().new_agent(), server, token: token(flags)? })
    }

    pub(super) fn get(&self, path: &str) -> anyhow::Result<Value> {
        let request = self.agent.get(self.url(path)).header("Authorization", self.bearer());
        self.read(request.call())
    }

    pub(super) fn delete(&self, path: &str) -> anyhow::Result<Value> {
        let request = self.agent.delete(self.url(path)).header("Authorization", self.bearer());
        self.read(request.call())
    }

    /// Posts a document, or nothing.
    pub(super) fn post(&self, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let request = self.agent.post(self.url(path)).header("Authorization", self.bearer());
        match body {
            None => self.read(request.send_empty()),
            Some(body) => {
                self.read(request.header("Content-Type", "application/json").send(body.to_string()))
            }
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}/api/v1{path}", self.server)
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    fn read(&self, answer: Result<Response<Body>, ureq::Error>) -> anyhow::Result<Value> {
        let mut answer = answer.with_context(|| format!("no answer from {}", self.server))?;
        let status = answer.status();
        let text = answer.body_mut().read_to_string().context("the answer broke off")?;
        if status == StatusCode::NO_CONTENT {
            return Ok(Value::Null);
        }
        let value = serde_json::from_str(&text);
        if !status.is_success() {
            bail!(refusal(status, value.ok().as_ref()));
        }
        value.map_err(|_| anyhow!("{} does not answer as Headwater's API does", self.server))
    }
}

/// Why the server did not do it, in its own words.
fn refusal(status: StatusCode, problem: Option<&Value>) -> String {
    let said = |pointer| problem.and_then(|problem| problem.pointer(pointer)).and_then(Value::as_str);
    let mut text = said("/detail").or_else(|| said("/title")).unwrap_or("no reason given").to_owned();
    let fields = problem.and_then(|problem| problem.pointer("/errors")).and_then(Value::as_array);
    for field in fields.into_iter().flatten() {
        let part = |name| field.get(name).and_then(Value::as_str).unwrap_or_default();
        text.push_str(&format!("\n  {}: {}", part("field"), part("problem")));
    }
    format!("{}: {text}", status.as_u16())
}

/// On the command line it would be in the process list.
fn token(flags: &cli::Server) -> anyhow::Result<String> {
    let file = match (&flags.token_file, variable(TOKEN)) {
        (Some(file), _) => file.clone(),
        (None, Some(token)) => return Ok(token),
        (None, None) => flags.data.join(ADMIN_TOKEN),
    };
    let token = fs::read_to_string(&file);
    let token = token.with_context(|| {
        format!("no token: {} cannot be read; say --token-file, --data, or set {TOKEN}", file.display())
    })?;
    Ok(token.trim().to_owned())
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The authorities that the system trusts.
fn tls() -> TlsConfig {
    let found = rustls_native_certs::load_native_certs();
    let roots: Vec<_> = found.certs.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
    TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        .build()
}
