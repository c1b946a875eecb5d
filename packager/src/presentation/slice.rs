//! A stretch of a presentation as a presentation of its own: a timeline with a beginning, or a window on the past.
//!
//! Numbers are common to all renditions, so a slice only bounds which of them are shown: it shares the segments, and
//! costs a few fields for each rendition whatever its length.

use std::sync::Arc;
use std::time::Duration;

use super::{Presentation, Rendition, Session};

/// Which stretch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slice {
    /// What names it in URLs, as [`Session::id`].
    pub session: u64,
    /// The numbers that it shows.
    pub bounds: Bounds,
    /// How long its session had gone on where it begins: what positions in it count from.
    pub origin: Duration,
    /// Whether playlists list all of it, and not the newest window alone.
    pub entire: bool,
    /// Whether nothing more comes, though the presentation may go on.
    pub ended: bool,
}

/// The numbers of segments that are shown, both included.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Bounds {
    /// The first.
    pub first: u64,
    /// The last; [`u64::MAX`] where there is none yet.
    pub last: u64,
}

impl Bounds {
    /// All there are.
    pub const ALL: Bounds = Bounds { first: 0, last: u64::MAX };

    /// From this number on.
    pub fn from(first: u64) -> Bounds {
        Bounds { first, ..Bounds::ALL }
    }

    /// Whether it is shown.
    pub fn contains(&self, number: u64) -> bool {
        (self.first..=self.last).contains(&number)
    }
}

/// Cuts the same slice out of one snapshot after another. A rendition that is the same in the next one is the same in
/// the slice.
#[derive(Debug)]
pub struct Cutter {
    slice: Slice,
    session: Option<(Arc<Session>, Arc<Session>)>,
    made: Vec<(Arc<Rendition>, Arc<Rendition>)>,
}

impl Cutter {
    /// One that has cut nothing yet.
    pub fn new(slice: Slice) -> Cutter {
        Cutter { slice, session: None, made: Vec::new() }
    }

    /// What it cuts.
    pub fn slice(&self) -> &Slice {
        &self.slice
    }

    /// The slice of this snapshot, without the renditions that have nothing in it.
    pub fn cut(&mut self, whole: &Presentation) -> Presentation {
        let session = self.session(&whole.session);
        let cut = |it: &Arc<Rendition>| Some((it.clone(), self.rendition(it, &session)?));
        let made: Vec<_> = whole.renditions.iter().filter_map(cut).collect();
        self.made = made;
        let Slice { bounds, origin, ended, .. } = self.slice;
        let follows = |at: usize| whole.spans.get(at + 1).map(|next| next.first);
        let spans = whole.spans.iter().enumerate().filter(|(at, span)| {
            span.first <= bounds.last && follows(*at).is_none_or(|next| next > bounds.first)
        });
        Presentation {
            session,
            renditions: self.made.iter().map(|(_, cut)| cut.clone()).collect(),
            published: whole.published,
            spans: spans.map(|(_, span)| span.clone()).collect(),
            closed: whole.closed,
            renewed: whole.renewed,
            ended: whole.ended || ended,
            origin,
        }
    }

    fn rendition(&self, whole: &Arc<Rendition>, session: &Arc<Session>) -> Option<Arc<Rendition>> {
        let known = self.made.iter().find(|(before, _)| Arc::ptr_eq(before, whole));
        if let Some((_, cut)) = known.filter(|(_, cut)| Arc::ptr_eq(&cut.session, session)) {
            return Some(cut.clone());
        }
        let cut = whole.slice(&self.slice, session);
        (cut.last().is_some() || cut.open.is_some()).then(|| Arc::new(cut))
    }

    fn session(&mut self, whole: &Arc<Session>) -> Arc<Session> {
        if let Some((_, cut)) = self.session.as_ref().filter(|(before, _)| Arc::ptr_eq(before, whole)) {
            return cut.clone();
        }
        let burnt = whole.burnt.filter(|&number| self.slice.bounds.contains(number));
        let cut = Arc::new(Session { id: self.slice.session, burnt, ..Session::clone(whole) });
        self.session = Some((whole.clone(), cut.clone()));
        cut
    }
}

impl Presentation {
    /// One slice of it. Costs O(renditions).
    pub fn slice(&self, slice: Slice) -> Presentation {
        Cutter::new(slice).cut(self)
    }

    /// The same without what its bounds hide, so that it keeps nothing in memory that it does not show. Costs
    /// O(segments).
    pub fn detached(mut self) -> Presentation {
        self.renditions.iter_mut().for_each(|rendition| Arc::make_mut(rendition).detach());
        self
    }
}
