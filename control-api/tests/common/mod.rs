//! A control API over a real catalog and a real directory, asked as a router.

#![allow(dead_code, reason = "not every test needs all of it")]

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use catalog::{Caller, Catalog, Database, NewToken, Role, Scope};
use control_api::archive::{Archive, NoArchive};
use control_api::{Api, Endpoints, Settings};
use http::{HeaderMap, Method, Request};
use http_body_util::BodyExt;
use serde_json::Value;
use stream::ledger::Forgetful;
use stream::{Audience, Directory};
use tempfile::TempDir;
use tower::ServiceExt;

/// A control API, and tokens of each role.
pub struct House {
    pub catalog: Catalog,
    pub directory: Directory,
    pub audience: Arc<Audience>,
    pub router: Router,
    _data: TempDir,
}

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
    pub text: String,
}

impl House {
    pub async fn new() -> House {
        House::with(Settings::default()).await
    }

    pub async fn with(settings: Settings) -> House {
        House::made(settings, NoArchive::shared(), Arc::new(control_api::NoClipper)).await
    }

    /// With somebody who looks after the files of recordings.
    pub async fn keeping(archive: Arc<dyn Archive>) -> House {
        House::made(Settings::default(), archive, Arc::new(control_api::NoClipper)).await
    }

    pub async fn clipping(settings: Settings, clipper: Arc<dyn control_api::Clipper>) -> House {
        House::made(settings, NoArchive::shared(), clipper).await
    }

    async fn made(
        settings: Settings,
        archive: Arc<dyn Archive>,
        clipper: Arc<dyn control_api::Clipper>,
    ) -> House {
        let data = tempfile::tempdir().expect("a directory");
        let catalog = Catalog::open(&Database::embedded(data.path())).await.expect("a catalog");
        let directory = Directory::new(Arc::new(Forgetful));
        let endpoints = Endpoints { rtmp: Some(1935), rtmps: None, srt: Some(8890) };
        let audience = Arc::new(Audience::default());
        let api = Api {
            catalog: catalog.clone(),
            directory: directory.clone(),
            audience: audience.clone(),
            settings,
            endpoints,
            metrics: control_api::Metrics::default(),
            recorder: Arc::new(control_api::NoRecorder),
            restreamer: Arc::new(control_api::NoRestreamer),
            clipper,
            archive,
            on_demand: Arc::new(control_api::Nothing),
            inputs: Arc::new(control_api::NoInputs),
        };
        House { catalog, directory, audience, router: control_api::router(api), _data: data }
    }

    /// A token of the whole server.
    pub async fn token(&self, role: Role) -> String {
        self.token_in(role, Scope::All).await
    }

    pub async fn token_in(&self, role: Role, scope: Scope) -> String {
        let new = NewToken { role, scope, name: role.to_string(), expires: None };
        let (_, secret) = self.catalog.tokens().create(&Caller::server(), new).await.expect("a token");
        secret.expose().to_owned()
    }

    /// An account of its own.
    pub async fn account(&self, name: &str) -> Scope {
        let quotas = catalog::Quotas::default();
        let account =
            self.catalog.accounts().create(&Caller::server(), name, quotas).await.expect("an account");
        Scope::Account(account.id)
    }

    pub async fn get(&self, token: &str, path: &str) -> Answer {
        self.send(token, Method::GET, path, &[], None).await
    }

    pub async fn post(&self, token: &str, path: &str, body: &Value) -> Answer {
        self.send(token, Method::POST, path, &[], Some(body)).await
    }

    pub async fn patch(&self, token: &str, path: &str, body: &Value) -> Answer {
        self.send(token, Method::PATCH, path, &[], Some(body)).await
    }

    pub async fn delete(&self, token: &str, path: &str) -> Answer {
        self.send(token, Method::DELETE, path, &[], None).await
    }

    pub async fn send(
        &self,
        token: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("host", "example.org:8080");
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.map_or(Body::empty(), |body| Body::from(body.to_string()));
        self.ask(request.body(body).expect("a request")).await
    }

    pub async fn ask(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.expect("a router does not fail");
        let (parts, body) = response.into_parts();
        // Events have no end.
        let endless = parts.headers.get("content-type").is_some_and(|it| it == "text/event-stream");
        let body = if endless { Body::empty() } else { body };
        let bytes = body.collect().await.expect("a body in memory").to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status: parts.status.as_u16(), headers: parts.headers, body, text }
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    /// Status and the type of the problem, without its common beginning.
    pub fn problem(&self) -> (u16, &str) {
        let kind = self.body["type"].as_str().unwrap_or_default();
        (self.status, kind.strip_prefix("/api/problems/").unwrap_or(kind))
    }

    /// Of which parts a validation complains.
    pub fn fields(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array();
        errors.into_iter().flatten().filter_map(|error| error["field"].as_str()).collect()
    }

    pub fn id(&self) -> &str {
        self.body["id"].as_str().unwrap_or_else(|| panic!("no id in {}: {}", self.status, self.text))
    }
}
