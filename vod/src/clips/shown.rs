//! Clips as something to play, beside everything else that a source shows.
//!
//! A clip is made of what the indexes of its recordings say, which is read on a thread that may block, once however many
//! ask, and kept within a limit. It never changes; only a recording that still grows may lack the end of its last
//! segment, and is looked at again.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use archive::Contents;
use archive::files::Files;
use archive::reading::{Options, Part, concatenate};
use archive::recover::{self, Error};
use futures_util::future::BoxFuture;
use media::WallTime;
use moka::sync::Cache;
use packager::names::Resource;
use packager::presentation::{Bounds, Slice};
use packager::{Presentation, Rendition, Segment};
use stream::{Air, Found, Source, View, Viewer};
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;
use tracing::error;

use super::{ClipPart, Clips};

/// About what a segment of a clip takes in memory, in bytes.
const SEGMENT: u64 = 400;
/// And what the rest of it does.
const REST: u64 = 4 << 10;
/// After so long what could not be read, or was not whole, is looked at again.
const RETRY: Duration = Duration::from_secs(2);
/// After so long, in microseconds, what was on air is in its file or will never be.
const SETTLED: i64 = 60_000_000;
/// Clips that are read at a time.
const READERS: usize = 8;

/// A source with clips in it. Cloning shares it.
#[derive(Clone)]
pub struct WithClips(Arc<Inner>);

struct Inner {
    others: Arc<dyn Source>,
    clips: Arc<dyn Clips>,
    files: Arc<dyn Files>,
    root: PathBuf,
    known: Cache<Arc<str>, Loaded>,
    /// One of them is held while a clip is read: always the same for the same.
    readers: [Mutex<()>; READERS],
    hasher: RandomState,
}

#[derive(Clone)]
struct Loaded {
    /// `None` where there is nothing to play.
    view: Option<Arc<View>>,
    /// After that it is worth reading again.
    until: Option<Instant>,
    weight: u32,
}

impl WithClips {
    /// What `others` show, and `clips` of recordings below `root`. About `cache` bytes of what is known of clips are kept.
    pub fn new(
        others: Arc<dyn Source>,
        clips: Arc<dyn Clips>,
        files: Arc<dyn Files>,
        root: &Path,
        cache: u64,
    ) -> WithClips {
        let known = Cache::builder().max_capacity(cache);
        let known = known.weigher(|_: &Arc<str>, loaded: &Loaded| loaded.weight).build();
        let readers = std::array::from_fn(|_| Mutex::new(()));
        let (root, hasher) = (root.to_owned(), RandomState::new());
        WithClips(Arc::new(Inner { others, clips, files, root, known, readers, hasher }))
    }
}

impl Inner {
    /// The view of an entry that is a clip.
    fn view(&self, entry: &str) -> Option<Option<Arc<View>>> {
        self.clips.of(entry)?;
        Some(self.known.get(entry).and_then(|loaded| loaded.view))
    }

    /// Reads a clip, unless what was read of it is still right.
    async fn load(self: Arc<Inner>, entry: Arc<str>, parts: Vec<ClipPart>) {
        let one = &self.readers[self.hasher.hash_one(&entry) as usize % READERS];
        let _one = one.lock().await;
        if self.is_fresh(&entry) {
            return;
        }
        let (inner, name) = (self.clone(), entry.clone());
        let read = spawn_blocking(move || read(&*inner.files, &inner.root, &parts)).await;
        let read = match read {
            Ok(read) => read.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let loaded = read.unwrap_or_else(|why| {
            error!(entry = %name, "a clip cannot be played: {why}");
            Loaded::new(None)
        });
        self.known.insert(entry, loaded);
    }

    fn is_fresh(&self, entry: &str) -> bool {
        let known = self.known.get(entry);
        known.is_some_and(|loaded| loaded.until.is_none_or(|until| Instant::now() < until))
    }
}

impl Source for WithClips {
    fn find(&self, entry: &str, session: Option<u64>, viewer: Viewer) -> Found {
        let Some(view) = self.0.view(entry) else { return self.0.others.find(entry, session, viewer) };
        let asked = |view: &Arc<View>| session.is_none_or(|id| view.presentation.session.id == id);
        match view {
            Some(view) if asked(&view) => Found::View(view),
            Some(_) => Found::Unknown,
            None => Found::Offline,
        }
    }

    fn timeline(&self, entry: &str, name: &str, viewer: Viewer) -> Option<u64> {
        self.0.others.timeline(entry, name, viewer)
    }

    fn newest_session(&self, entry: &str, viewer: Viewer) -> Option<u64> {
        if self.0.view(entry).is_some() { None } else { self.0.others.newest_session(entry, viewer) }
    }

    fn prepare_for<'a>(
        &'a self,
        entry: &'a str,
        session: Option<u64>,
        resource: &'a Resource,
    ) -> BoxFuture<'a, ()> {
        let Some(parts) = self.0.clips.of(entry) else {
            return self.0.others.prepare_for(entry, session, resource);
        };
        if self.0.is_fresh(entry) {
            return Box::pin(std::future::ready(()));
        }
        // It is read to its end though who asked may leave. A panic is logged where it happens.
        let reading = tokio::spawn(self.0.clone().load(entry.into(), parts));
        Box::pin(async move { drop(reading.await) })
    }

    fn started<'a>(&'a self, entry: &'a str, session: Option<u64>, viewer: Viewer) -> BoxFuture<'a, ()> {
        self.0.others.started(entry, session, viewer)
    }

    fn changed<'a>(
        &'a self,
        entry: &'a str,
        session: Option<u64>,
        viewer: Viewer,
        rendition: &'a str,
        seen: u64,
    ) -> BoxFuture<'a, ()> {
        self.0.others.changed(entry, session, viewer, rendition, seen)
    }

    fn sessions(&self, entry: &str, viewer: Viewer) -> Vec<Arc<View>> {
        match self.0.view(entry) {
            Some(view) => view.into_iter().collect(),
            None => self.0.others.sessions(entry, viewer),
        }
    }
}

impl Loaded {
    fn new(presentation: Option<Presentation>) -> Loaded {
        let segments = presentation.iter().flat_map(|it| &it.renditions).map(|it| it.segments.size() as u64);
        let weight = u32::try_from(REST + SEGMENT * segments.sum::<u64>()).unwrap_or(u32::MAX);
        let again = presentation.as_ref().is_none_or(|it| it.renditions.iter().any(|it| lacks_end(it)));
        let view = presentation.map(|it| View::new(Arc::new(it), Air::Live, None));
        let view = view.map(|view| Arc::new(if again { view.on_demand() } else { view.for_good() }));
        Loaded { view, until: again.then(|| Instant::now() + RETRY), weight }
    }
}

/// Whether its last segment may still be on its way to its file.
fn lacks_end(rendition: &Rendition) -> bool {
    let recent =
        |last: &Segment| last.wall_end().micros() + SETTLED > WallTime::from(SystemTime::now()).micros();
    rendition.last().is_some_and(|last| last.is_gap() && recent(last))
}

/// Blocks.
fn read(files: &dyn Files, root: &Path, parts: &[ClipPart]) -> Result<Loaded, Error> {
    let contents = |part: &ClipPart| recover::read(files, &root.join(&*part.recording));
    let read: Vec<Contents> = parts.iter().map(contents).collect::<Result<_, _>>()?;
    let shown = |(contents, part)| -> Part<'_> { of(contents, part) };
    let shown: Vec<Part<'_>> = read.iter().zip(parts).map(shown).collect();
    let clip = concatenate(&shown, Options { ended: true, partial: true });
    Ok(Loaded::new(clip.map(|clip| entire(&clip))))
}

fn of<'a>(contents: &'a Contents, part: &'a ClipPart) -> Part<'a> {
    (contents, &part.recording, &part.ranges)
}

/// Playlists list all of it.
fn entire(clip: &Presentation) -> Presentation {
    let (session, origin) = (clip.session.id, clip.origin);
    clip.slice(Slice { session, bounds: Bounds::ALL, origin, entire: true, ended: true })
}
