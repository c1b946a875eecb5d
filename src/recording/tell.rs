//! What happens to recordings becomes events of the catalog's log.

use std::sync::Arc;
use std::time::SystemTime;

use catalog::events::{Kind, NewEvent};
use catalog::{Catalog, EntryId};
use recorder::{Recorder, Told};
use serde_json::{Map, Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

/// Passes events on until told to stop. Nobody who records waits for it.
pub(crate) async fn follow(catalog: Catalog, recorder: Recorder, stop: CancellationToken) {
    let mut events = recorder.events();
    loop {
        tokio::select! {
            biased;
            told = events.recv() => match told {
                Ok(told) => pass_on(&catalog, &told),
                Err(RecvError::Lagged(lost)) => tracing::warn!(lost, "more happened to recordings than could be told"),
                Err(RecvError::Closed) => return,
            },
            () = stop.cancelled() => return,
        }
    }
}

fn pass_on(catalog: &Catalog, told: &Told) {
    let Some((entry, kind, data)) = event(told) else { return };
    let account = EntryId::parse(entry).and_then(|id| Some(catalog.keys().entry(&id)?.account.clone()));
    let (entry, at) = (Some(entry.to_string()), SystemTime::now().into());
    catalog.events().record(NewEvent { account, entry, kind, at, data });
}

fn event(told: &Told) -> Option<(&Arc<str>, Kind, Map<String, Value>)> {
    Some(match told {
        Told::Began { entry, recording } => (entry, Kind::RecordingStarted, of(recording, [])),
        Told::Ended { entry, recording } => (entry, Kind::RecordingEnded, of(recording, [])),
        Told::Lost { entry, recording, rendition, gap } => {
            let why = [
                ("rendition", json!(rendition)),
                ("segment", json!(gap.first)),
                ("reason", json!(gap.reason.as_str())),
                ("text", json!(gap.note)),
            ];
            (entry, Kind::RecordingLost, of(recording, why))
        }
        Told::Resumed { entry, recording, rendition, number } => {
            let since = [("rendition", json!(rendition)), ("segment", json!(number))];
            (entry, Kind::RecordingResumed, of(recording, since))
        }
        Told::Removed { .. } | Told::Hidden { .. } => return None,
    })
}

fn of<const N: usize>(recording: &Arc<str>, more: [(&str, Value); N]) -> Map<String, Value> {
    // None where there is none yet.
    let recording = ("recording", json!(Some(recording).filter(|id| !id.is_empty())));
    [recording].into_iter().chain(more).map(|(name, value)| (name.to_owned(), value)).collect()
}
