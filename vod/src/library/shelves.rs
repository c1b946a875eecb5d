//! The library itself: what stands where, and what of it was read.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use archive::files::Files;
use packager::{Presentation, Rendition};
use stream::{Found, Source, View, Viewer};
use tokio::task::spawn_blocking;
use tracing::error;

use super::Entries;
use super::cache::Cache;
use super::head::Head;
use super::loaded::Loaded;
use super::recordings::{OfEntry, Recording, Recordings};

/// Newest recordings that are looked at for something to play: one may have begun and hold nothing.
pub(super) const TRIES: usize = 3;

pub(super) struct Shelves {
    pub(super) live: Arc<dyn Source>,
    pub(super) entries: Arc<dyn Entries>,
    pub(super) recordings: Recordings,
    pub(super) cache: Cache,
    files: Arc<dyn Files>,
    root: PathBuf,
}

impl Shelves {
    pub(super) fn open(
        files: Arc<dyn Files>,
        root: &Path,
        live: Arc<dyn Source>,
        entries: Arc<dyn Entries>,
        cache: u64,
    ) -> io::Result<Shelves> {
        let (recordings, cache) = (Recordings::scan(root)?, Cache::new(cache));
        Ok(Shelves { live, entries, recordings, cache, files, root: root.to_owned() })
    }

    /// Finds out anew which recordings there are, and takes what was read of them for old.
    pub(super) fn look_again(&self) -> io::Result<()> {
        let there = Recordings::scan(&self.root)?;
        for known in self.recordings.all() {
            match there.get(&known.id) {
                Some(_) => known.grows(known.is_growing()),
                None => {
                    self.recordings.remove(&known.id);
                    self.cache.remove(&known);
                }
            }
        }
        for found in there.all() {
            self.recordings.add(&found.entry, &found.id);
        }
        Ok(())
    }

    pub(super) fn find(&self, id: &str, session: Option<u64>, viewer: Viewer) -> Found {
        if let Some(recording) = self.alone(id) {
            return self.by_itself(&recording, session).map_or(Found::Unknown, Found::View);
        }
        let live = self.live.find(id, session, viewer);
        let recorded = match (&live, session) {
            (Found::Starting, _) => None,
            (Found::View(view), None) if view.presentation.ended => self.vod(id, Some(view)),
            (Found::View(_), _) => None,
            (_, None) => self.vod(id, None),
            (_, Some(session)) => self.known(id).iter().find_map(|it| self.view(it, Some(session))),
        };
        recorded.map_or(live, Found::View)
    }

    /// The session that playlists of an entry are of which name none: in what a playlist lists, numbers never go back
    /// (RFC 8216bis §4.4.3.2), so that one that was live does not become the whole recording.
    pub(super) fn newest_session(&self, entry: &str, viewer: Viewer) -> Option<u64> {
        if self.alone(entry).is_some() {
            return None;
        }
        match self.live.find(entry, None, viewer) {
            Found::View(view) => Some(view.presentation.session.id),
            Found::Starting => None,
            Found::Unknown | Found::Offline => {
                let newest = self.known(entry).iter().take(TRIES).find_map(|it| self.playable(it))?;
                newest.newest_session()
            }
        }
    }

    pub(super) fn sessions(&self, id: &str, viewer: Viewer) -> Vec<Arc<View>> {
        if let Some(recording) = self.alone(id) {
            return self.view(&recording, None).into_iter().collect();
        }
        let mut sessions = self.live.sessions(id, viewer);
        if self.entries.is_known(id) {
            sessions.extend(self.cache.all(id).iter().filter_map(|loaded| loaded.view.clone()));
        }
        sessions
    }

    /// The recording that stands in place of an entry.
    pub(super) fn alone(&self, id: &str) -> Option<Arc<Recording>> {
        let recording = self.recordings.get(id)?;
        self.entries.is_known(&recording.entry).then_some(recording)
    }

    /// The newest recording of an entry that has something to play. Where a session is over, the recording must have all
    /// of it, or at least something if nothing more comes.
    fn vod(&self, entry: &str, over: Option<&View>) -> Option<Arc<View>> {
        let known = self.known(entry);
        let (recording, loaded) = known.iter().take(TRIES).find_map(|it| Some((it, self.playable(it)?)))?;
        let view = loaded.view.clone()?;
        let growing = recording.is_growing();
        over.is_none_or(|over| shows(&view.presentation, &over.presentation, growing)).then_some(view)
    }

    fn playable(&self, recording: &Recording) -> Option<Arc<Loaded>> {
        self.cache.get(recording).filter(|loaded| loaded.view.is_some())
    }

    /// A recording as its own id shows it.
    fn by_itself(&self, recording: &Recording, session: Option<u64>) -> Option<Arc<View>> {
        match session.filter(|&session| session != recording.number) {
            None => self.cache.get(recording)?.by_itself(self.is_complete(recording)),
            session => self.view(recording, session),
        }
    }

    /// Whether nothing more comes into a recording: what goes on is the newest one of its entry, if any does.
    fn is_complete(&self, recording: &Recording) -> bool {
        let Some(own) = recording.head.get() else { return false };
        let later = |it: &Arc<Recording>| it.head.get().is_some_and(|head| head.segment > own.segment);
        !recording.is_growing() && self.recordings.of(&recording.entry).iter().any(later)
    }

    /// A recording, or a session that it has.
    fn view(&self, recording: &Recording, session: Option<u64>) -> Option<Arc<View>> {
        let loaded = self.cache.get(recording)?;
        match session.filter(|&session| session != recording.number) {
            None => loaded.view.clone(),
            Some(session) => loaded.session(session, self.entries.window(&recording.entry)),
        }
    }

    /// The recordings of an entry, newest first.
    fn known(&self, entry: &str) -> OfEntry {
        if self.entries.is_known(entry) { self.recordings.of(entry) } else { Arc::from([]) }
    }

    /// The same, with where each begins.
    pub(super) async fn placed(&self, entry: &str) -> OfEntry {
        let known = self.known(entry);
        let unread: Vec<_> = known.iter().filter(|it| it.head.get().is_none()).cloned().collect();
        if unread.is_empty() {
            return known;
        }
        let (files, root) = (self.files.clone(), self.root.clone());
        let reading = spawn_blocking(move || {
            for recording in unread {
                let folder = root.join(&*recording.entry).join(&*recording.id);
                if let Some(head) = Head::read(&*files, &folder) {
                    recording.head.get_or_init(|| head);
                }
            }
        });
        match reading.await {
            Ok(()) => self.recordings.sort(entry),
            Err(_) => known,
        }
    }

    /// Reads the index of a recording, unless what was read of it is still right. One reads, whoever else asks waits for
    /// it; and it is read to its end though who asked may have left.
    pub(super) async fn load(self: &Arc<Self>, recording: Arc<Recording>) {
        if self.is_fresh(&recording) {
            return;
        }
        let shelves = self.clone();
        // A panic is logged where it happens; there is nothing to show then.
        let _ = tokio::spawn(async move {
            let one = recording.reading.lock().await;
            if !shelves.is_fresh(&recording) {
                shelves.read(&recording).await;
            }
            drop(one);
        })
        .await;
    }

    pub(super) fn is_fresh(&self, recording: &Recording) -> bool {
        self.cache.get(recording).is_some_and(|loaded| loaded.is_fresh(recording))
    }

    async fn read(&self, recording: &Arc<Recording>) {
        let (files, root, read) = (self.files.clone(), self.root.clone(), recording.clone());
        let loaded = match spawn_blocking(move || Loaded::read(&*files, &root, &read)).await {
            Ok(Ok(loaded)) => loaded,
            Ok(Err(error)) => unreadable(recording, &error),
            Err(error) => unreadable(recording, &error),
        };
        self.cache.put(recording, loaded);
        // It may have been removed meanwhile.
        if self.recordings.get(&recording.id).is_none() {
            self.cache.remove(recording);
        }
    }
}

/// An index that cannot be read is as good as none.
fn unreadable(recording: &Recording, why: &dyn std::fmt::Display) -> Loaded {
    error!(entry = %recording.entry, recording = %recording.id, "a recording cannot be played: {why}");
    Loaded::unreadable(recording)
}

/// Whether a recording shows a session that is over: all of it while more may come, else something of it.
fn shows(recorded: &Presentation, over: &Presentation, growing: bool) -> bool {
    let reaches = |name: &str| recorded.rendition(name).and_then(|it| it.last()).map(|last| last.number);
    if growing {
        let media = |it: &Rendition| it.shown().rev().find(|last| !last.is_gap()).map(|last| last.number);
        let mut ends = over.renditions.iter().filter_map(|it| Some((&it.name, media(it)?)));
        return ends.all(|(name, last)| reaches(name) >= Some(last));
    }
    let begins = over.renditions.iter().filter_map(|it| it.shown().next()).map(|it| it.number).min();
    recorded.renditions.iter().any(|it| reaches(&it.name) >= begins)
}
