//! What an index says, as views: the whole recording, and the sessions in it.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use archive::Contents;
use archive::files::Files;
use archive::reading::{Options, presentation};
use archive::recover::{self, Error};
use packager::Presentation;
use packager::presentation::{Bounds, Session, Slice};
use stream::{Air, View};

use super::recordings::Recording;

/// About what a segment of a recording takes in memory, in bytes.
const SEGMENT: u64 = 400;
/// And what the rest of a recording does.
const REST: u64 = 4 << 10;
/// How long what was read of a recording that grows is good at least.
const FRESH: Duration = Duration::from_millis(500);
/// And at least so many times as long as reading it took.
const COST: u32 = 10;
/// After so long an index that could not be read is looked at again.
const RETRY: Duration = Duration::from_secs(5);

/// What was read of a recording.
pub(super) struct Loaded {
    /// All of it; `None` where there is nothing to play, or the index could not be read.
    pub(super) view: Option<Arc<View>>,
    /// The same by the id of the recording.
    by_itself: Option<ByItself>,
    /// About what this takes in memory.
    pub(super) bytes: u64,
    generation: u64,
    /// After that it is worth reading again.
    until: Option<Instant>,
    /// Its sessions, oldest first.
    sessions: Vec<Stretch>,
    /// Those of them that were asked for.
    cut: Mutex<Vec<(u64, Arc<View>)>>,
}

/// A recording that is asked for by its id.
struct ByItself {
    /// While it may grow.
    growing: Arc<View>,
    /// When it cannot.
    whole: Arc<View>,
}

/// A session in a recording.
struct Stretch {
    id: u64,
    bounds: Bounds,
    target_duration: u32,
    part_target: Duration,
    low_latency: bool,
}

impl Loaded {
    /// Reads an index. Blocks.
    pub(super) fn read(files: &dyn Files, root: &Path, recording: &Recording) -> Result<Loaded, Error> {
        let (began, generation, growing) = (Instant::now(), recording.generation(), recording.is_growing());
        let folder = root.join(&*recording.entry).join(&*recording.id);
        let contents = recover::read(files, &folder)?;
        let store = format!("{}/{}", recording.entry, recording.id).into();
        let whole = presentation(&contents, &store, Options { ended: true, partial: true });
        let segments = whole.iter().flat_map(|it| &it.renditions).map(|it| it.segments.size() as u64);
        let bytes = REST + SEGMENT * segments.sum::<u64>();
        let until = growing.then(|| Instant::now() + FRESH.max(began.elapsed() * COST));
        let view =
            whole.map(|whole| Arc::new(View::new(Arc::new(named(&whole, recording)), Air::Live, None)));
        Ok(Loaded {
            sessions: stretches(&contents),
            by_itself: view.as_ref().map(|view| ByItself::of(view)),
            view,
            bytes,
            generation,
            until,
            cut: Mutex::default(),
        })
    }

    /// One that cannot be read for now.
    pub(super) fn unreadable(recording: &Recording) -> Loaded {
        Loaded {
            view: None,
            by_itself: None,
            bytes: REST,
            generation: recording.generation(),
            until: Some(Instant::now() + RETRY),
            sessions: Vec::new(),
            cut: Mutex::default(),
        }
    }

    /// Whether there is nothing newer to read.
    pub(super) fn is_fresh(&self, recording: &Recording) -> bool {
        self.generation == recording.generation() && self.until.is_none_or(|until| Instant::now() < until)
    }

    /// All of it, by its id; where it cannot grow, [for good](View::lasting).
    pub(super) fn by_itself(&self, complete: bool) -> Option<Arc<View>> {
        let ByItself { growing, whole } = self.by_itself.as_ref()?;
        Some(if complete { whole.clone() } else { growing.clone() })
    }

    /// What names its newest session.
    pub(super) fn newest_session(&self) -> Option<u64> {
        self.sessions.last().map(|stretch| stretch.id)
    }

    pub(super) fn has_session(&self, id: u64) -> bool {
        self.sessions.iter().any(|stretch| stretch.id == id)
    }

    /// A session as it ended: its playlists list the last `window` of it, as they did.
    pub(super) fn session(&self, id: u64, window: Duration) -> Option<Arc<View>> {
        let (view, stretch) = (self.view.as_ref()?, self.sessions.iter().find(|stretch| stretch.id == id)?);
        let mut cut = self.cut.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = cut.iter().find(|(known, _)| *known == id) {
            return Some(known.clone());
        }
        let session = stretch.cut(&view.presentation, window);
        let session = Arc::new(View::new(Arc::new(session), Air::Live, None));
        session.presentation.playable().then(|| cut.push((id, session.clone())))?;
        Some(session)
    }
}

impl ByItself {
    fn of(view: &View) -> ByItself {
        ByItself { growing: Arc::new(view.on_demand()), whole: Arc::new(view.for_good()) }
    }
}

impl Stretch {
    fn cut(&self, whole: &Presentation, window: Duration) -> Presentation {
        let firsts = whole.renditions.iter().filter_map(|it| it.shown_from(self.bounds.first).next());
        let origin = firsts.map(|first| first.position()).min().unwrap_or_default();
        let origin = Duration::from_micros(origin.max(0).unsigned_abs());
        let slice = Slice { session: self.id, bounds: self.bounds, origin, entire: false, ended: true };
        let mut cut = whole.slice(slice);
        let Stretch { target_duration, part_target, low_latency, .. } = *self;
        let facts = Session::clone(&cut.session);
        let session = Session { target_duration, part_target, low_latency, window, ..facts };
        cut.session = Arc::new(session);
        for rendition in &mut cut.renditions {
            Arc::make_mut(rendition).session = cut.session.clone();
        }
        cut
    }
}

/// The whole of a recording under its own number.
fn named(whole: &Presentation, recording: &Recording) -> Presentation {
    let (bounds, origin) = (Bounds::ALL, whole.origin);
    whole.slice(Slice { session: recording.number, bounds, origin, entire: true, ended: true })
}

fn stretches(contents: &Contents) -> Vec<Stretch> {
    let newest = contents.renditions.iter().filter_map(|it| it.segments.last()).map(|it| it.number).max();
    let mut stretches = Vec::new();
    let mut last = newest.unwrap_or_default();
    for session in contents.sessions.iter().rev() {
        let Some(first) = contents.first_of(session.id) else { continue };
        stretches.push(Stretch {
            id: session.id,
            bounds: Bounds { first, last },
            target_duration: session.target_duration,
            part_target: Duration::from_micros(session.part_target),
            low_latency: session.low_latency,
        });
        last = first.saturating_sub(1);
    }
    stretches.reverse();
    stretches
}
