//! How far each recording is, for whoever asks.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio::task::AbortHandle;

/// What is being done with a recording, one after the other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stage {
    /// It is recorded; parts follow as they become final.
    Growing,
    /// It is on its way.
    Uploading,
    /// All of it is there, verified, and here as well.
    Complete,
    /// Its media is there alone.
    Moved,
}

/// How far a recording is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Progress {
    /// What is being done with it.
    pub stage: Stage,
    /// Bytes of media that are final here.
    pub bytes: u64,
    /// Those of them that the store has.
    pub uploaded: u64,
    /// Why the last try failed, if it did; a try follows, for as long as it takes.
    pub error: Option<String>,
    /// Tries in a row that failed.
    pub failures: u32,
}

impl Progress {
    /// Bytes that are on their way.
    pub fn pending(&self) -> u64 {
        self.bytes.saturating_sub(self.uploaded)
    }

    pub(crate) fn new(stage: Stage) -> Progress {
        Progress { stage, bytes: 0, uploaded: 0, error: None, failures: 0 }
    }
}

/// All recordings together, for metrics.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Totals {
    /// Recordings that are not all there.
    pub pending_recordings: u64,
    /// Bytes that are on their way.
    pub pending_bytes: u64,
    /// Recordings whose last try failed.
    pub failing: u64,
    /// Recordings that were removed, and of which the store may have something still.
    pub pending_removals: u64,
    /// Bytes sent since the start.
    pub sent_bytes: u64,
    /// Tries that failed since the start.
    pub failures: u64,
}

/// A recording that is looked after.
pub(crate) struct Slot {
    /// Whether it is being written.
    pub live: watch::Sender<bool>,
    pub progress: Progress,
    pub task: Option<AbortHandle>,
}

/// All recordings that are looked after.
#[derive(Default)]
pub(crate) struct Book {
    slots: Mutex<BTreeMap<Arc<str>, Slot>>,
    /// Those that were asked for and are not looked after: some hundred bytes for each recording here.
    resting: Mutex<BTreeMap<Arc<str>, Progress>>,
    sent: AtomicU64,
    failures: AtomicU64,
}

impl Book {
    /// Plain values, whole at every step: a panic elsewhere cannot have broken them.
    pub fn slots(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far a recording is, where that is known without a look at its files.
    pub fn known(&self, store: &str) -> Option<Progress> {
        let slots = self.slots();
        let looked_after = slots.get(store).map(|slot| slot.progress.clone());
        looked_after.or_else(|| self.resting().get(store).cloned())
    }

    /// Remembers what a look at its files said, unless it is looked after meanwhile.
    pub fn rests(&self, store: &str, progress: &Progress) {
        let slots = self.slots();
        if !slots.contains_key(store) {
            self.resting().insert(store.into(), progress.clone());
        }
    }

    /// It changes, or goes: what its files said counts no more.
    pub fn moves(&self, store: &str) {
        self.resting().remove(store);
    }

    /// Taken when the slots are held, or alone.
    fn resting(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Progress>> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A try failed.
    pub fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    /// What is uploaded; of removals it knows nothing.
    pub fn totals(&self) -> Totals {
        let slots = self.slots();
        let pending = || slots.values().map(|slot| &slot.progress).filter(|it| it.stage < Stage::Complete);
        Totals {
            pending_recordings: pending().count() as u64,
            pending_bytes: pending().map(Progress::pending).sum(),
            failing: slots.values().filter(|slot| slot.progress.error.is_some()).count() as u64,
            pending_removals: 0,
            sent_bytes: self.sent.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
        }
    }
}

/// Where one recording's progress is told.
#[derive(Clone)]
pub(crate) struct Line {
    pub book: Arc<Book>,
    pub store: Arc<str>,
}

impl Line {
    pub fn stage(&self, stage: Stage) {
        self.change(|it| it.stage = stage);
    }

    pub fn wants(&self, bytes: u64, uploaded: u64) {
        self.change(|it| (it.bytes, it.uploaded) = (bytes, uploaded));
    }

    pub fn sent(&self, bytes: u64) {
        self.book.sent.fetch_add(bytes, Ordering::Relaxed);
        self.change(|it| it.uploaded += bytes);
    }

    /// Whether that is the first failure in a row.
    pub fn failed(&self, error: String) -> bool {
        self.book.failed();
        let mut first = false;
        self.change(|it| {
            first = it.failures == 0;
            it.failures += 1;
            it.error = Some(error);
        });
        first
    }

    /// Whether there were failures before.
    pub fn went_well(&self) -> bool {
        let mut failed = false;
        self.change(|it| {
            failed = it.error.take().is_some();
            it.failures = 0;
        });
        failed
    }

    fn change(&self, change: impl FnOnce(&mut Progress)) {
        if let Some(slot) = self.book.slots().get_mut(&self.store) {
            change(&mut slot.progress);
        }
    }
}
