//! Recordings that are removed: what the store has of them goes too, whatever happens meanwhile.
//!
//! ```text
//! STATE/removed/ENTRY~RECORDING      a line for each upload that was under way: FILE UPLOAD
//! ```
//!
//! The note is there for good before the first file here goes, and until nothing is left in the store. Nothing there is
//! touched while the recording is still here: who dies between the two has removed nothing.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use archive::files::Files;
use archive::layout::MediaName;
use stream::isolated;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, spawn_blocking};
use tokio::time::sleep;
use tracing::warn;

use crate::backoff::Backoff;
use crate::bucket::Bucket;
use crate::handle::Inner;
use crate::restore::is_name;
use crate::survey::disk;
use crate::trouble::Trouble;

/// Removals that ask the store for something at once.
const AT_ONCE: usize = 4;
/// After this the store has what was on its way when an upload was given up, or will never have it.
const SETTLED: Duration = Duration::from_secs(2);
/// The longest note that is read, in bytes.
const MAX_NOTE: usize = 1 << 20;

/// A multipart upload that was under way: of which file, and what the store calls it.
type Upload = (String, String);

/// Recordings whose removal is under way.
pub(crate) struct Removals {
    tasks: Mutex<BTreeMap<Arc<str>, AbortHandle>>,
    gate: Semaphore,
}

impl Default for Removals {
    fn default() -> Removals {
        Removals { tasks: Mutex::default(), gate: Semaphore::new(AT_ONCE) }
    }
}

impl Removals {
    /// Whether that of a recording is.
    pub fn has(&self, store: &str) -> bool {
        self.tasks().contains_key(store)
    }

    /// How many are.
    pub fn count(&self) -> u64 {
        self.tasks().len() as u64
    }

    /// Begins one, if it is not under way.
    pub fn begin(inner: &Arc<Inner>, runtime: &Handle, store: &str) {
        let mut tasks = inner.removals.tasks();
        if tasks.contains_key(store) {
            return;
        }
        let store: Arc<str> = store.into();
        let removal = Removal { inner: inner.clone(), store: store.clone() };
        let name = store.clone();
        let task = async move { isolated("removing from the object store", &name, removal.run()).await };
        tasks.insert(store, runtime.spawn(task).abort_handle());
    }

    pub fn stop(&self) {
        std::mem::take(&mut *self.tasks()).into_values().for_each(|task| task.abort());
    }

    /// Plain values, whole at every step: a panic elsewhere cannot have broken them.
    fn tasks(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, AbortHandle>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notes for good that a recording is to go, with its uploads that are under way. Blocks.
pub(crate) fn note(files: &dyn Files, state: &Path, store: &str, uploads: &[Upload]) -> io::Result<()> {
    let (folder, path) = (folder(state), path(state, store));
    files.create_folder(&folder)?;
    let mut file = files.append(&path)?;
    // Where none is known the note may still be of a time when some were.
    if !uploads.is_empty() {
        files.cut(&path, 0)?;
        let text: String = uploads.iter().map(|(file, upload)| format!("{file} {upload}\n")).collect();
        file.append(&[text.as_bytes()])?;
    }
    file.sync()?;
    files.sync_folder(&folder)?;
    files.sync_folder(state)
}

/// Recordings that are to go. Blocks.
pub(crate) fn noted(files: &dyn Files, state: &Path) -> io::Result<Vec<String>> {
    match files.list(&folder(state)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        listed => Ok(listed?.iter().filter_map(|it| store_of(&it.name)).collect()),
    }
}

/// Takes a note back. Blocks.
pub(crate) fn withdraw(files: &dyn Files, state: &Path, store: &str) -> io::Result<()> {
    match files.remove(&path(state, store)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// One of them.
struct Removal {
    inner: Arc<Inner>,
    store: Arc<str>,
}

impl Removal {
    async fn run(self) {
        let mut backoff = Backoff::default();
        while self.is_here().await {
            sleep(backoff.next()).await;
        }
        backoff.reset();
        while let Err(error) = self.attempt().await {
            self.failed(&error);
            sleep(backoff.next()).await;
        }
        // In this order: who notes it once more finds nobody at work, or is noted in vain.
        self.inner.removals.tasks().remove(&self.store);
        if let Err(error) = self.blocking(withdraw).await {
            warn!(recording = %self.store, "cannot note that it is gone from the store: {error}");
        }
    }

    /// Whether its folder is here; so it is, where that cannot be told.
    async fn is_here(&self) -> bool {
        let folder = self.inner.folder(&self.store).path;
        !matches!(tokio::fs::try_exists(folder).await, Ok(false))
    }

    async fn attempt(&self) -> Result<(), Trouble> {
        let uploads = self.blocking(uploads).await?;
        self.clear(&uploads).await?;
        sleep(SETTLED).await;
        self.clear(&uploads).await
    }

    async fn clear(&self, uploads: &[Upload]) -> Result<(), Trouble> {
        let bucket: &Bucket = &self.inner.bucket;
        let _permit = self.inner.removals.gate.acquire().await;
        for object in bucket.list(&self.store).await? {
            bucket.delete(&object.location).await?;
        }
        for (file, upload) in uploads {
            bucket.abort(&bucket.at(&self.store, file), upload).await?;
        }
        Ok(())
    }

    fn failed(&self, error: &Trouble) {
        self.inner.book.failed();
        if let Some(unsaid) = self.inner.quiet.may_say("removal failed") {
            let recording = &self.store;
            warn!(%recording, unsaid, "{error}; what was removed is still in the store, it is tried again");
        }
    }

    async fn blocking<T: Send + 'static>(
        &self,
        task: fn(&dyn Files, &Path, &str) -> io::Result<T>,
    ) -> Result<T, Trouble> {
        let (inner, store) = (self.inner.clone(), self.store.clone());
        let state = &self.inner.settings.state;
        let done = spawn_blocking(move || task(&*inner.files, &inner.settings.state, &store)).await?;
        done.map_err(|error| disk(&path(state, &self.store), error))
    }
}

/// The uploads that a note tells of. Blocks.
fn uploads(files: &dyn Files, state: &Path, store: &str) -> io::Result<Vec<Upload>> {
    match files.read(&path(state, store), 0, MAX_NOTE) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => Ok(String::from_utf8_lossy(&read?).lines().filter_map(upload).collect()),
    }
}

fn upload(line: &str) -> Option<Upload> {
    let (file, upload) = line.split_once(' ')?;
    MediaName::parse(file)?;
    Some((file.to_owned(), upload.to_owned()))
}

fn folder(state: &Path) -> PathBuf {
    state.join("removed")
}

fn path(state: &Path, store: &str) -> PathBuf {
    folder(state).join(store.replace('/', "~"))
}

/// What a note is of. A file of another name is none: a word less, and all of an entry would go.
fn store_of(name: &str) -> Option<String> {
    let (entry, recording) = name.split_once('~')?;
    (is_name(entry) && is_name(recording)).then(|| format!("{entry}/{recording}"))
}
