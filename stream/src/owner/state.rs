//! What readers see of a stream.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::{Air, Found, View, Viewer};

/// Ended sessions of a stream, of each kind, that stay playable by their session while a newer one is on.
const PAST_SESSIONS: usize = 2;

/// All of it at one instant: an output sees a switch wholly or not at all.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(super) session: u64,
    /// Whom the session is for.
    pub(super) air: Air,
    /// The newest snapshot: of this session, or of the last one until this one has something to play.
    pub(super) current: Option<Arc<View>>,
    /// Ended sessions, newest first, with when they stop being playable.
    past: Vec<(Instant, Arc<View>)>,
    /// A publisher is there or expected back.
    pub(super) expected: bool,
}

impl State {
    /// The state after this one. `view` is the newest snapshot, if there is a newer one; what it replaces of an older
    /// session stays for `keep`.
    pub(super) fn next(
        &self,
        session: u64,
        air: Air,
        expected: bool,
        view: Option<Arc<View>>,
        keep: Duration,
    ) -> State {
        let now = Instant::now();
        let mut past = self.past.clone();
        past.retain(|(until, _)| *until > now);
        let current = match view.filter(|view| view.presentation.playable()) {
            None => self.current.clone(),
            Some(view) => {
                let id = view.presentation.session.id;
                let older = self.current.iter().filter(|old| old.presentation.session.id != id);
                let until = now + keep;
                past.splice(0..0, older.map(|old| (until, old.clone())));
                Some(view)
            }
        };
        State { session, air, current, past: few(past), expected }
    }

    pub(crate) fn find(&self, session: Option<u64>, viewer: Viewer) -> Found {
        let mut views = self.visible(viewer);
        let view = match session {
            None => views.next(),
            Some(id) => views.find(|view| view.presentation.session.id == id),
        };
        let may_come = self.expected && (viewer == Viewer::Producer || self.air == Air::Live);
        match (view, session) {
            (Some(view), _) => Found::View(view.clone()),
            (None, Some(id)) if id != self.session => Found::Unknown,
            _ if may_come => Found::Starting,
            _ => Found::Offline,
        }
    }

    /// Newest first.
    pub(crate) fn sessions(&self, viewer: Viewer) -> Vec<Arc<View>> {
        self.visible(viewer).cloned().collect()
    }

    fn visible(&self, viewer: Viewer) -> impl Iterator<Item = &Arc<View>> {
        let all = self.current.iter().chain(self.past.iter().map(|(_, view)| view));
        all.filter(move |view| view.is_for(viewer))
    }
}

/// The newest of each kind.
fn few(past: Vec<(Instant, Arc<View>)>) -> Vec<(Instant, Arc<View>)> {
    let mut left = [PAST_SESSIONS; 2];
    let few = past.into_iter().filter(|(_, view)| {
        let left = &mut left[usize::from(view.air == Air::Live)];
        *left > 0 && {
            *left -= 1;
            true
        }
    });
    few.collect()
}
