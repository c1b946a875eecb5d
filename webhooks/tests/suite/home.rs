//! A catalog with a dispatcher at work, and shorthands.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use catalog::deliveries::{Delivery, State};
use catalog::events::Kind;
use catalog::webhooks::{Details, Webhook};
use catalog::{Caller, Catalog, Database, NewEvent, Paging, Scope, Secret};
use media::WallTime;
use serde_json::{Map, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use webhooks::{Metrics, Resolve, Resolving, Settings, Webhooks};

use crate::receiver::PATIENCE;

pub struct Home {
    pub catalog: Catalog,
    directory: TempDir,
}

/// A dispatcher at work.
pub struct Work {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Home {
    pub async fn new() -> Home {
        let directory = tempfile::tempdir().unwrap();
        Home { catalog: open(&directory).await, directory }
    }

    /// The same database, after a restart.
    pub async fn again(self) -> Home {
        self.catalog.close().await.unwrap();
        Home { catalog: open(&self.directory).await, directory: self.directory }
    }

    pub fn work(&self, settings: Settings) -> Work {
        self.begin(Webhooks::new(self.catalog.clone(), settings, Metrics::default()))
    }

    pub fn begin(&self, webhooks: Webhooks) -> Work {
        let stop = CancellationToken::new();
        let run = webhooks.run(stop.clone());
        Work { stop, task: tokio::spawn(async { run.await.unwrap() }) }
    }

    pub async fn webhook(&self, url: &str) -> (Webhook, Secret) {
        let details =
            Details { url: url.to_owned(), description: String::new(), kinds: Vec::new(), enabled: true };
        self.catalog.webhooks().create(&Caller::server(), Scope::All, details).await.unwrap()
    }

    pub fn record(&self, entry: &str) -> u64 {
        self.catalog.events().record(NewEvent {
            account: None,
            entry: Some(entry.to_owned()),
            kind: Kind::StreamLive,
            at: WallTime::from(std::time::SystemTime::now()),
            data: Map::from_iter([("words".to_owned(), json!("grün \u{1f600}"))]),
        })
    }

    pub async fn deliveries(&self, webhook: &Webhook) -> Vec<Delivery> {
        let paging = Paging { limit: Some(500), cursor: None };
        self.catalog.webhooks().deliveries(&Scope::All, &webhook.id, None, &paging).await.unwrap().items
    }

    /// The only delivery, once it fulfils something.
    pub async fn settled(&self, webhook: &Webhook, wanted: impl Fn(&Delivery) -> bool) -> Delivery {
        let found = async {
            loop {
                if let [delivery] = &self.deliveries(webhook).await[..]
                    && wanted(delivery)
                {
                    return delivery.clone();
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        match tokio::time::timeout(PATIENCE, found).await {
            Ok(delivery) => delivery,
            Err(_) => panic!("{:#?}", self.deliveries(webhook).await),
        }
    }
}

impl Work {
    pub async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(PATIENCE, self.task).await.expect("it stops").unwrap();
    }
}

async fn open(directory: &TempDir) -> Catalog {
    Catalog::open(&Database::embedded(directory.path()).with_patience(PATIENCE)).await.unwrap()
}

/// Calls this machine and tries again soon.
pub fn settings() -> Settings {
    Settings { allow_private: true, schedule: vec![Duration::from_millis(50)], ..Settings::default() }
}

pub fn is_over(delivery: &Delivery) -> bool {
    delivery.state != State::Queued
}

pub fn has_failed(delivery: &Delivery) -> bool {
    delivery.error.is_some()
}

/// A resolver that knows these names and counts how often it is asked.
#[derive(Debug, Default)]
pub struct Names {
    pub known: HashMap<&'static str, Vec<IpAddr>>,
    pub asked: AtomicUsize,
}

impl Names {
    pub fn new<const N: usize>(known: [(&'static str, &[&str]); N]) -> Arc<Names> {
        let parse = |list: &[&str]| list.iter().map(|it| it.parse().unwrap()).collect();
        let known = known.into_iter().map(|(name, list)| (name, parse(list))).collect();
        Arc::new(Names { known, asked: AtomicUsize::new(0) })
    }
}

impl Resolve for Names {
    fn resolve(&self, host: String) -> Resolving {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let found = self.known.get(host.as_str()).cloned();
        Box::pin(async move { found.ok_or_else(|| std::io::ErrorKind::NotFound.into()) })
    }
}
