//! One timeline of the session that is on, as a view after each change.

use std::sync::Arc;
use std::time::Duration;

use packager::Rendition;
use packager::numbers::Shown;
use packager::presentation::{Bounds, Cutter, Presentation, Slice};

use crate::{Air, View};

/// A stretch of a session that is shown under an id of its own.
pub(super) struct Strip {
    pub(super) shown: Shown,
    air: Air,
    /// None where it is the whole session: then its views are the session's own.
    cutter: Option<Cutter>,
    view: Option<Arc<View>>,
}

impl Strip {
    /// What a session that is for everybody from its first picture on is shown as.
    pub(super) fn whole(session: u64) -> Strip {
        Strip { shown: Shown::whole(session), air: Air::Live, cutter: None, view: None }
    }

    /// One that begins with a segment.
    pub(super) fn new(shown: Shown, air: Air) -> Strip {
        let cutter = Some(Cutter::new(slice(&shown)));
        Strip { shown, air, cutter, view: None }
    }

    pub(super) fn air(&self) -> Air {
        self.air
    }

    pub(super) fn is_whole(&self) -> bool {
        self.cutter.is_none()
    }

    /// The newest view, once there is something to play.
    pub(super) fn view(&self) -> Option<&Arc<View>> {
        self.view.as_ref()
    }

    /// Follows the session. Says whether what must be kept of it changed.
    pub(super) fn follow(&mut self, whole: &Arc<View>) -> bool {
        let settled = self.settle(&whole.presentation);
        let view = match &mut self.cutter {
            None => Some(whole.clone()),
            Some(cutter) => {
                let cut = cutter.cut(&whole.presentation);
                let ready = self.view.is_some() || is_complete(&cut);
                ready.then(|| Arc::new(View::new(Arc::new(cut), self.air, self.view.as_deref())))
            }
        };
        self.view = view.filter(|view| view.presentation.playable());
        settled
    }

    /// How it ends where it ends now, with segment `last` at the latest; nothing where nothing was there to play. What
    /// it does not show it does not keep.
    pub(super) fn end(mut self, whole: &Presentation, last: u64) -> Option<Arc<View>> {
        let seen = self.view.take()?;
        let bounds = Bounds { first: self.shown.first, last };
        let slice = Slice { bounds, ended: true, ..slice(&self.shown) };
        let cut = whole.slice(slice).detached();
        Some(Arc::new(View::new(Arc::new(cut), self.air, Some(&seen))))
            .filter(|it| it.presentation.playable())
    }

    /// Positions in it count from its first segment, which is known once that is there.
    fn settle(&mut self, whole: &Presentation) -> bool {
        let Some(cutter) = &mut self.cutter else { return false };
        if self.view.is_some() {
            return false;
        }
        let first = |rendition: &Arc<Rendition>| {
            let first = rendition.shown_from(self.shown.first).next()?;
            (first.number == self.shown.first).then(|| first.position())
        };
        let Some(origin) = whole.renditions.iter().filter_map(first).min() else { return false };
        let origin = Duration::from_micros(origin.max(0).unsigned_abs());
        if origin == self.shown.origin {
            return false;
        }
        self.shown.origin = origin;
        *cutter = Cutter::new(slice(&self.shown));
        true
    }
}

fn slice(shown: &Shown) -> Slice {
    let Shown { id, first, origin, .. } = *shown;
    Slice { session: id, bounds: Bounds::from(first), origin, entire: false, ended: false }
}

/// Whether every rendition has a whole segment, so that no first playlist is empty; one that lags by more than that is
/// not waited for.
fn is_complete(cut: &Presentation) -> bool {
    let lags = cut.renditions.iter().any(|rendition| rendition.shown().nth(1).is_some());
    cut.ended || lags || cut.renditions.iter().all(|rendition| rendition.last().is_some())
}
