//! From a publisher's samples to the log of what was made, and its fold.

mod fold;
mod period;
mod route;
mod settle;
mod take_up;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use media::{MediaTime, Sample, Timescale, Track, TrackId, WallTime};

use crate::drift::Drift;
use crate::feed::FeedId;
use crate::gather::{Gather, Held};
use crate::notice::Notice;
use crate::numbers::{Numbers, Shown};
use crate::presentation::{Presentation, Record};
use crate::roster::{MAX_NAMES, Roster, Unplaced};
use crate::settings::Settings;
use crate::timeline::{Counts, Fixed, Timeline};
use settle::Settling;
pub(crate) use take_up::LONGEST_HOLE;

/// Both clocks at one instant. Wall time is only ever read from it when a period begins.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Monotonic.
    pub instant: Instant,
    /// UTC.
    pub wall: WallTime,
}

/// Packages one session of an entry: one push, or several that make one switching set.
///
/// Several pushes [`join`](Packager::join) and [`leave`](Packager::leave) as they like; a publisher that is alone needs
/// neither and uses [`track`](Packager::track) and [`push`](Packager::push).
#[derive(Debug)]
pub struct Packager {
    settings: Arc<Settings>,
    numbers: Numbers,
    fixed: Fixed,
    burnt: Option<u64>,
    /// Who is on.
    roster: Roster,
    /// The tracks of the presentation that are expected.
    tracks: BTreeMap<TrackId, Track>,
    /// Whether this publisher has had a period already.
    begun: bool,
    /// Whether it was said that this publisher sends no keyframe.
    keyless: bool,
    /// Whether it was said that segments begin without one.
    forced: bool,
    gather: Gather,
    running: Option<Running>,
    presentation: Option<Presentation>,
    settling: Settling,
    /// Made, and not in the snapshot yet: the session's target duration may not be known.
    made: Vec<Record>,
    log: Vec<Record>,
    notices: Vec<Notice>,
    counts: Counts,
}

/// A point of the timeline.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// The period.
    pub period: u64,
    /// Media time since the period's zero; negative before it.
    pub time: MediaTime,
    /// The same by the period's clock, as EXT-X-PROGRAM-DATE-TIME and MPDs have it.
    pub at: WallTime,
}

#[derive(Debug)]
struct Running {
    timeline: Timeline,
    drift: Drift,
    /// A new period should begin at the next keyframe.
    renew: bool,
    /// Tracks whose configuration is no longer the period's: nothing more of them is placed.
    changed: BTreeSet<TrackId>,
    /// When the latest sample of each track arrived.
    arrived: BTreeMap<TrackId, Instant>,
    /// The next period has its keyframe already, and sound of this one is still to come.
    leaving: Option<Leaving>,
}

/// A period that ends where a keyframe begins the next. Encoders send sound behind the pictures that it belongs to: an
/// ffmpeg by MPEG-TS up to half a second.
#[derive(Debug)]
struct Leaving {
    /// Where the next period begins, in the publishers' time.
    at: MediaTime,
    /// When nobody is waited for any more.
    by: Instant,
    /// Sound that has not come so far.
    behind: BTreeSet<TrackId>,
}

impl Packager {
    /// A packager that goes on from `numbers`. With `resume` it continues that session, else it begins one.
    pub fn new(settings: Arc<Settings>, numbers: Numbers, resume: bool) -> Packager {
        let fixed = if resume {
            Fixed {
                target_duration: numbers.target_duration,
                part_target: numbers.part_target,
                longest_gop: numbers.longest_gop,
            }
        } else {
            Fixed { longest_gop: numbers.longest_gop, ..Fixed::default() }
        };
        let burnt = (resume && !numbers.closed).then_some(numbers.segment);
        let session = if resume { numbers.session } else { numbers.period.max(numbers.named) + 1 };
        let mut numbers = Numbers { session, ended: false, closed: true, ..numbers };
        numbers.named = numbers.named.max(session);
        if !resume {
            // A session is named by the number of its first period.
            numbers.period = session - 1;
            numbers.elapsed = Duration::ZERO;
            numbers.shown = Arc::default();
        }
        Packager {
            settings,
            numbers,
            fixed,
            burnt,
            roster: Roster::default(),
            tracks: BTreeMap::new(),
            begun: false,
            keyless: false,
            forced: false,
            gather: Gather::default(),
            running: None,
            presentation: None,
            settling: Settling::default(),
            made: Vec::new(),
            log: Vec::new(),
            notices: Vec::new(),
            counts: Counts::default(),
        }
    }

    /// The newest snapshot, once the session's target duration is known.
    pub fn presentation(&self) -> Option<&Presentation> {
        self.presentation.as_ref()
    }

    /// The numbers as they must be stored before the newest snapshot becomes visible.
    pub fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    /// A number to name a timeline of the session by: no other timeline of the entry has it, nor any session. Period
    /// numbers are not used up by it, because players are told the next one before it is there (RFC 8216bis §4.4.5.3).
    pub fn burn_id(&mut self) -> u64 {
        self.numbers.named += 1;
        self.numbers.named
    }

    /// Keeps with the numbers on which timelines the session is shown.
    pub fn keep_shown(&mut self, shown: Arc<[Shown]>) {
        self.numbers.shown = shown;
    }

    /// What was made since the last call, in order.
    pub fn take_log(&mut self) -> Vec<Record> {
        std::mem::take(&mut self.log)
    }

    /// What an operator should know since the last call.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    /// Samples that found no place, cuts without a keyframe, and periods, since the session began.
    pub fn counts(&self) -> Counts {
        let running = self.running.as_ref().map(|running| running.timeline.counts).unwrap_or_default();
        self.counts.plus(running)
    }

    /// A push begins. Where others are on, it joins their period; `rendition` names what it brings, as in `720p`.
    pub fn join(&mut self, rendition: Option<&str>) -> FeedId {
        if self.roster.is_empty() {
            self.begin();
        }
        self.roster.join(rendition.map(Arc::from))
    }

    /// A push is gone. Others carry on its sound; with the last one the period ends.
    pub fn leave(&mut self, feed: FeedId, now: Now) {
        let left = self.roster.leave(feed);
        if self.roster.is_empty() {
            self.interrupt(now.wall);
            return;
        }
        left.tracks.iter().for_each(|id| drop(self.tracks.remove(id)));
        let carried = self.without(left, now.wall);
        self.route(carried, now);
        self.fold(now.wall);
    }

    /// Which tracks the metadata of a push promises.
    pub fn announce_of(&mut self, feed: FeedId, video: bool, audio: bool) {
        self.roster.announce(feed, video, audio);
    }

    /// What a track of a push is; again when that changed.
    pub fn track_of(&mut self, feed: FeedId, id: TrackId, track: Track) {
        match self.roster.describe(feed, id, track) {
            Ok(brought) => brought.tracks.into_iter().for_each(|(id, track)| self.described(id, track)),
            Err(Unplaced::OtherSound) => {
                self.notices.push(Notice::OtherSound { rendition: self.roster.title(feed) });
            }
            Err(Unplaced::TooMany) => {
                let reason = format!("there are more than {MAX_NAMES} renditions");
                self.notices.push(Notice::Refused { rendition: self.roster.title(feed), reason });
            }
        }
    }

    /// Where a point of a push's time lies on the timeline; `None` where no period is on.
    pub fn locate(&self, feed: FeedId, time: MediaTime) -> Option<Place> {
        let timeline = &self.running.as_ref()?.timeline;
        let offset = MediaTime::new(self.roster.offset(feed), Timescale::MICROS);
        let moved = MediaTime::new(time.micros().saturating_add(offset.ticks), Timescale::MICROS);
        let (period, time) = (timeline.period(), timeline.since_zero(moved));
        Some(Place { period: period.number, time, at: period.start.plus(time) })
    }

    /// Takes a sample of a push in the order of arrival.
    pub fn push_of(&mut self, feed: FeedId, id: TrackId, sample: Sample, now: Now) {
        let Some(timescale) = self.roster.timescale(feed, id) else {
            self.counts.dropped += 1;
            return;
        };
        let presented = MediaTime::new(sample.pts(), timescale);
        let held = Held { feed, id, presented, sample, wall: now.wall, now: now.instant };
        let brought = self.roster.take(held, self.settings.limits.waiting_bytes);
        brought.tracks.into_iter().for_each(|(id, track)| self.described(id, track));
        self.route(brought.samples, now);
        self.fold(now.wall);
    }

    /// Whether the keyframes of a push do not come where segments begin.
    pub fn is_misaligned(&self, feed: FeedId) -> bool {
        let Some(running) = &self.running else { return false };
        let mut live = running.timeline.live().filter(|id| running.timeline.is_misaligned(*id));
        live.any(|id| self.roster.owner(id) == Some(feed))
    }

    /// [`announce_of`](Packager::announce_of) a publisher that is alone.
    pub fn announce(&mut self, video: bool, audio: bool) {
        let feed = self.roster.sole();
        self.announce_of(feed, video, audio);
    }

    /// [`track_of`](Packager::track_of) a publisher that is alone.
    pub fn track(&mut self, id: TrackId, track: Track) {
        let feed = self.roster.sole();
        self.track_of(feed, id, track);
    }

    /// [`push_of`](Packager::push_of) a publisher that is alone.
    pub fn push(&mut self, id: TrackId, sample: Sample, now: Now) {
        let feed = self.roster.sole();
        self.push_of(feed, id, sample, now);
    }

    /// A track of the presentation is described. One that is new joins the others, where there are some, unless it is
    /// described differently from what the period has under its name.
    fn described(&mut self, id: TrackId, track: Track) {
        let before = self.tracks.insert(id, track.clone());
        if before.as_ref() == Some(&track) {
            return;
        }
        let Some(running) = &mut self.running else { return };
        if running.joins(id, &track, &self.roster) {
            running.changed.remove(&id);
            return;
        }
        running.changed.insert(id);
        if !std::mem::replace(&mut running.renew, true) {
            self.notices.push(Notice::TrackChanged { rendition: self.roster.name(id) });
        }
    }

    /// Does what is due by the clock alone.
    pub fn tick(&mut self, now: Now) {
        let patience = self.part_patience();
        if self
            .running
            .as_ref()
            .and_then(|running| running.leaving.as_ref())
            .is_some_and(|it| it.by <= now.instant)
        {
            self.close_period(now.wall, true);
        }
        if let Some(running) = &mut self.running {
            let late = |(id, &at): (&TrackId, &Instant)| (at + patience <= now.instant).then_some(*id);
            let stalled: Vec<TrackId> = running.arrived.iter().filter_map(late).collect();
            for id in stalled {
                running.arrived.remove(&id);
                running.timeline.stall(id, &mut self.fixed, &mut self.made);
            }
            self.numbers.reach(&running.timeline);
        } else if let Some(waited) = self.try_begin(now) {
            self.route(waited, now);
        }
        self.fold(now.wall);
    }

    /// When [`tick`](Packager::tick) has something to do, if nothing arrives before.
    pub fn deadline(&self, now: Instant) -> Option<Instant> {
        match &self.running {
            Some(running) => {
                let stalls = running.arrived.values().min().map(|&at| at + self.part_patience());
                stalls.into_iter().chain(running.leaving.as_ref().map(|leaving| leaving.by)).min()
            }
            None => self.gather.deadline(&self.settings, self.moment(), now),
        }
    }

    /// All publishers are gone, or their timeline broke: the period ends here, the session goes on.
    pub fn interrupt(&mut self, wall: WallTime) {
        self.gather = Gather::default();
        self.close_period(wall, false);
    }

    /// All begin, or begin again: their tracks are described anew.
    pub fn begin(&mut self) {
        self.roster.clear();
        self.tracks.clear();
        self.begun = false;
        self.keyless = false;
    }

    /// The session is over.
    pub fn end(&mut self, wall: WallTime) {
        self.interrupt(wall);
        self.numbers.ended = true;
        if self.presentation.is_some() {
            self.made.push(Record::End);
            self.fold(wall);
        }
    }

    fn part_patience(&self) -> Duration {
        // Until the first frame's duration is known there is no telling a slow frame rate from a stall.
        self.fixed.part_target.map_or(self.settings.probe, |target| target.mul_f64(1.5))
    }
}
