//! Sees to it that nobody stays on air whose grant has come to an end, and that its health is told of.

use std::time::Duration;

use catalog::changes::Kind;
use catalog::{Catalog, EntryId};
use stream::Directory;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use crate::admission;

/// Between two rounds: schedules are kept this exactly.
const ROUND: Duration = Duration::from_secs(1);

/// Looks every second, and whenever the catalog changes, until told to stop.
pub(crate) async fn watch(catalog: Catalog, directory: Directory, stop: CancellationToken) {
    let mut changes = catalog.changes();
    let mut rounds = tokio::time::interval(ROUND);
    rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = rounds.tick() => {
                directory.recheck(None).await;
                directory.examine();
                show_timelines(&catalog, &directory).await;
            }
            change = changes.recv() => match change {
                Ok(change) => if let Some(entry) = change.entry {
                    directory.recheck(Some(entry.as_str())).await;
                    if change.kind == Kind::AirSwitched {
                        settle(&catalog, &directory, &entry).await;
                    }
                },
                // The next round sees what was missed.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
        }
    }
}

/// Tells streams that have begun, or came back with a restart, which named timelines their entries have. Who changed one
/// has told the stream already.
async fn show_timelines(catalog: &Catalog, directory: &Directory) {
    for status in directory.status() {
        let live = EntryId::parse(&status.entry).and_then(|entry| catalog.keys().entry(&entry));
        if let Some(live) = live {
            let timelines = live.timelines.iter().map(admission::timeline).collect();
            directory.show_timelines(&status.entry, timelines).await;
        }
    }
}

/// Shows the stream to whom the catalog says. Who switched it has done so already; where two did at once, this is what
/// makes the stream end as the catalog did.
async fn settle(catalog: &Catalog, directory: &Directory, entry: &EntryId) {
    if let Some(live) = catalog.keys().entry(entry) {
        directory.switch(entry.as_str(), admission::air(live.air)).await;
    }
}
