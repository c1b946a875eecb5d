//! What readers get: the newest snapshot of a stream, with versions for whoever caches what is made of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::BoxFuture;
use packager::names::Resource;
use packager::window::Window;
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
    /// Whom it is for.
    pub air: Air,
    /// Whether nobody ever had it live under its name: a recording or a clip by itself.
    pub on_demand: bool,
    /// Whether nothing will ever come after it under its name: a clip, or a recording by itself, that cannot grow.
    pub lasting: bool,
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
        let kept = |rendition: &Arc<Rendition>| {
            let mut versions = previous.into_iter().flat_map(View::versions);
            versions.find(|(before, _)| Arc::ptr_eq(before, rendition)).map(|(_, version)| version)
        };
        let version = |rendition| kept(rendition).unwrap_or_else(next_version);
        let renditions = presentation.renditions.iter().map(version).collect();
        View { presentation, version: next_version(), air, on_demand: false, lasting: false, renditions }
    }

    /// The same snapshot, with the same versions, as what is shown [on demand](View::on_demand) alone.
    pub fn on_demand(&self) -> View {
        let (presentation, renditions) = (self.presentation.clone(), self.renditions.clone());
        View { presentation, renditions, on_demand: true, ..*self }
    }

    /// The same, of which is known that it [lasts](View::lasting) too.
    pub fn for_good(&self) -> View {
        View { lasting: true, ..self.on_demand() }
    }

    /// A window on it. Its versions are the same, so that what is made of it has the window in its key.
    pub fn windowed(&self, window: &Window) -> View {
        let presentation = Arc::new(self.presentation.slice(window.slice(&self.presentation)));
        let version = |rendition: &Arc<Rendition>| self.rendition(&rendition.name).map_or(0, |(_, it)| it);
        let renditions = presentation.renditions.iter().map(version).collect();
        View { presentation, renditions, ..*self }
    }

    /// Whether this viewer may see it.
    pub fn is_for(&self, viewer: Viewer) -> bool {
        viewer == Viewer::Producer || self.air == Air::Live
    }

    /// Differs where a segment was closed meanwhile, or the session ended.
    pub fn whole(&self) -> u64 {
        let closed =
            |rendition: &Arc<Rendition>| rendition.segments.last().map_or(0, |(number, _)| number + 1);
        let closed: u64 = self.presentation.renditions.iter().map(closed).sum();
        2 * closed + u64::from(self.presentation.ended)
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
    /// No such entry here, or no such session of it that this viewer may see.
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
    /// The newest snapshot of what this viewer sees of an entry; with `session`, of that session or timeline of it.
    fn find(&self, entry: &str, session: Option<u64>, viewer: Viewer) -> Found;

    /// What names the newest timeline of this name, as a session does; `None` where this viewer may see none.
    fn timeline(&self, _entry: &str, _name: &str, _viewer: Viewer) -> Option<u64> {
        None
    }

    /// Resolves when what is in storage of an entry can be found, as far as it can. Whoever looks for something asks this
    /// first.
    fn prepare<'a>(&'a self, _entry: &'a str) -> BoxFuture<'a, ()> {
        Box::pin(std::future::ready(()))
    }

    /// The same for one request: for `resource` of an entry and, where it names one, of a session.
    fn prepare_for<'a>(
        &'a self,
        entry: &'a str,
        _session: Option<u64>,
        _resource: &'a Resource,
    ) -> BoxFuture<'a, ()> {
        self.prepare(entry)
    }

    /// The session of which a media playlist is that is asked for without one, where that is another than what
    /// [`find`](Source::find) finds: numbers in a playlist never go back (RFC 8216bis §4.4.3.2), though the entry shows
    /// all of a recording where it was live.
    fn newest_session(&self, _entry: &str, _viewer: Viewer) -> Option<u64> {
        None
    }

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

    /// Resolves when what there is of the session named, or of the newest one, may have another
    /// [`whole`](View::whole) than `seen`, or when the stream is gone. Parts wake nobody.
    fn closed<'a>(
        &'a self,
        _entry: &'a str,
        _session: Option<u64>,
        _viewer: Viewer,
        _seen: u64,
    ) -> BoxFuture<'a, ()> {
        Box::pin(std::future::pending())
    }

    /// Every timeline of an entry from which this viewer can still fetch something, newest first. What none of them
    /// shows cannot be fetched, whatever its name.
    ///
    /// Bytes that a session published stay fetchable when the next one has begun.
    fn sessions(&self, entry: &str, viewer: Viewer) -> Vec<Arc<View>> {
        match self.find(entry, None, viewer) {
            Found::View(view) => vec![view],
            _ => Vec::new(),
        }
    }
}
