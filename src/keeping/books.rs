//! What catalog and recorder know of recordings, for the one who looks after them.

use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use catalog::events::{Kind, NewEvent};
use catalog::recordings::{Deleted, Recording};
use catalog::{Caller, Catalog, EntryId, Error, RecordingId, Retention};
use depot::Depot;
use futures_util::future::BoxFuture;
use recorder::keep::{Candidate, Facts, Inventory, Known, Limits, Unanswered, Why};
use recorder::{Recorder, State};
use serde_json::json;
use tokio::task::spawn_blocking;

/// Catalog and recorder, and the object store where there is one.
pub(super) struct Books {
    pub(super) catalog: Catalog,
    pub(super) recorder: Recorder,
    pub(super) depot: Option<Depot>,
}

impl Inventory for Books {
    fn known(&self) -> BoxFuture<'_, Result<Known, Unanswered>> {
        Box::pin(async {
            let (recordings, shown) = self.catalog.recordings().stock().await.map_err(unanswered)?;
            let referred = shown.iter().map(|id| id.as_str().into()).collect();
            let mut known = Known { referred, ..Known::default() };
            recordings.iter().for_each(|recording| self.know(&mut known, recording));
            Ok(known)
        })
    }

    fn is_open(&self, entry: &str, recording: &str) -> bool {
        self.recorder.of(entry).iter().any(|it| *it.id == *recording && it.state == State::Open)
    }

    fn release(&self, entry: &str, recording: &str) -> bool {
        self.recorder.removed(entry, recording)
    }

    fn remove<'a>(&'a self, chosen: &'a Candidate, why: Why) -> BoxFuture<'a, Result<bool, Unanswered>> {
        Box::pin(async move {
            let ids = EntryId::parse(&chosen.entry).zip(RecordingId::parse(&chosen.recording));
            let Some((entry, recording)) = ids else {
                self.tell(chosen, why);
                return Ok(true);
            };
            let recordings = self.catalog.recordings();
            match recordings.remove(&Caller::server(), &entry, &recording, Some(&why.to_string())).await {
                Ok(deleted) => Ok(deleted == Deleted::Gone),
                Err(Error::Conflict(_)) => Ok(false),
                Err(Error::NotFound(_)) => {
                    self.tell(chosen, why);
                    Ok(true)
                }
                Err(error) => Err(unanswered(error)),
            }
        })
    }

    fn removed(&self) -> BoxFuture<'_, Result<Vec<(String, String)>, Unanswered>> {
        Box::pin(async {
            let removed = self.catalog.removals().list().await.map_err(unanswered)?;
            Ok(removed.into_iter().map(|it| (it.entry.to_string(), it.recording.to_string())).collect())
        })
    }

    fn going<'a>(&'a self, entry: &'a str, recording: &'a str) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(async move {
            let Some(depot) = self.depot.clone() else { return Ok(()) };
            let store = format!("{entry}/{recording}");
            spawn_blocking(move || depot.removed(&store)).await.map_err(io::Error::other)?
        })
    }

    fn gone<'a>(&'a self, _: &'a str, recording: &'a str) -> BoxFuture<'a, Result<(), Unanswered>> {
        Box::pin(async move {
            match RecordingId::parse(recording) {
                Some(id) => self.catalog.removals().done(&id).await.map_err(unanswered),
                None => Ok(()),
            }
        })
    }
}

impl Books {
    fn know(&self, known: &mut Known, recording: &Recording) {
        let Some(entry) = self.catalog.keys().entry(&recording.entry) else { return };
        let account: Arc<str> = entry.account.as_str().into();
        let of_account = limits(self.catalog.keys().quotas(&entry.account).keep);
        if of_account != Limits::default() {
            known.accounts.insert(account.clone(), of_account);
        }
        let facts = Facts {
            account,
            ended: recording.progress.ended,
            protected: recording.protected,
            limits: limits(entry.settings.keep),
        };
        known.recordings.insert((recording.entry.as_str().into(), recording.id.as_str().into()), facts);
    }

    /// Of what the catalog does not have it tells nothing by itself.
    fn tell(&self, chosen: &Candidate, why: Why) {
        let data = [
            ("recording", json!(chosen.recording)),
            ("bytes", json!(chosen.bytes)),
            ("reason", json!(why.to_string())),
        ];
        self.catalog.events().record(NewEvent {
            account: None,
            entry: Some(chosen.entry.to_string()),
            kind: Kind::RecordingRemoved,
            at: SystemTime::now().into(),
            data: data.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        });
    }
}

fn limits(keep: Retention) -> Limits {
    Limits { age: keep.age, count: keep.count, bytes: keep.bytes }
}

fn unanswered(error: Error) -> Unanswered {
    Unanswered(error.to_string())
}
