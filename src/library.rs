//! Recordings as something to play: where they lie, and which entries there are.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use archive::Shelf;
use archive::files::Disk;
use catalog::Catalog;
use config::Config;
use recorder::{Recorder, Told};
use stream::Directory;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;
use vod::{Library, Local};

use crate::admission;

/// What the control API asks of the library.
pub(crate) struct OnDemand(pub(crate) Library);

/// Where the bytes of recordings below `root` are read.
pub(crate) fn storage(root: &Path) -> Local {
    Local::new(Shelf::new(Arc::new(Disk), root.to_owned()))
}

/// Tells the library what happens to recordings from now on, until told to stop.
pub(crate) fn follow(
    library: Library,
    recorder: &Recorder,
    stop: CancellationToken,
) -> impl Future<Output = ()> + use<> {
    listen(library, recorder.events(), stop)
}

async fn listen(library: Library, mut events: Receiver<Told>, stop: CancellationToken) {
    loop {
        tokio::select! {
            told = events.recv() => match told {
                Ok(Told::Began { entry, recording }) => library.began(&entry, &recording),
                Ok(Told::Ended { entry, recording }) => {
                    // Reading one index is no reason for another to wait.
                    tokio::spawn(library.ended(&entry, &recording));
                }
                Ok(Told::Removed { recording, .. } | Told::Hidden { recording, .. }) => library.removed(&recording),
                Ok(Told::Lost { .. } | Told::Resumed { .. }) => {}
                Err(RecvError::Lagged(lost)) => {
                    tracing::warn!(lost, "more happened to recordings than the library could follow: looking again");
                    look_again(&library).await;
                }
                Err(RecvError::Closed) => return,
            },
            () = stop.cancelled() => return,
        }
    }
}

async fn look_again(library: &Library) {
    let library = library.clone();
    if let Ok(Err(error)) = spawn_blocking(move || library.look_again()).await {
        tracing::error!(%error, "cannot list recordings");
    }
}

/// What was recorded, beside what is live.
pub(crate) fn open(
    config: &Config,
    root: &Path,
    settings: &Arc<stream::Settings>,
    catalog: &Catalog,
    directory: &Directory,
) -> anyhow::Result<Library> {
    let entries = Entries { config: config.clone(), settings: settings.clone(), catalog: catalog.clone() };
    let (live, entries) = (Arc::new(directory.clone()), Arc::new(entries));
    Library::open(Arc::new(Disk), root, live, entries, config.vod.cache)
        .context("storage.data: cannot list recordings")
}

impl control_api::OnDemand for OnDemand {
    fn has_recording(&self, entry: &str) -> bool {
        self.0.has_recording(entry)
    }
}

struct Entries {
    config: Config,
    settings: Arc<stream::Settings>,
    catalog: Catalog,
}

impl vod::Entries for Entries {
    fn is_known(&self, entry: &str) -> bool {
        let fixed = || self.config.streams.iter().any(|live| live.entry == entry);
        fixed() || catalog::EntryId::parse(entry).is_some_and(|id| self.catalog.keys().entry(&id).is_some())
    }

    fn window(&self, entry: &str) -> Duration {
        let known = admission::known(&self.config, &self.settings, &self.catalog, entry);
        known.map_or(self.settings.packager.window, |(settings, _)| settings.packager.window)
    }
}
