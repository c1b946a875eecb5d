//! What a request needs that is not in memory, and reading it.

use std::sync::Arc;

use packager::Rendition;
use packager::manifest::smooth::TIMESCALE;
use packager::names::{Resource, Ts};
use stream::{Found, View, Viewer};

use super::head::Head;
use super::loaded::Loaded;
use super::recordings::is_number;
use super::shelves::{Shelves, TRIES};

/// Units of Smooth's times in a microsecond.
const PER_MICROSECOND: u64 = TIMESCALE / 1_000_000;

/// What of an entry is asked for and is not live.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wanted {
    /// The newest recording.
    Newest,
    /// The recording of that number.
    Recording(u64),
    /// A session that the stream does not know any more.
    Session(u64),
    /// Segment N.
    Segment(u64),
    /// Period P.
    Period(u64),
    /// What was on at that wall time, in microseconds.
    Time(i64),
}

impl Shelves {
    /// Reads what a request needs that is not in memory.
    pub(super) async fn prepare(self: &Arc<Self>, id: &str, session: Option<u64>, resource: &Resource) {
        if let Some(recording) = self.alone(id) {
            if !self.is_fresh(&recording) {
                self.placed(&recording.entry).await;
            }
            self.load(recording).await;
        } else if self.entries.is_known(id)
            && let Some(wanted) = self.wanted(id, session, resource)
        {
            self.fetch(id, wanted).await;
        }
    }

    async fn fetch(self: &Arc<Self>, entry: &str, wanted: Wanted) {
        let all = self.placed(entry).await;
        let may_have = |head: &Head| match wanted {
            Wanted::Newest | Wanted::Recording(_) => true,
            Wanted::Session(session) => head.session <= session,
            Wanted::Segment(number) => head.segment <= number,
            Wanted::Period(number) => head.period <= number,
            Wanted::Time(micros) => head.start <= micros,
        };
        let of_number = |number: u64| match wanted {
            Wanted::Recording(wanted) => wanted == number,
            _ => true,
        };
        let candidates = all.iter().filter(|it| it.head.get().is_some_and(may_have) && of_number(it.number));
        for recording in candidates.take(TRIES) {
            if self.cache.get(recording).is_some_and(|loaded| wanted.is_settled_by(&loaded)) {
                return;
            }
            self.load(recording.clone()).await;
            if self.cache.get(recording).is_some_and(|loaded| wanted.is_in(&loaded)) {
                return;
            }
        }
    }

    /// What is asked for and not live; `None` where the stream has it, or nobody has.
    fn wanted(&self, entry: &str, session: Option<u64>, resource: &Resource) -> Option<Wanted> {
        match (self.media(entry, resource), session) {
            (Media::Lacking(wanted), _) => Some(wanted),
            (Media::Held, _) => None,
            (Media::None, Some(session)) if is_number(session) => Some(Wanted::Recording(session)),
            (Media::None, Some(session)) => match self.live.find(entry, Some(session), Viewer::Public) {
                Found::View(_) | Found::Starting => None,
                Found::Unknown | Found::Offline => Some(Wanted::Session(session)),
            },
            (Media::None, None) => match self.live.find(entry, None, Viewer::Public) {
                Found::Starting => None,
                Found::View(view) if !view.presentation.ended => None,
                _ => Some(Wanted::Newest),
            },
        }
    }

    fn media(&self, entry: &str, resource: &Resource) -> Media {
        let sessions = || self.live.sessions(entry, Viewer::Public);
        let in_session = |rendition: &str, holds: &dyn Fn(&Rendition) -> bool| {
            sessions().iter().filter_map(|it| it.presentation.rendition(rendition)).any(|it| holds(it))
        };
        let (held, wanted) = match resource {
            Resource::Segment { rendition, number }
            | Resource::Part { rendition, number, .. }
            | Resource::Parts { rendition, number, .. }
            | Resource::Ts(Ts::Segment { rendition, number }) => {
                (in_session(rendition, &|it| spans(it, *number)), Wanted::Segment(*number))
            }
            Resource::Init { rendition, period } => {
                (in_session(rendition, &|it| it.init_of(*period).is_some()), Wanted::Period(*period))
            }
            Resource::Fragment(name) if name.zero.is_some() => return Media::None,
            Resource::Fragment(name) => {
                let micros = i64::try_from(name.time / PER_MICROSECOND).unwrap_or(i64::MAX);
                (sessions().iter().any(|view| was_on(view, micros)), Wanted::Time(micros))
            }
            Resource::Time => (true, Wanted::Newest),
            _ => return Media::None,
        };
        if held { Media::Held } else { Media::Lacking(wanted) }
    }
}

/// Whether a request is for media, and the stream can answer it.
enum Media {
    None,
    Held,
    Lacking(Wanted),
}

impl Wanted {
    /// Whether it is there for good, though what was read may be old.
    fn is_settled_by(self, loaded: &Loaded) -> bool {
        matches!(self, Wanted::Segment(_) | Wanted::Period(_) | Wanted::Time(_)) && self.is_in(loaded)
    }

    fn is_in(self, loaded: &Loaded) -> bool {
        let Some(view) = &loaded.view else { return false };
        match self {
            Wanted::Newest | Wanted::Recording(_) => true,
            Wanted::Session(session) => loaded.has_session(session),
            Wanted::Segment(number) => view.presentation.renditions.iter().any(|it| spans(it, number)),
            Wanted::Period(number) => {
                view.presentation.renditions.iter().any(|it| it.init_of(number).is_some())
            }
            Wanted::Time(micros) => was_on(view, micros),
        }
    }
}

/// Whether a number lies among those of a rendition, or may come.
fn spans(rendition: &Rendition, number: u64) -> bool {
    let begins = rendition.shown().next().is_some_and(|oldest| oldest.number <= number);
    begins && (!rendition.ended || rendition.last().is_some_and(|last| number <= last.number))
}

/// Whether a session was on at that wall time, or may be.
fn was_on(view: &View, micros: i64) -> bool {
    let on = |rendition: &Arc<Rendition>| {
        let begins = rendition.shown().next().is_some_and(|oldest| oldest.wall_time().micros() <= micros + 1);
        begins
            && (!rendition.ended || rendition.last().is_some_and(|last| micros <= last.wall_end().micros()))
    };
    view.presentation.renditions.iter().any(on)
}
