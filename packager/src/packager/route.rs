//! Finds each sample its place: on the running timeline, in a new period, or nowhere.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use media::{Kind, MediaTime, Sync, Track, TrackId, WallTime};

use super::period::describe;
use super::{Leaving, Now, Packager, Running};
use crate::gather::Held;
use crate::notice::Notice;
use crate::roster::{Left, Roster};
use crate::settings::Settings;
use crate::timeline::Timeline;

/// How far the timestamps of two tracks may lie apart and still be one timeline.
const SKEW: Duration = Duration::from_secs(10);

/// How long after where the others are a track may begin: what lies between is listed as gaps.
const HEADWAY: Duration = Duration::from_secs(60);

impl Packager {
    /// Finds each sample its place. Where one begins a period, those that waited for that come next, and may begin
    /// another: timestamps can step while nothing has begun yet.
    pub(super) fn route(&mut self, samples: Vec<Held>, now: Now) {
        let mut left = VecDeque::from(samples);
        while let Some(held) = left.pop_front() {
            let waited = self.step(held, now).unwrap_or_default();
            waited.into_iter().rev().for_each(|held| left.push_front(held));
        }
        self.warn_of_forced_cuts();
        self.warn_of_misfits();
    }

    /// Takes one sample, and gives those that waited if it began a period, or that take its place.
    fn step(&mut self, held: Held, now: Now) -> Option<Vec<Held>> {
        if !self.tracks.contains_key(&held.id) {
            self.counts.dropped += 1;
            return None;
        }
        match self.decide(&held) {
            Step::Place => {
                self.place(held);
                return None;
            }
            Step::Drop => {
                self.counts.dropped += 1;
                return None;
            }
            Step::Wait => return None,
            Step::Join => {
                self.take_in(held);
                return None;
            }
            Step::Silence => {
                self.counts.dropped += 1;
                self.lose(held.id);
                return None;
            }
            Step::Move => return Some(self.shift(held, now)),
            Step::Hold => {}
            Step::Lost => {
                self.lose(held.id);
                self.running.iter_mut().for_each(|running| running.renew = true);
            }
            Step::Leave => {
                let by = now.instant + self.part_patience();
                self.running.iter_mut().for_each(|running| running.leave(&held, by));
            }
            Step::Renew => self.close_period(now.wall, true),
        }
        self.gather.hold(held, self.settings.limits.waiting_bytes);
        if self.running.as_ref().is_some_and(Running::has_left) {
            self.close_period(now.wall, true);
        }
        if self.running.is_none() { self.try_begin(now) } else { None }
    }

    fn decide(&mut self, held: &Held) -> Step {
        let Some(running) = &mut self.running else {
            return Step::Hold;
        };
        let begins = held.sample.sync != Sync::No;
        let video = held.id.kind == Kind::Video;
        let leads = video || !self.tracks.keys().any(|id| id.kind == Kind::Video);
        // A track that was off, was not there when the period began, or is another one now.
        let here = running.timeline.takes(held.id) && !running.changed.contains(&held.id);
        if let Some(leaving) = &mut running.leaving {
            let before = here && held.presented.micros() < leaving.at.micros();
            if before && leaving.behind.contains(&held.id) {
                let step = continuity(&running.timeline, held, &self.settings, Duration::ZERO);
                if matches!(step, Step::Place) {
                    return step;
                }
            }
            leaving.behind.remove(&held.id);
            return Step::Hold;
        }
        if !here && !running.renew {
            let track = self.tracks.get(&held.id);
            if track.is_some_and(|track| running.joins(held.id, track, &self.roster)) {
                let reaches = begins && running.timeline.reaches(held.presented);
                return if reaches { Step::Join } else { Step::Wait };
            }
            running.renew = true;
            self.notices.push(Notice::TrackChanged { rendition: self.roster.name(held.id) });
        }
        if running.renew && begins && leads && running.may_renew(held.id, &self.roster) {
            return Step::Leave;
        }
        if !here {
            return Step::Hold;
        }
        let longest = self
            .fixed
            .target_duration
            .map_or(self.settings.probe, |seconds| Duration::from_secs(seconds.into()));
        let step = continuity(&running.timeline, held, &self.settings, longest);
        if matches!(step, Step::Place) {
            return step;
        }
        if running.has_others(held.id, &self.roster) {
            return among_others(step, held.id.kind);
        }
        if let Step::Renew = step {
            let stamp = MediaTime::new(held.sample.dts, held.presented.scale);
            let millis =
                running.timeline.last(held.id).map_or(0, |last| (stamp.micros() - last.micros()) / 1000);
            self.notices.push(Notice::Step { rendition: self.roster.name(held.id), millis });
        }
        step
    }

    /// The first keyframe of a track that joins the running period.
    fn take_in(&mut self, held: Held) {
        let Some((running, source)) = self.running.as_mut().zip(self.tracks.get(&held.id)) else { return };
        let known = running.timeline.init_of(held.id).cloned().map(Ok);
        let init = known.unwrap_or_else(|| describe(running.timeline.period().number, source));
        let name = self.roster.name(held.id);
        match init {
            Ok(init) => {
                running.changed.remove(&held.id);
                let log = &mut self.made;
                running.timeline.join(held.id, &name, init, source, held.presented, log);
                self.place(held);
            }
            Err(reason) => self.refuse(held.id, reason),
        }
    }

    fn lose(&mut self, id: TrackId) {
        if let Some(running) = &mut self.running {
            running.timeline.lose(id, &mut self.made);
        }
    }

    /// The timestamps of one push stepped while others go on: it leaves, and joins again where its new ones are.
    fn shift(&mut self, held: Held, now: Now) -> Vec<Held> {
        self.notices.push(Notice::Moved { rendition: self.roster.name(held.id) });
        let left = self.roster.restart(held);
        self.without(left, now.wall)
    }

    /// Goes on without what left, and gives what others carry on of it.
    pub(super) fn without(&mut self, left: Left, wall: WallTime) -> Vec<Held> {
        for (id, track) in left.carried.tracks {
            self.described(id, track);
        }
        let Some(running) = &mut self.running else { return left.carried.samples };
        let mut goes_on = true;
        for id in left.tracks {
            running.arrived.remove(&id);
            goes_on &= running.timeline.leave(id, &mut self.fixed, &mut self.made);
        }
        self.numbers.reach(&running.timeline);
        // Pictures that are about to join begin a period of their own where only sound is left.
        let pictures = self.tracks.keys().any(|id| id.kind == Kind::Video);
        running.renew |= pictures && !running.timeline.is_led_by_pictures();
        if !goes_on {
            self.close_period(wall, false);
        }
        left.carried.samples
    }

    pub(super) fn place(&mut self, held: Held) {
        let Some(running) = &mut self.running else {
            return;
        };
        running.arrived.insert(held.id, held.now);
        running.timeline.push(held.id, held.sample, &mut self.fixed, &mut self.made);
        self.numbers.reach(&running.timeline);
        let media = running.timeline.end().duration().unwrap_or_default();
        if let Some(lag) = running.drift.note(media, held.now)
            && lag > self.settings.limits.drift
            && !running.renew
        {
            running.renew = true;
            self.notices.push(Notice::Drift { lag });
        }
    }
}

impl Running {
    /// The next period begins with `lead`. Other sound that has not come so far is waited for.
    fn leave(&mut self, lead: &Held, by: Instant) {
        let at = lead.presented;
        let late = |id: &TrackId| self.timeline.last(*id).is_some_and(|last| last.micros() < at.micros());
        let sound = self
            .timeline
            .live()
            .filter(|id| id.kind == Kind::Audio && *id != lead.id && !self.changed.contains(id));
        let behind = sound.filter(late).collect();
        self.leaving = Some(Leaving { at, by, behind });
    }

    /// Whether nothing more of the period is to come.
    fn has_left(&self) -> bool {
        self.leaving.as_ref().is_some_and(|leaving| leaving.behind.is_empty())
    }

    /// Whether tracks of other pushes go on in the period.
    fn has_others(&self, id: TrackId, roster: &Roster) -> bool {
        let owner = roster.owner(id);
        self.timeline.live().filter_map(|other| roster.owner(other)).any(|other| Some(other) != owner)
    }

    /// Whether another track of the same kind goes on in the period, as the renditions and languages of one push do.
    fn has_siblings(&self, id: TrackId) -> bool {
        self.timeline.live().any(|other| other.kind == id.kind && other != id)
    }

    /// Whether a track may join the running period: others go on in it, and it is what the period has under its name.
    pub(super) fn joins(&self, id: TrackId, track: &Track, roster: &Roster) -> bool {
        let same = self
            .timeline
            .init_of(id)
            .is_none_or(|init| init.track.codec == track.codec && init.track.language == track.language);
        let placed = id.kind == Kind::Audio || self.timeline.is_led_by_pictures();
        same && placed && (self.has_others(id, roster) || self.has_siblings(id))
    }

    /// Whether a new period may begin with a sample of this track: with others on, those wait for the reference.
    fn may_renew(&self, id: TrackId, roster: &Roster) -> bool {
        let leads = self.timeline.is_reference(id) || !self.timeline.is_led_by_pictures();
        leads || !(self.has_others(id, roster) || self.has_siblings(id))
    }
}

/// What becomes of a sample that does not go on where its track was, while other pushes do: their period stays.
fn among_others(step: Step, kind: Kind) -> Step {
    match (kind, step) {
        (Kind::Video, _) => Step::Move,
        (Kind::Audio, Step::Drop) => Step::Drop,
        (Kind::Audio, _) => Step::Silence,
    }
}

/// What to do with a sample.
enum Step {
    Place,
    Drop,
    /// Its track joins the running period with a later one.
    Wait,
    /// Its track joins the running period with it.
    Join,
    /// Its track leaves gaps until it joins again.
    Silence,
    /// Its push leaves gaps until it joins again elsewhere on the timeline.
    Move,
    /// Keep it for the next period.
    Hold,
    /// There is a hole before it that its track cannot bridge: the track is off until a new period.
    Lost,
    /// It begins a new period, once what comes before it is here.
    Leave,
    /// It begins a new period.
    Renew,
}

/// Whether a timestamp goes on where its track was, or at least where the other tracks are.
fn continuity(timeline: &Timeline, held: &Held, settings: &Settings, longest: Duration) -> Step {
    let micros = |duration: Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    let stamp = MediaTime::new(held.sample.dts, held.presented.scale).micros();
    let back = -micros(settings.limits.step_back);
    let reference = timeline.is_reference(held.id);
    let limit = if reference { settings.limits.gap.min(longest) } else { settings.limits.hole };
    let skew = micros(SKEW);
    let with_others = timeline.others(held.id).any(|other| (stamp - other.micros()).abs() <= skew);
    let Some(last) = timeline.last(held.id) else {
        let away = timeline.since_zero(held.presented).micros() - timeline.end().micros();
        return if (-skew..=micros(HEADWAY)).contains(&away) { Step::Place } else { Step::Renew };
    };
    let step = stamp - last.micros();
    if (back..=micros(limit)).contains(&step) {
        return Step::Place;
    }
    match (with_others, reference) {
        (true, false) if step > 0 => Step::Lost,
        (true, false) => Step::Drop,
        _ => Step::Renew,
    }
}
