//! Finds each sample its place: on the running timeline, in a new period, or nowhere.

use std::collections::VecDeque;
use std::time::Duration;

use media::{Kind, MediaTime, Sync};

use super::{Now, Packager};
use crate::gather::Held;
use crate::notice::Notice;
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
    }

    /// Takes one sample, and gives those that waited if it began a period.
    pub(super) fn step(&mut self, held: Held, now: Now) -> Option<Vec<Held>> {
        match self.decide(&held) {
            Step::Place => {
                self.place(held);
                return None;
            }
            Step::Drop => {
                self.counts.dropped += 1;
                return None;
            }
            Step::Hold => {}
            Step::Lost => {
                if let Some(running) = &mut self.running {
                    running.timeline.lose(held.id, &mut self.made);
                    running.renew = true;
                }
            }
            Step::Renew => self.close_period(now.wall),
        }
        self.gather.hold(held, self.settings.limits.waiting_bytes);
        if self.running.is_none() { self.try_begin(now) } else { None }
    }

    pub(super) fn decide(&mut self, held: &Held) -> Step {
        let Some(running) = &mut self.running else {
            return Step::Hold;
        };
        let begins = held.sample.sync != Sync::No;
        let video = held.id.kind == Kind::Video;
        let leads = video || !self.tracks.keys().any(|id| id.kind == Kind::Video);
        // A track that was off, was not there when the period began, or is another one now.
        let here = running.timeline.takes(held.id) && !running.changed.contains(&held.id);
        if !here && !running.renew {
            running.renew = true;
            self.notices.push(Notice::TrackChanged { id: held.id });
        }
        if running.renew && begins && leads {
            return Step::Renew;
        }
        if !here {
            return Step::Hold;
        }
        let longest = self
            .fixed
            .target_duration
            .map_or(self.settings.probe, |seconds| Duration::from_secs(seconds.into()));
        let step = continuity(&running.timeline, held, &self.settings, longest);
        if let Step::Renew = step {
            let stamp = MediaTime::new(held.sample.dts, held.presented.scale);
            let millis =
                running.timeline.last(held.id).map_or(0, |last| (stamp.micros() - last.micros()) / 1000);
            self.notices.push(Notice::Step { id: held.id, millis });
        }
        step
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

/// What to do with a sample.
enum Step {
    Place,
    Drop,
    /// Keep it for the next period.
    Hold,
    /// There is a hole before it that its track cannot bridge: the track is off until a new period.
    Lost,
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
