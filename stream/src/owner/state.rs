//! What readers see of a stream.

use std::sync::Arc;
use std::time::Duration;

use packager::numbers::Shown;
use tokio::time::Instant;

use crate::{Air, Found, View, Viewer};

/// Timelines that are over, of each kind, that stay playable under their id while the stream goes on.
const PAST: usize = 2;

/// All of it at one instant: an output sees a switch wholly or not at all.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// The timelines of the session that is on, once there is something to play; the whole of it first.
    pub(super) shown: Vec<Named>,
    /// Timelines that are over, newest first, with when they stop being playable.
    past: Vec<(Instant, Named)>,
    /// The timelines of the session that is on, also those on which there is nothing to play yet.
    pub(super) coming: Vec<Coming>,
    /// A publisher is there or expected back.
    pub(super) expected: bool,
}

/// The newest snapshot of a timeline.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) name: Arc<str>,
    pub(super) view: Arc<View>,
}

/// A timeline that may have something to play soon.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Coming {
    pub(super) name: Arc<str>,
    pub(super) id: u64,
    pub(super) air: Air,
}

/// What changes it.
pub(super) struct Change {
    /// The newest snapshots, if there are newer ones.
    pub(super) shown: Option<Vec<Named>>,
    pub(super) coming: Vec<Coming>,
    /// What is over since, oldest first; it stays for `keep`.
    pub(super) over: Vec<Named>,
    /// What is not to be seen any more, by id.
    pub(super) gone: Vec<u64>,
    pub(super) expected: bool,
    pub(super) keep: Duration,
}

impl Named {
    pub(super) fn id(&self) -> u64 {
        self.view.presentation.session.id
    }
}

impl State {
    /// The state after this one.
    pub(super) fn next(&self, change: Change) -> State {
        let now = Instant::now();
        let Change { shown, coming, over, gone, expected, keep } = change;
        let visible = |named: &Named| !gone.contains(&named.id());
        let mut past = self.past.clone();
        past.retain(|(until, named)| *until > now && visible(named));
        if shown.as_ref().is_some_and(|shown| !shown.is_empty()) || !over.is_empty() {
            let until = now + keep;
            past.splice(0..0, over.into_iter().rev().map(|named| (until, named)));
        }
        let shown = shown.unwrap_or_else(|| {
            let mut same = self.shown.clone();
            same.retain(|named| visible(named) && coming.iter().any(|it| it.id == named.id()));
            same
        });
        State { shown, past: few(past), coming, expected }
    }

    /// Whether nothing is there to be seen by anybody.
    pub(super) fn is_empty(&self) -> bool {
        self.shown.is_empty() && self.past.is_empty()
    }

    /// The newest snapshot of that session, whole.
    pub(super) fn whole(&self, session: u64) -> Option<&Arc<View>> {
        self.shown.first().map(|named| &named.view).filter(|view| view.presentation.session.id == session)
    }

    pub(crate) fn find(&self, session: Option<u64>, viewer: Viewer) -> Found {
        let mut views = self.visible(viewer);
        let name = primary(viewer);
        let view = match session {
            None => views.find(|named| &*named.name == name),
            Some(id) => views.find(|named| named.id() == id),
        };
        let mut coming = self.coming.iter().filter(|it| is_for(it.air, viewer));
        let may_come = coming.any(|it| session.map_or(&*it.name == name, |id| it.id == id));
        match view {
            Some(named) => Found::View(named.view.clone()),
            None if may_come && self.expected => Found::Starting,
            None if session.is_some() && !may_come => Found::Unknown,
            None => Found::Offline,
        }
    }

    /// What names the newest timeline of that name in URLs.
    pub(crate) fn timeline(&self, name: &str, viewer: Viewer) -> Option<u64> {
        let coming = self.coming.iter().find(|it| &*it.name == name && is_for(it.air, viewer));
        let past = || self.visible(viewer).find(|named| &*named.name == name).map(Named::id);
        coming.map(|it| it.id).or_else(past)
    }

    /// Newest first.
    pub(crate) fn sessions(&self, viewer: Viewer) -> Vec<Arc<View>> {
        let mut views: Vec<Arc<View>> = self.visible(viewer).map(|named| named.view.clone()).collect();
        views.dedup_by(|one, other| Arc::ptr_eq(one, other));
        views
    }

    fn visible(&self, viewer: Viewer) -> impl Iterator<Item = &Named> {
        let all = self.shown.iter().chain(self.past.iter().map(|(_, named)| named));
        all.filter(move |named| named.view.is_for(viewer))
    }
}

/// What a viewer sees who names no timeline.
fn primary(viewer: Viewer) -> &'static str {
    match viewer {
        Viewer::Public => Shown::PUBLIC,
        Viewer::Producer => Shown::PREVIEW,
    }
}

fn is_for(air: Air, viewer: Viewer) -> bool {
    viewer == Viewer::Producer || air == Air::Live
}

/// The newest of each name.
fn few(past: Vec<(Instant, Named)>) -> Vec<(Instant, Named)> {
    let mut few: Vec<(Instant, Named)> = Vec::new();
    for (until, named) in past {
        if few.iter().filter(|(_, other)| other.name == named.name).count() < PAST {
            few.push((until, named));
        }
    }
    few
}
