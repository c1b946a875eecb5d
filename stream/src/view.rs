//! What readers get: the newest snapshot of a stream, with versions for whoever caches what is made of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::BoxFuture;
use packager::{Presentation, Rendition};

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
    renditions: Vec<u64>,
}

impl View {
    /// The view of a snapshot that follows `previous`; renditions that did not change keep their versions.
    pub fn new(presentation: Arc<Presentation>, previous: Option<&View>) -> View {
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
        View { presentation, version: next_version(), renditions }
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
    /// The entry is known and was not live yet since the server started.
    Offline,
    /// A publisher is sending, or is expected back any moment, and there is nothing to play yet.
    Starting,
    /// Live or ended, with something to play.
    View(Arc<View>),
}

/// Where an origin finds what it serves.
pub trait Source: Send + Sync {
    /// The newest snapshot of an entry; with `session`, of that session of it.
    fn find(&self, entry: &str, session: Option<u64>) -> Found;

    /// Resolves when [`find`](Source::find) has something else to say than [`Found::Starting`].
    fn started<'a>(&'a self, _entry: &'a str, _session: Option<u64>) -> BoxFuture<'a, ()> {
        Box::pin(std::future::ready(()))
    }

    /// Every session of an entry from which something can still be fetched, newest first.
    ///
    /// Bytes that a session published stay fetchable when the next one has begun.
    fn sessions(&self, entry: &str) -> Vec<Arc<View>> {
        match self.find(entry, None) {
            Found::View(view) => vec![view],
            _ => Vec::new(),
        }
    }
}
