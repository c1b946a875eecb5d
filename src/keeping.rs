//! Recordings are looked after: they go by their limits and for room, and the API asks about their files.

mod books;
mod reports;

use std::sync::Arc;

use archive::files::Disk;
use catalog::changes::Kind;
use catalog::recordings::Deleted;
use catalog::{Catalog, EntryId, RecordingId};
use config::Config;
use container::index::Reason;
use control_api::Archive;
use control_api::archive::{Copied, Integrity, Unreadable};
use depot::Depot;
use futures_util::future::BoxFuture;
use recorder::keep::{Keeper, Limits, Settings};
use recorder::{Recorder, Told};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use vod::Library;

use crate::{objects, recording};
use books::Books;
use reports::Reports;

/// Looks after recordings.
pub(crate) struct Keeping {
    catalog: Catalog,
    recorder: Recorder,
    keeper: Keeper,
    reports: Reports,
    depot: Option<Depot>,
}

impl Keeping {
    pub(crate) fn new(
        config: &Config,
        catalog: &Catalog,
        recorder: &Recorder,
        depot: Option<&Depot>,
    ) -> Keeping {
        let books = Books { catalog: catalog.clone(), recorder: recorder.clone(), depot: depot.cloned() };
        let root = recorder.root().to_owned();
        let keeper = Keeper::new(settings(config), Arc::new(Disk), root.clone(), Arc::new(books));
        let (catalog, recorder, depot) = (catalog.clone(), recorder.clone(), depot.cloned());
        Keeping { catalog, recorder, keeper, reports: Reports::new(root, depot.clone()), depot }
    }

    /// Finishes what an earlier run began to remove. What resists has its turn later.
    pub(crate) async fn clean(&self) {
        match self.keeper.clean().await {
            Ok(0) => {}
            Ok(recordings) => tracing::info!(recordings, "recordings that were removed are gone"),
            Err(error) => tracing::warn!(%error, "recordings that were removed are still there"),
        }
    }

    /// Takes recordings that are deleted, and kept for clips alone, out of what is played and gone on with.
    pub(crate) async fn hide(&self, library: &Library) {
        match self.catalog.recordings().hidden().await {
            Ok(hidden) => hidden.iter().for_each(|it| {
                self.recorder.hidden(it.entry.as_str(), it.id.as_str());
                library.removed(it.id.as_str());
            }),
            Err(error) => tracing::warn!(%error, "recordings that were deleted may be shown"),
        }
    }

    /// Looks after them until told to stop.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        tokio::select! {
            () = self.keeper.run() => {}
            () = self.listen() => {}
            () = stop.cancelled() => {}
        }
    }

    /// After a recording, on a full disk and when an entry is gone, things are looked at soon.
    async fn listen(&self) {
        let (mut told, mut changes) = (self.recorder.events(), self.catalog.changes());
        loop {
            let soon = tokio::select! {
                told = told.recv() => match told {
                    Ok(Told::Lost { gap, .. }) => gap.reason == Reason::NoSpace,
                    Ok(Told::Ended { .. }) => true,
                    Err(RecvError::Closed) => return std::future::pending().await,
                    told => told.is_err(),
                },
                change = changes.recv() => match change {
                    Ok(change) => change.kind == Kind::EntryDeleted,
                    Err(RecvError::Closed) => return std::future::pending().await,
                    Err(RecvError::Lagged(_)) => true,
                },
            };
            if soon {
                self.keeper.look_soon();
            }
        }
    }
}

impl Archive for Keeping {
    fn removed<'a>(
        &'a self,
        entry: &'a EntryId,
        recording: &'a RecordingId,
        deleted: Deleted,
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if deleted == Deleted::Kept {
                self.recorder.hidden(entry.as_str(), recording.as_str());
            } else if let Err(error) = self.keeper.discard(entry.as_str(), recording.as_str()).await {
                tracing::warn!(%error, %entry, %recording, "the files of a removed recording are still there");
            }
        })
    }

    fn integrity<'a>(
        &'a self,
        entry: &'a EntryId,
        recording: &'a RecordingId,
        verify: bool,
    ) -> BoxFuture<'a, Result<Integrity, Unreadable>> {
        Box::pin(self.reports.make(entry, recording, verify))
    }

    fn copy<'a>(&'a self, entry: &'a EntryId, recording: &'a RecordingId) -> BoxFuture<'a, Option<Copied>> {
        let depot = self.depot.clone();
        Box::pin(async move { objects::copy(depot?, format!("{entry}/{recording}")).await })
    }
}

fn settings(config: &Config) -> Settings {
    let recorder = &config.recorder;
    let limits = Limits { age: recorder.keep_age, count: recorder.keep_count, bytes: recorder.keep_size };
    Settings { limits, keep_free: recording::keep_free(config) }
}
