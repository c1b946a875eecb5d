//! What an entry shows when it is not live, and what of it can still be fetched.
//!
//! While an entry is live its bare URLs are the stream's. When it is over, they are the whole of its newest recording, as
//! soon as that holds everything that was on air; until then what the stream still has. Whoever named a session goes on
//! seeing that session: from the stream while it keeps it, then as the recording has it.
//!
//! A recording has a number in place of a session's, beyond all of those, by which its playlists name it: so a player
//! that opened it stays with it, whatever the entry shows when it asks for another rendition. By its id in place of an
//! entry's each recording can be played alone, also while it grows, as it stands.
//!
//! Indexes are read on threads that may block, each once however many ask, and what they say is kept within a limit. An
//! index that cannot be read is as good as none.

mod cache;
mod head;
mod loaded;
mod recordings;
mod shelves;
mod wanted;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use archive::files::Files;
use futures_util::future::BoxFuture;
use packager::names::Resource;
use stream::{Found, Source, View, Viewer};

use shelves::Shelves;

/// What the library asks of entries. Answered from memory: it is asked with each request.
pub trait Entries: Send + Sync {
    /// Whether there is such an entry. Recordings of one that is no more are not shown.
    fn is_known(&self, entry: &str) -> bool;

    /// How much of the past the live playlists of an entry list.
    fn window(&self, entry: &str) -> Duration;
}

/// Recordings beside what is live. Cloning shares it.
#[derive(Clone)]
pub struct Library {
    shelves: Arc<Shelves>,
}

impl Library {
    /// What lies below `root`, as `ENTRY/RECORDING/`, beside what is `live`. Of what indexes say about `cache` bytes are
    /// kept, and one index in any case.
    ///
    /// Blocks as long as listing folders does; fails where `root` is there and cannot be listed.
    pub fn open(
        files: Arc<dyn Files>,
        root: &Path,
        live: Arc<dyn Source>,
        entries: Arc<dyn Entries>,
        cache: u64,
    ) -> io::Result<Library> {
        let shelves = Shelves::open(files, root, live, entries, cache)?;
        Ok(Library { shelves: Arc::new(shelves) })
    }

    /// A recording began, or goes on.
    pub fn began(&self, entry: &str, recording: &str) {
        if let Some(recording) = self.shelves.recordings.add(entry, recording) {
            recording.grows(true);
        }
    }

    /// Everything of a recording is in its files. This is so when the call returns; what that gives reads them, so that
    /// nobody has to wait for it later.
    pub fn ended(&self, entry: &str, recording: &str) -> impl Future<Output = ()> + Send + use<> {
        let (shelves, recording) = (self.shelves.clone(), self.shelves.recordings.add(entry, recording));
        if let Some(recording) = &recording {
            recording.grows(false);
        }
        async move {
            if let Some(recording) = recording {
                shelves.load(recording).await;
            }
        }
    }

    /// A recording is no more.
    pub fn removed(&self, recording: &str) {
        if let Some(recording) = self.shelves.recordings.remove(recording) {
            self.shelves.cache.remove(&recording);
        }
    }

    /// Lists folders again, where what happened to recordings may have been missed. Blocks as
    /// [`open`](Library::open) does.
    pub fn look_again(&self) -> io::Result<()> {
        self.shelves.look_again()
    }

    /// The entry of which this is a recording.
    pub fn entry_of(&self, recording: &str) -> Option<Arc<str>> {
        self.shelves.recordings.get(recording).map(|recording| recording.entry.clone())
    }

    /// Whether an entry has a recording.
    pub fn has_recording(&self, entry: &str) -> bool {
        !self.shelves.recordings.of(entry).is_empty()
    }
}

impl Source for Library {
    fn find(&self, entry: &str, session: Option<u64>, viewer: Viewer) -> Found {
        self.shelves.find(entry, session, viewer)
    }

    fn timeline(&self, entry: &str, name: &str, viewer: Viewer) -> Option<u64> {
        self.shelves.live.timeline(entry, name, viewer)
    }

    fn newest_session(&self, entry: &str, viewer: Viewer) -> Option<u64> {
        self.shelves.newest_session(entry, viewer)
    }

    fn prepare_for<'a>(
        &'a self,
        entry: &'a str,
        session: Option<u64>,
        resource: &'a Resource,
    ) -> BoxFuture<'a, ()> {
        Box::pin(self.shelves.prepare(entry, session, resource))
    }

    fn started<'a>(&'a self, entry: &'a str, session: Option<u64>, viewer: Viewer) -> BoxFuture<'a, ()> {
        self.shelves.live.started(entry, session, viewer)
    }

    fn changed<'a>(
        &'a self,
        entry: &'a str,
        session: Option<u64>,
        viewer: Viewer,
        rendition: &'a str,
        seen: u64,
    ) -> BoxFuture<'a, ()> {
        self.shelves.live.changed(entry, session, viewer, rendition, seen)
    }

    fn sessions(&self, entry: &str, viewer: Viewer) -> Vec<Arc<View>> {
        self.shelves.sessions(entry, viewer)
    }
}
