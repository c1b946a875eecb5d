//! A segment that is still being made (ISO/IEC 23009-1 §5.3.9.5: `availabilityTimeComplete="false"`): what there is of
//! it at once, each further part when it is made, and the end when it closes.
//!
//! The body is byte for byte the later segment, because both are its parts. It has no length and no tag while it grows.
//! A cache may keep it once it is whole; one that breaks off is cut rather than ended, so that no cache takes it for
//! whole. Whoever asks for the segment that begins within a part waits for that part; what lies further ahead is not
//! there yet, like anything else that may come.
//!
//! A reader holds what it has not taken of the parts that it has seen, at most the segment. It is looked up anew for
//! each part, so that a reader who stands still keeps no snapshot.

use std::sync::Arc;
use std::time::Duration;
use std::vec;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::unfold;
use media::Kind;
use packager::names::Resource;
use packager::presentation::{Lookup, Part, Rendition};
use stream::{Found, Source, View, Viewer};
use tokio::time::{Instant, timeout_at};

use crate::answer;

/// How many target durations a reader waits for the next part before the answer is cut.
const PATIENCE: u32 = 3;

/// A segment being made, as one reader sees it.
pub(crate) struct Growing {
    source: Arc<dyn Source>,
    name: Name,
    kind: Kind,
    patience: Duration,
    /// Parts of which the pieces were taken over.
    parts: usize,
    /// Pieces of those that wait to be sent.
    pieces: vec::IntoIter<Bytes>,
    /// No further part comes.
    whole: bool,
    /// When the next part must have come.
    deadline: Instant,
}

/// Which segment.
struct Name {
    entry: String,
    session: u64,
    viewer: Viewer,
    rendition: String,
    number: u64,
}

/// Nothing more comes of a segment that did not close.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the segment broke off")]
pub(crate) struct BrokenOff;

/// The segment that `resource` names, if it is being made and has a part.
pub(crate) fn find(
    source: &Arc<dyn Source>,
    entry: &str,
    viewer: Viewer,
    resource: &Resource,
) -> Option<Growing> {
    let Resource::Segment { rendition, number } = resource else { return None };
    let views = source.sessions(entry, viewer);
    let (view, kind) = views.iter().find_map(|view| {
        let rendition = view.presentation.rendition(rendition)?;
        let open = rendition.open.as_ref()?;
        (open.number == *number && !open.parts.is_empty()).then_some((view, rendition.kind))
    })?;
    let session = &view.presentation.session;
    let patience = Duration::from_secs(session.target_duration.into()) * PATIENCE;
    let (entry, rendition) = (entry.to_owned(), rendition.clone());
    Some(Growing {
        source: source.clone(),
        name: Name { entry, session: session.id, viewer, rendition, number: *number },
        kind,
        patience,
        parts: 0,
        pieces: Vec::new().into_iter(),
        whole: false,
        deadline: Instant::now() + patience,
    })
}

/// Waits for the first part of the segment that `resource` names, if that is the next one of a rendition on air: at most
/// one and a half part targets, after which a part is closed however few samples it has.
pub(crate) async fn await_first_part(source: &dyn Source, entry: &str, viewer: Viewer, resource: &Resource) {
    let Resource::Segment { rendition, number } = resource else { return };
    let mut deadline = None;
    while let Found::View(view) = source.find(entry, None, viewer)
        && let Some((due, version)) = due(&view, rendition, *number)
    {
        let until = *deadline.get_or_insert_with(|| Instant::now() + due);
        let session = Some(view.presentation.session.id);
        drop(view);
        if timeout_at(until, source.changed(entry, session, viewer, rendition, version)).await.is_err() {
            return;
        }
    }
}

/// Within what time `number` has its first part, where it is next and has none; and the version that says so.
fn due(view: &View, rendition: &str, number: u64) -> Option<(Duration, u64)> {
    let (rendition, version) = view.rendition(rendition)?;
    let last = rendition.last()?;
    let goes_on = !rendition.ended && view.presentation.closed != Some(last.period.number);
    let next = rendition.open.is_none() && last.number + 1 == number;
    (goes_on && next).then(|| (view.presentation.session.part_target * 3 / 2, version))
}

impl Growing {
    /// The answer (RFC 9112 §7.1: chunked, for want of a length; RFC 9113 §8.1: DATA frames until END_STREAM).
    pub(crate) fn response(self) -> Response {
        let kind = self.kind;
        answer::growing(Body::from_stream(unfold(self, Growing::next)), kind)
    }

    /// The next piece, when there is one.
    async fn next(mut self) -> Option<(Result<Bytes, BrokenOff>, Growing)> {
        loop {
            if let Some(piece) = self.pieces.next() {
                return Some((Ok(piece), self));
            }
            if self.whole {
                return None;
            }
            if let Err(broken) = self.advance().await {
                self.whole = true;
                return Some((Err(broken), self));
            }
        }
    }

    /// Takes over the parts that are new, or waits until there may be some.
    async fn advance(&mut self) -> Result<(), BrokenOff> {
        let version = self.look()?;
        if self.whole || self.pieces.len() > 0 {
            self.deadline = Instant::now() + self.patience;
            return Ok(());
        }
        let Name { entry, session, viewer, rendition, .. } = &self.name;
        let changed = self.source.changed(entry, Some(*session), *viewer, rendition, version);
        timeout_at(self.deadline, changed).await.map_err(|_| BrokenOff)
    }

    fn look(&mut self) -> Result<u64, BrokenOff> {
        let Name { entry, session, viewer, rendition, number } = &self.name;
        let Found::View(view) = self.source.find(entry, Some(*session), *viewer) else {
            return Err(BrokenOff);
        };
        let (rendition, version) = view.rendition(rendition).ok_or(BrokenOff)?;
        let (parts, whole) = parts_of(rendition, *number).ok_or(BrokenOff)?;
        let new = parts.get(self.parts..).ok_or(BrokenOff)?;
        let pieces: Vec<Bytes> = new.iter().flat_map(|part| part.pieces()).cloned().collect();
        (self.parts, self.pieces, self.whole) = (parts.len(), pieces.into_iter(), whole);
        Ok(version)
    }
}

/// The parts that a segment has, and whether these are all.
fn parts_of(rendition: &Rendition, number: u64) -> Option<(&[Arc<Part>], bool)> {
    if let Some(open) = rendition.open.as_ref().filter(|open| open.number == number) {
        return Some((&open.parts, false));
    }
    match rendition.segment(number) {
        // One that has gone to storage meanwhile has no parts to go on with: its reader is that far behind.
        Lookup::Found(segment) if segment.stored().is_none() => Some((segment.parts(), true)),
        Lookup::Found(_) | Lookup::NotYet | Lookup::Gone => None,
    }
}
