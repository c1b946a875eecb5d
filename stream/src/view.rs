//! What readers get: the newest snapshot of a stream, with versions for whoever caches what is made of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::BoxFuture;
use packager::{Presentation, Rendition};

use crate::Air;

static VERSIONS: AtomicU64 = AtomicU64::new(1);

fn next_version() -> u64 {
    VERSIONS.fetch_add(1, Ordering::Relaxed)
}

/// A snapshot with versions: two snapshots with equal versions are the same, in the whole process.
#[derive(Debug)]
pub struct View {
    /// The snapshot.
    pub presentation: Arc<Presentation>,
    /// Changes with anything in the presentation.
    pub version: u64,
    /// Whom its session is for: one that began in preview never is the public's.
    pub air: Air,
    renditions: Vec<u64>,
}

/// Who watches.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Viewer {
    /// Anybody who may watch the entry when it is live.
    #[default]
    Public,
    /// One of those who make it: sees the preview too.
    Producer,
}

impl View {
    /// The view of a snapshot that follows `previous`; renditions that did not change keep their versions.
    pub fn new(presentation: Arc<Presentation>, air: Air, previous: Option<&View>) -> View {
        let renditions = presentation
            .renditions
            .iter()
            .enumerate()
            .map(|(at, rendition)| {
                let kept = previous.and_then(|view| {
                    let same = Arc::ptr_eq(view.presentation.renditions.get(at)?, rendition);
                    same.then(|| view.renditions.get(at).copied()).flatten()
                });
                kept.unwrap_or_else(next_version)
            })
            .collect();
        View { presentation, version: next_version(), air, renditions }
    }

    /// Whether this viewer may see it.
    pub fn is_for(&self, viewer: Viewer) -> bool {
        viewer == Viewer::Producer || self.air == Air::Live
    }

    /// All renditions with their versions.
    pub(crate) fn versions(&self) -> impl Iterator<Item = (&Arc<Rendition>, u64)> {
        self.presentation.renditions.iter().zip(self.renditions.iter().copied())
    }

    /// A rendition with its version, which an unrelated change leaves alone.
    pub fn rendition(&self, name: &str) -> Option<(&Arc<Rendition>, u64)> {
        let at = self.presentation.renditions.iter().position(|rendition| &*rendition.name == name)?;
        Some((self.presentation.renditions.get(at)?, *self.renditions.get(at)?))
    }
}

/// What there is under an entry id.
#[derive(Clone, Debug)]
pub enum Found {
    /// No such entry here, or no such session of it.
    Unknown,
    /// The entry is known and there is nothing for this viewer: not live since the server started, or in preview.
    Offline,
    /// A publisher is sending, or is expected back any moment, and there is nothing to play yet.
    Starting,
    /// Live or ended, with something to play.
    View(Arc<View>),
}

/// Where an origin finds what it serves.
pub trait Source: Send + Sync {
    /// The newest snapshot of an entry that this viewer may see; with `session`, of that session of it.
    fn find(&self, entry: &str, session: Option<u64>, viewer: Viewer) -> Found;

    /// Resolves when [`find`](Source::find) has something else to say than [`Found::Starting`].
    fn started<'a>(&'a self, _entry: &'a str, _session: Option<u64>, _viewer: Viewer) -> BoxFuture<'a, ()> {
        Box::pin(std::future::ready(()))
    }

    /// Resolves when a rendition, in the session named or in the newest one, may have another version than `seen`, or
    /// when the stream is gone. Whoever waits looks again, and may find that nothing is new for him.
    fn changed<'a>(
        &'a self,
        _entry: &'a str,
        _session: Option<u64>,
        _viewer: Viewer,
        _rendition: &'a str,
        _seen: u64,
    ) -> BoxFuture<'a, ()> {
        Box::pin(std::future::pending())
    }

    /// Every session of an entry from which something can still be fetched, newest first.
    ///
    /// Bytes that a session published stay fetchable when the next one has begun.
    fn sessions(&self, entry: &str, viewer: Viewer) -> Vec<Arc<View>> {
        match self.find(entry, None, viewer) {
            Found::View(view) => vec![view],
            _ => Vec::new(),
        }
    }
}
