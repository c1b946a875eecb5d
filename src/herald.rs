//! What happens to streams becomes events of the catalog's log, which tells those who follow along.

use catalog::events::{Kind, NewEvent};
use catalog::{Catalog, EntryId};
use serde_json::{Map, Value, json};
use stream::health::Finding;
use stream::{Directory, Event, Leg, Peer, Quiet, What};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

/// Passes events on until told to stop. Nobody on air waits for it.
pub(crate) async fn follow(catalog: Catalog, directory: Directory, stop: CancellationToken) {
    let mut events = directory.events();
    let herald = Herald { catalog, quiet: Quiet::default() };
    loop {
        tokio::select! {
            biased;
            event = events.recv() => match event {
                Ok(event) => herald.pass_on(event),
                Err(RecvError::Lagged(lost)) => tracing::warn!(lost, "more happened than could be told"),
                Err(RecvError::Closed) => return,
            },
            () = stop.cancelled() => return,
        }
    }
}

struct Herald {
    catalog: Catalog,
    quiet: Quiet,
}

impl Herald {
    fn pass_on(&self, event: Event) {
        let Some((kind, data)) = self.told(&event.what) else { return };
        let entry = event.entry.as_ref().map(ToString::to_string);
        let known = event.entry.as_ref().and_then(|entry| self.catalog.keys().entry(&EntryId::parse(entry)?));
        let account = known.map(|entry| entry.account.clone());
        self.catalog.events().record(NewEvent { account, entry, kind, at: event.at, data });
    }

    /// Publishers that are refused by the thousand are told of a few times a minute.
    fn told(&self, what: &What) -> Option<(Kind, Map<String, Value>)> {
        Some(match what {
            What::PublishStarted { leg, rendition, peer } => {
                (Kind::PublishStarted, named(publisher(*leg, *peer), rendition.as_deref()))
            }
            What::PublishStopped { leg, rendition, peer, reason } => {
                let publisher = named(publisher(*leg, *peer), rendition.as_deref());
                (Kind::PublishStopped, with(publisher, [("reason", json!(reason))]))
            }
            What::PublishRefused { leg, peer, reason, text } => {
                let untold = self.quiet.may_say(reason)?;
                let why = [("reason", json!(reason)), ("text", json!(text)), ("untold", json!(untold))];
                (Kind::PublishRefused, with(publisher(*leg, *peer), why))
            }
            What::Health { leg, rendition, verdict, findings } => {
                let findings: Vec<_> = findings.iter().map(finding).collect();
                let health = [
                    ("leg", json!(leg.as_str())),
                    ("verdict", json!(verdict.as_str())),
                    ("findings", json!(findings)),
                ];
                (Kind::StreamHealth, named(with(Map::new(), health), rendition.as_deref()))
            }
            What::Preview => (Kind::StreamPreview, Map::new()),
            What::Live => (Kind::StreamLive, Map::new()),
            What::Ended => (Kind::StreamEnded, Map::new()),
        })
    }
}

fn publisher(leg: Leg, peer: Peer) -> Map<String, Value> {
    let address = std::net::SocketAddr::new(peer.address.ip().to_canonical(), peer.address.port());
    let facts = [
        ("leg", json!(leg.as_str())),
        ("protocol", json!(peer.protocol.as_str())),
        ("peer", json!(address.to_string())),
    ];
    with(Map::new(), facts)
}

/// The rendition of a switching set, where a publisher names one.
fn named(map: Map<String, Value>, rendition: Option<&str>) -> Map<String, Value> {
    match rendition {
        Some(rendition) => with(map, [("rendition", json!(rendition))]),
        None => map,
    }
}

fn finding(finding: &Finding) -> Value {
    json!({
        "code": finding.code,
        "severity": finding.severity.as_str(),
        "track": finding.track.map(|track| track.to_string()),
        "message": finding.message,
        "remedy": finding.remedy,
    })
}

fn with<const N: usize>(mut map: Map<String, Value>, more: [(&str, Value); N]) -> Map<String, Value> {
    map.extend(more.map(|(name, value)| (name.to_owned(), value)));
    map
}
