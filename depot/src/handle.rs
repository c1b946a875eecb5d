//! The depot: which recordings are looked after.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use archive::files::Files;
use archive::layout::INDEX;
use archive::moved;
use stream::{Quiet, Storage, isolated};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use tokio::task::spawn_blocking;
use tracing::error;

use crate::book::{Book, Line, Progress, Slot, Stage, Totals};
use crate::bucket::Bucket;
use crate::gone::{self, Removals};
use crate::journal::Journal;
use crate::remote::Remote;
use crate::survey::Folder;
use crate::tend::Tended;
use crate::upload::Recording;

/// What a depot is to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// The folder of all recordings here: `ENTRY/RECORDING` below it.
    pub recordings: PathBuf,
    /// A folder for what the depot has to remember.
    pub state: PathBuf,
    /// How long media stays here when all of its recording is there and verified: `None` for ever (the store is an
    /// archive), zero not at all (it is their home).
    pub keep_local: Option<Duration>,
}

/// Parts that are in memory at once, of all recordings.
const PARTS: usize = 2;

/// Copies recordings to an object store. Clones are the same depot.
#[derive(Clone)]
pub struct Depot {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub files: Arc<dyn Files>,
    pub bucket: Bucket,
    pub settings: Settings,
    pub book: Arc<Book>,
    pub removals: Removals,
    gate: Arc<Semaphore>,
    pub quiet: Arc<Quiet>,
    runtime: Handle,
}

impl Depot {
    /// A depot whose tasks run on the runtime that this is called on.
    pub fn new(bucket: Bucket, files: Arc<dyn Files>, settings: Settings) -> Depot {
        let inner = Inner {
            files,
            bucket,
            settings,
            book: Arc::default(),
            removals: Removals::default(),
            gate: Arc::new(Semaphore::new(PARTS)),
            quiet: Arc::default(),
            runtime: Handle::current(),
        };
        Depot { inner: Arc::new(inner) }
    }

    /// Takes up everything that is not in the store yet, and what was to be removed from it. Recordings that are written
    /// at this moment should have [`begun`](Depot::began) before, and those that are removed should have gone: one that is
    /// here is kept, until somebody says again that it is [`removed`](Depot::removed).
    pub async fn start(&self) -> io::Result<()> {
        let inner = self.inner.clone();
        let found = spawn_blocking(move || Ok::<_, io::Error>((inner.unfinished()?, inner.removed()?)));
        let (unfinished, removed) = found.await.map_err(io::Error::other)??;
        removed.into_iter().for_each(|store| self.remove(&store));
        unfinished.into_iter().for_each(|store| self.look_after(&store, None));
        Ok(())
    }

    /// A recording is being written: its parts follow while it grows.
    pub fn began(&self, store: &str) {
        self.look_after(store, Some(true));
    }

    /// Nobody writes to it any more: the rest follows, and its index.
    pub fn ended(&self, store: &str) {
        self.look_after(store, Some(false));
    }

    /// It is removed: when its files are gone, what the store has goes too, for as long as that takes. Said before the
    /// first of them goes, so that nobody who dies meanwhile leaves something there: when this returns it is remembered
    /// for good. Blocks as long as the file system does.
    pub fn removed(&self, store: &str) -> io::Result<()> {
        let Inner { files, settings, .. } = &*self.inner;
        let journal = Journal::open(files.clone(), &self.inner.folder(store).path);
        // What cannot be read any more keeps nothing from going.
        let uploads = journal.map(|it| it.uploads()).unwrap_or_default();
        gone::note(&**files, &settings.state, store, &uploads)?;
        self.remove(store);
        Ok(())
    }

    /// How far each recording is that is not done with.
    pub fn progress(&self) -> Vec<(Arc<str>, Progress)> {
        let slots = self.inner.book.slots();
        slots.iter().map(|(store, slot)| (store.clone(), slot.progress.clone())).collect()
    }

    /// How far a recording is, where that is known without a look at its files.
    pub fn known(&self, store: &str) -> Option<Progress> {
        self.inner.book.known(store)
    }

    /// How far a recording is. Blocks as long as the file system does, unless that is [`known`](Depot::known).
    pub fn progress_of(&self, store: &str) -> io::Result<Progress> {
        self.known(store).map_or_else(|| self.inner.at_rest(store), Ok)
    }

    /// All recordings together.
    pub fn totals(&self) -> Totals {
        Totals { pending_removals: self.inner.removals.count(), ..self.inner.book.totals() }
    }

    /// Reads recordings: what `local` does not have, from the store.
    pub fn remote(&self, local: Arc<dyn Storage>) -> Remote {
        Remote::new(local, self.inner.bucket.clone())
    }

    /// Stops everything; a later start goes on where it was.
    pub fn stop(&self) {
        let slots = std::mem::take(&mut *self.inner.book.slots());
        slots.into_values().filter_map(|slot| slot.task).for_each(|task| task.abort());
        self.inner.removals.stop();
    }

    pub(crate) fn inner(&self) -> Arc<Inner> {
        self.inner.clone()
    }

    /// Looks after a recording; `live` says whether it is written, if that is news.
    fn look_after(&self, store: &str, live: Option<bool>) {
        let mut slots = self.inner.book.slots();
        if let Some(slot) = slots.get(store) {
            if let Some(live) = live {
                slot.live.send_replace(live);
            }
            return;
        }
        if self.inner.removals.has(store) {
            return;
        }
        self.inner.book.moves(store);
        let store: Arc<str> = store.into();
        let (sender, receiver) = watch::channel(live.unwrap_or(false));
        let stage = if live == Some(true) { Stage::Growing } else { Stage::Uploading };
        let task = self.inner.clone().tend(store.clone(), receiver);
        let task = self.inner.runtime.spawn(task).abort_handle();
        slots.insert(store, Slot { live: sender, progress: Progress::new(stage), task: Some(task) });
    }

    fn remove(&self, store: &str) {
        let mut slots = self.inner.book.slots();
        if let Some(task) = slots.remove(store).and_then(|slot| slot.task) {
            task.abort();
        }
        self.inner.book.moves(store);
        // Under the lock under which uploads begin.
        Removals::begin(&self.inner, &self.inner.runtime, store);
    }
}

impl Inner {
    async fn tend(self: Arc<Inner>, store: Arc<str>, live: watch::Receiver<bool>) {
        let (opening, folder) = (self.clone(), self.folder(&store));
        let path = folder.path.clone();
        let journal = spawn_blocking(move || Journal::open(opening.files.clone(), &path)).await;
        let journal = match journal {
            Ok(Ok(journal)) => journal,
            failed => {
                let why = failed.map(|it| it.err()).ok().flatten();
                error!(recording = %store, ?why, "cannot read how far its upload is: it stays here alone");
                self.book.slots().remove(&store);
                return;
            }
        };
        let recording = Recording {
            line: Line { book: self.book.clone(), store: store.clone() },
            folder,
            bucket: self.bucket.clone(),
            journal: Arc::new(Mutex::new(journal)),
            gate: self.gate.clone(),
            store: store.clone(),
        };
        let keep_local = self.settings.keep_local;
        let tended = Tended { recording, keep_local, quiet: self.quiet.clone() };
        if isolated("an upload", &store, tended.tend(live)).await.is_err() {
            self.book.slots().remove(&store);
        }
    }

    pub(crate) fn folder(&self, store: &str) -> Folder {
        Folder { files: self.files.clone(), path: self.settings.recordings.join(store) }
    }

    /// Every recording here: `ENTRY/RECORDING`.
    pub(crate) fn stores(&self) -> io::Result<Vec<String>> {
        let root = &self.settings.recordings;
        let mut stores = Vec::new();
        for entry in folders(root)? {
            let recordings = folders(&root.join(&entry))?;
            stores.extend(recordings.into_iter().map(|recording| format!("{entry}/{recording}")));
        }
        Ok(stores)
    }

    fn unfinished(&self) -> io::Result<Vec<String>> {
        let is_open = |store: &String| match self.at_rest(store) {
            Ok(progress) if self.settings.keep_local.is_none() => progress.stage < Stage::Complete,
            Ok(progress) => progress.stage < Stage::Moved,
            Err(_) => true,
        };
        Ok(self.stores()?.into_iter().filter(is_open).collect())
    }

    /// What is to go from the store. Notes of what is here all the same are withdrawn.
    fn removed(&self) -> io::Result<Vec<String>> {
        let (files, state) = (&*self.files, &self.settings.state);
        let noted = gone::noted(files, state)?.into_iter().filter(|store| !self.removals.has(store));
        let (here, gone): (Vec<_>, Vec<_>) = noted.partition(|store| self.folder(store).path.exists());
        here.iter().try_for_each(|store| gone::withdraw(files, state, store))?;
        Ok(gone)
    }

    /// How far a recording is that nobody writes to, as its files say. That is remembered.
    fn at_rest(&self, store: &str) -> io::Result<Progress> {
        let progress = self.look(store)?;
        self.book.rests(store, &progress);
        Ok(progress)
    }

    fn look(&self, store: &str) -> io::Result<Progress> {
        let folder = self.folder(store);
        let journal = Journal::open(self.files.clone(), &folder.path)?;
        let moved = moved::read(&*self.files, &folder.path)?;
        let listed = self.files.list(&folder.path)?;
        let index = listed.iter().find(|it| it.name == INDEX).map(|it| it.len);
        let media = listed.iter().filter(|it| archive::layout::MediaName::parse(&it.name).is_some());
        let here: u64 = media.clone().map(|it| it.len).sum();
        let uploaded: u64 = journal.ways().values().map(|way| way.uploaded()).sum();
        let complete = journal.complete().is_some_and(|it| Some(it.len) == index);
        let stage = match complete {
            true if media.count() == 0 && !moved.is_empty() => Stage::Moved,
            true => Stage::Complete,
            false => Stage::Uploading,
        };
        let bytes = here + moved.values().sum::<u64>();
        Ok(Progress { bytes, uploaded: uploaded.min(bytes), ..Progress::new(stage) })
    }
}

/// The folders in a folder, those that begin with a dot left out.
fn folders(folder: &std::path::Path) -> io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() && !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
