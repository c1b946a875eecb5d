//! Sees to it that recordings are within their limits and leave room on the disk.
//!
//! ```text
//! every few seconds: room?  ─ enough ─▶ nothing          every minute, or when told that the disk is full:
//!                          └ too little ─▶ look          look: what is there? what is known of it? choose, remove
//! ```
//!
//! [`choose`](choose()) says which recordings go; they are taken out of the [`Inventory`] first, for good, then whoever has
//! copies notes it, and then their files go (see [`archive::removal`]). A recording that the inventory has let go of and whose files are still there is
//! tried again each time, so a crash or a disk that refuses delays it and no more. Where the inventory does not answer
//! nothing goes: nobody knows what is protected.
//!
//! Deliberately absent: where limits are kept, and who is told.

mod choose;

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use archive::files::{Files, Space};
use archive::removal::{self, Kept};
use futures_util::future::BoxFuture;
use media::WallTime;
use stream::Quiet;
use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, timeout};

use crate::plan::KeepFree;

pub use choose::{Bound, Candidate, Chosen, Limits, Room, Why, choose};

/// Between two looks at the room on the disk.
const ROUND: Duration = Duration::from_secs(10);
/// Between two looks at everything, where there is room.
const WHOLE: Duration = Duration::from_secs(60);
/// Before a full disk is looked at: what was freed just now may not show yet, and several recordings tell of one disk.
const PAUSE: Duration = Duration::from_secs(2);
/// So much of what is to stay free is kept free beside it.
const HEADROOM: u64 = 8;

/// What is known of recordings beside their files.
pub trait Inventory: Send + Sync {
    /// All of it.
    fn known(&self) -> BoxFuture<'_, Result<Known, Unanswered>>;

    /// Whether a recording is being written.
    fn is_open(&self, entry: &str, recording: &str) -> bool;

    /// Lets go of one that is not being written: from now on nobody writes it, and nobody plays it. `false` where it is
    /// being written. One that is not there may go.
    fn release(&self, entry: &str, recording: &str) -> bool;

    /// Takes a recording out for good, with the reason. `false` where it may not go any more: somebody protected it,
    /// or it is written to again. One that is not known may go.
    fn remove<'a>(&'a self, chosen: &'a Candidate, why: Why) -> BoxFuture<'a, Result<bool, Unanswered>>;

    /// The recordings that were taken out and of which nobody said yet that they are gone: entry and recording. Those
    /// that clips are made of are not among them.
    fn removed(&self) -> BoxFuture<'_, Result<Vec<(String, String)>, Unanswered>>;

    /// The files of a recording go next: that copies of it are to go too is noted when this returns, for good. May be said
    /// more than once, and after them.
    fn going<'a>(&'a self, entry: &'a str, recording: &'a str) -> BoxFuture<'a, io::Result<()>>;

    /// The files of a recording are gone.
    fn gone<'a>(&'a self, entry: &'a str, recording: &'a str) -> BoxFuture<'a, Result<(), Unanswered>>;
}

/// The inventory does not answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("what is known of recordings cannot be had: {0}")]
pub struct Unanswered(pub String);

/// What is known of recordings.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Known {
    /// By entry and recording. One that is not here belongs to an entry that the configuration names, or is too new.
    pub recordings: HashMap<(Arc<str>, Arc<str>), Facts>,
    /// Those that clips are made of, also where nothing else is known of them.
    pub referred: HashSet<Arc<str>>,
    /// What holds for an account as a whole, where something does.
    pub accounts: HashMap<Arc<str>, Limits>,
}

/// What is known of a recording.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Facts {
    /// Whose.
    pub account: Arc<str>,
    /// When it ended, where that is known.
    pub ended: Option<WallTime>,
    /// Whether somebody protected it.
    pub protected: bool,
    /// What its entry says.
    pub limits: Limits,
}

/// Why recordings were not looked after.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The inventory does not answer.
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
    /// Nobody noted that copies of a recording are to go.
    #[error("that copies of a recording go cannot be noted: {0}")]
    Unnoted(io::Error),
    /// The file system failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// How.
        source: io::Error,
    },
}

/// How recordings are looked after.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settings {
    /// What holds for entries that say nothing of it (`recorder.keep_age`, `keep_count`, `keep_size`).
    pub limits: Limits,
    /// What stays free on the file system (`storage.keep_free`).
    pub keep_free: KeepFree,
}

/// Looks after recordings. Cloning gives another handle on the same.
#[derive(Clone)]
pub struct Keeper(Arc<Inner>);

struct Inner {
    settings: Settings,
    files: Arc<dyn Files>,
    root: PathBuf,
    inventory: Arc<dyn Inventory>,
    soon: Notify,
    quiet: Quiet,
}

impl Keeper {
    /// Looks after the recordings below `root`.
    pub fn new(
        settings: Settings,
        files: Arc<dyn Files>,
        root: PathBuf,
        inventory: Arc<dyn Inventory>,
    ) -> Keeper {
        let (soon, quiet) = (Notify::new(), Quiet::default());
        Keeper(Arc::new(Inner { settings, files, root, inventory, soon, quiet }))
    }

    /// Finishes what was begun before the process ended, and says how many recordings that were. Before anything is
    /// recorded or played.
    pub async fn clean(&self) -> Result<usize, Error> {
        let cleaned = self.blocking(|files, root| removal::clean(files, root)).await?;
        Ok(cleaned + self.sweep().await?)
    }

    /// Looks after them for ever.
    pub async fn run(&self) {
        let mut whole = Instant::now();
        let mut stuck = false;
        loop {
            let short = self.is_short().await;
            if Instant::now() >= whole || (short && !stuck) {
                whole = Instant::now() + WHOLE;
                stuck = self.look().await == 0;
            }
            stuck &= short;
            if timeout(ROUND, self.0.soon.notified()).await.is_ok() {
                sleep(PAUSE).await;
                (whole, stuck) = (Instant::now(), false);
            }
        }
    }

    /// Looks at all of them soon: a recording found no room, or some were taken out.
    pub fn look_soon(&self) {
        self.0.soon.notify_one();
    }

    /// Looks at all of them once, and says how many went. What goes wrong is in the log.
    pub async fn look(&self) -> usize {
        match self.round().await {
            Ok(went) => went,
            Err(error) => {
                self.warn(&error);
                0
            }
        }
    }

    /// Takes the files of a recording away that the inventory has let go of. One that is still written to has its turn
    /// when it ended.
    pub async fn discard(&self, entry: &str, recording: &str) -> Result<(), Error> {
        if !self.0.inventory.release(entry, recording) {
            return Ok(());
        }
        let inventory = &self.0.inventory;
        let noted = inventory.going(entry, recording).await;
        let names = (entry.to_owned(), recording.to_owned());
        self.blocking(move |files, root| removal::remove(files, root, &names.0, &names.1)).await?;
        if noted.is_err() {
            // A disk on which there was no room for a note has room now.
            inventory.going(entry, recording).await.map_err(Error::Unnoted)?;
        }
        Ok(inventory.gone(entry, recording).await?)
    }

    async fn round(&self) -> Result<usize, Error> {
        let swept = self.sweep().await?;
        let known = self.0.inventory.known().await?;
        let kept = self.blocking(|files, root| removal::recordings(files, root)).await?;
        let space = self.space().await?;
        let now = WallTime::from(SystemTime::now());
        let candidates: Vec<_> = kept.into_iter().map(|it| self.candidate(it, &known, now)).collect();
        let room = self.room(space);
        let chosen = choose(&candidates, &known.accounts, now, room);
        if chosen.is_empty()
            && let Some(room) = room.filter(|room| room.free < room.least)
        {
            self.warn_of(room);
        }
        let mut went = swept;
        for Chosen { at, why } in chosen {
            went += usize::from(self.remove(&candidates[at], why).await?);
        }
        Ok(went)
    }

    async fn remove(&self, candidate: &Candidate, why: Why) -> Result<bool, Error> {
        if !self.0.inventory.remove(candidate, why).await? {
            return Ok(false);
        }
        let Candidate { entry, recording, bytes, .. } = candidate;
        tracing::info!(%entry, %recording, bytes, %why, "recording removed");
        self.discard(entry, recording).await.map(|()| true)
    }

    /// What was taken out before, and is still there. One that resists does not keep the others.
    async fn sweep(&self) -> Result<usize, Error> {
        let mut swept = 0;
        for (entry, recording) in self.0.inventory.removed().await? {
            match self.discard(&entry, &recording).await {
                Ok(()) => swept += 1,
                Err(error) => self.warn(&error),
            }
        }
        Ok(swept)
    }

    fn warn_of(&self, room: Room) {
        if let Some(untold) = self.0.quiet.may_say("room") {
            let Room { free, least, .. } = room;
            let root = self.0.root.display();
            tracing::warn!(free, keep_free = least, %root, untold, "nothing is recorded: the disk is too full, and removing what may go would not be enough");
        }
    }

    fn warn(&self, error: &Error) {
        if let Some(untold) = self.0.quiet.may_say("keep") {
            tracing::warn!(%error, untold, "recordings are not cleaned up");
        }
    }

    fn candidate(&self, kept: Kept, known: &Known, now: WallTime) -> Candidate {
        let (entry, recording): (Arc<str>, Arc<str>) = (kept.entry.into(), kept.recording.into());
        let open = self.0.inventory.is_open(&entry, &recording);
        let facts = known.recordings.get(&(entry.clone(), recording.clone()));
        let written = WallTime::from_micros(kept.modified);
        Candidate {
            account: facts.map(|it| it.account.clone()),
            ended: if open { now } else { facts.and_then(|it| it.ended).unwrap_or(written) },
            bytes: kept.bytes.saturating_add(kept.elsewhere),
            moved: kept.elsewhere > 0,
            bound: match facts {
                _ if open => Some(Bound::Open),
                Some(facts) if facts.protected => Some(Bound::Protected),
                _ if known.referred.contains(&recording) => Some(Bound::Referred),
                _ => None,
            },
            limits: facts.map(|it| it.limits).unwrap_or_default().or(self.0.settings.limits),
            entry,
            recording,
        }
    }

    async fn is_short(&self) -> bool {
        // Where nobody knows, nothing goes.
        let room = self.space().await.ok().and_then(|space| self.room(space));
        room.is_some_and(|room| room.free < room.wanted)
    }

    /// A little more than what has to stay free, so that there is room before a recording needs it.
    fn room(&self, space: Space) -> Option<Room> {
        let keep = self.0.settings.keep_free.bytes(space.total);
        let wanted = keep.saturating_add(keep / HEADROOM).min(space.total);
        (keep > 0).then_some(Room { free: space.free, wanted, least: keep })
    }

    async fn space(&self) -> Result<Space, Error> {
        self.blocking(|files, root| files.space(root)).await
    }

    async fn blocking<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Files, &Path) -> io::Result<T> + Send + 'static,
    {
        let inner = self.0.clone();
        let done = spawn_blocking(move || work(&*inner.files, &inner.root)).await;
        let done = done.unwrap_or_else(|panic| Err(io::Error::other(panic)));
        done.map_err(|source| Error::Io { path: self.0.root.clone(), source })
    }
}
