//! On which timelines the session that is on is shown, and to whom.
//!
//! The whole session is for its own people. What everybody sees begins with a segment at "go live" and ends at once
//! at "preview"; where a session is live from its first picture to its last, it is the whole. Named timelines
//! lie beside it.

use std::sync::Arc;

use media::WallTime;
use packager::numbers::Shown;
use packager::window::{Asked, At};
use packager::{Packager, Presentation};

use super::state::{Coming, Named};
use super::strip::Strip;
use crate::{Air, Timeline, View};

/// Named timelines of a stream that are shown; further ones are not.
pub(super) const TIMELINES: usize = 16;

pub(super) struct Shows {
    session: u64,
    air: Air,
    public: Option<Strip>,
    named: Vec<Show>,
    /// Those of a former process, until they are taken up.
    kept: Vec<Shown>,
    /// What ended since it was asked last.
    over: Vec<Named>,
    /// What is not to be seen any more, by id.
    gone: Vec<u64>,
    /// What must be kept has changed.
    stale: bool,
}

struct Show {
    timeline: Timeline,
    strip: Option<Strip>,
    /// Whether it came to its end in this session.
    over: bool,
    /// The id under which it did.
    id: Option<u64>,
}

impl Shows {
    /// These of the session that a packager makes: of one that it resumes, as they were.
    pub(super) fn new(packager: &mut Packager, air: Air, resumes: bool) -> Shows {
        let (session, kept) = (packager.numbers().session, packager.numbers().shown.to_vec());
        let mut shows = Shows {
            session,
            air,
            public: None,
            named: Vec::new(),
            kept,
            over: Vec::new(),
            gone: Vec::new(),
            stale: true,
        };
        if air == Air::Live {
            shows.public = Some(if resumes { shows.resumed(packager) } else { Strip::whole(session) });
        }
        shows.kept.retain(|shown| &*shown.name != Shown::PUBLIC);
        shows
    }

    /// Another session begins; what was shown of the last one is over.
    pub(super) fn begin(&mut self, packager: &mut Packager, air: Air, last: &[Named]) {
        let mut next = Shows::new(packager, air, false);
        next.over = std::mem::take(&mut self.over);
        next.over.extend(last.iter().cloned());
        next.gone = std::mem::take(&mut self.gone);
        next.named = self.named.drain(..).map(|show| Show::new(show.timeline)).collect();
        *self = next;
    }

    pub(super) fn air(&self) -> Air {
        self.air
    }

    /// The session as whom it is for now names it, and whether that has something to play.
    pub(super) fn primary(&self, playable: bool) -> (u64, bool) {
        match &self.public {
            Some(strip) if !strip.is_whole() => (strip.shown.id, strip.view().is_some()),
            _ => (self.session, playable),
        }
    }

    /// From the next segment on everybody sees it.
    pub(super) fn go_live(&mut self, packager: &mut Packager) {
        self.air = Air::Live;
        self.public = Some(next_segment(packager));
        self.stale = true;
    }

    /// It is over for everybody but its own people, now.
    pub(super) fn go_preview(&mut self, whole: Option<&Arc<View>>) {
        self.air = Air::Preview;
        self.stale = true;
        let strip = self.public.take();
        let ended = strip.zip(whole).and_then(|(strip, whole)| {
            let last = finished(&whole.presentation)?;
            strip.end(&whole.presentation, last)
        });
        self.over.extend(ended.map(|view| Named { name: Shown::PUBLIC.into(), view }));
    }

    /// Which named timelines there are. What changed in another way than in its end begins anew.
    pub(super) fn set(&mut self, timelines: &[Timeline]) {
        let mut before = std::mem::take(&mut self.named);
        let mut take = |timeline: &Timeline| {
            let same = |show: &Show| show.is_same(timeline);
            let known = before.iter().position(same).map(|at| before.swap_remove(at));
            known.map_or_else(|| Show::new(timeline.clone()), |show| show.until(timeline.end))
        };
        self.named = timelines.iter().take(TIMELINES).map(&mut take).collect();
        self.gone.extend(before.iter().filter_map(|show| show.id));
        self.kept.retain(|kept| before.iter().all(|show| show.timeline.name != kept.name));
        self.named.iter_mut().for_each(|show| show.resume(&mut self.kept));
        self.stale = true;
    }

    /// Begins and ends what is due, before numbers are stored.
    pub(super) fn prepare(&mut self, packager: &mut Packager) {
        let mut over = Vec::new();
        for show in self.named.iter_mut().filter(|show| !show.over) {
            self.stale |= show.begin(packager);
            if let Some(last) = show.last(packager) {
                over.extend(show.end(packager, last));
                self.stale = true;
            }
        }
        self.over.append(&mut over);
        if std::mem::take(&mut self.stale) {
            let strips = self.public.iter().chain(self.named.iter().filter_map(|show| show.strip.as_ref()));
            packager.keep_shown(strips.map(|strip| &strip.shown).chain(&self.kept).cloned().collect());
        }
    }

    /// Every view of this session, the whole first.
    pub(super) fn follow(&mut self, presentation: Presentation, before: Option<&View>) -> Vec<Named> {
        let whole_air = match &self.public {
            Some(strip) if strip.is_whole() => Air::Live,
            _ => Air::Preview,
        };
        let whole = Arc::new(View::new(Arc::new(presentation), whole_air, before));
        if !whole.presentation.playable() {
            return Vec::new();
        }
        let strips = self.public.iter_mut().chain(self.named.iter_mut().filter_map(|it| it.strip.as_mut()));
        let mut views = vec![Named { name: Shown::PREVIEW.into(), view: whole.clone() }];
        for strip in strips {
            self.stale |= strip.follow(&whole);
            let named = |view: &Arc<View>| Named { name: strip.shown.name.clone(), view: view.clone() };
            views.extend(strip.view().map(named));
        }
        views
    }

    /// What will be shown as soon as there is something to play.
    pub(super) fn coming(&self) -> Vec<Coming> {
        let strips = self.public.iter().chain(self.named.iter().filter_map(|show| show.strip.as_ref()));
        let whole = Coming { name: Shown::PREVIEW.into(), id: self.session, air: Air::Preview };
        let named =
            |strip: &Strip| Coming { name: strip.shown.name.clone(), id: strip.shown.id, air: strip.air() };
        std::iter::once(whole).chain(strips.map(named)).collect()
    }

    pub(super) fn take_over(&mut self) -> Vec<Named> {
        std::mem::take(&mut self.over)
    }

    pub(super) fn take_gone(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.gone)
    }

    /// What the public saw when the process died, or what it sees from now on where it saw nothing.
    fn resumed(&self, packager: &mut Packager) -> Strip {
        match self.kept.iter().find(|shown| &*shown.name == Shown::PUBLIC) {
            Some(shown) if shown.id == self.session => Strip::whole(self.session),
            Some(shown) => Strip::new(shown.clone(), Air::Live),
            None => next_segment(packager),
        }
    }
}

impl Show {
    fn new(timeline: Timeline) -> Show {
        Show { timeline, strip: None, over: false, id: None }
    }

    fn is_same(&self, timeline: &Timeline) -> bool {
        Timeline { end: timeline.end, ..self.timeline.clone() } == *timeline
            && (!self.over || self.timeline.end == timeline.end)
    }

    fn until(self, end: Option<WallTime>) -> Show {
        Show { timeline: Timeline { end, ..self.timeline }, ..self }
    }

    /// Takes it up where a former process left it.
    fn resume(&mut self, kept: &mut Vec<Shown>) {
        let known = kept.iter().position(|shown| shown.name == self.timeline.name);
        if let Some(shown) = known.map(|at| kept.swap_remove(at)).filter(|_| self.strip.is_none()) {
            self.id = Some(shown.id);
            self.strip = Some(Strip::new(shown, self.timeline.air));
        }
    }

    /// Begins it if its first segment is there. Says whether it did.
    fn begin(&mut self, packager: &mut Packager) -> bool {
        if self.strip.is_some() {
            return false;
        }
        let Some(first) = self.first(packager.presentation()) else { return false };
        let (name, id) = (self.timeline.name.clone(), packager.burn_id());
        let shown = Shown { name, id, first, origin: packager.numbers().elapsed };
        self.id = Some(shown.id);
        self.strip = Some(Strip::new(shown, self.timeline.air));
        true
    }

    fn first(&self, presentation: Option<&Presentation>) -> Option<u64> {
        let at = |at: WallTime| At::Wall(at.micros());
        let asked = Asked { start: Some(at(self.timeline.start)), end: self.timeline.end.map(at) };
        presentation?.window(asked).ok().map(|window| window.bounds().first)
    }

    /// Its last segment, once that is finished and it ends.
    fn last(&self, packager: &Packager) -> Option<u64> {
        self.strip.as_ref()?.view()?;
        packager.presentation().filter(|presentation| !presentation.ended)?.last_before(self.timeline.end?)
    }

    fn end(&mut self, packager: &Packager, last: u64) -> Option<Named> {
        self.over = true;
        let view = self.strip.take()?.end(packager.presentation()?, last)?;
        Some(Named { name: self.timeline.name.clone(), view })
    }
}

fn next_segment(packager: &mut Packager) -> Strip {
    let id = packager.burn_id();
    let (first, origin) = (packager.numbers().segment + 1, packager.numbers().elapsed);
    Strip::new(Shown { name: Shown::PUBLIC.into(), id, first, origin }, Air::Live)
}

/// Number of the newest segment that no rendition still makes: sound is a moment behind the pictures.
fn finished(presentation: &Presentation) -> Option<u64> {
    let lasts = || presentation.renditions.iter().filter_map(|it| it.last()).map(|last| last.number);
    let newest = lasts().max()?;
    lasts().filter(|last| last + 1 >= newest).min()
}
