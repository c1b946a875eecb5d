//! From a publisher's samples to the log of what was made, and its fold.

mod fold;
mod period;
mod route;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use media::{MediaTime, Sample, Track, TrackId, WallTime};

use crate::drift::Drift;
use crate::gather::{Gather, Held};
use crate::notice::Notice;
use crate::numbers::Numbers;
use crate::presentation::{Presentation, Record};
use crate::settings::Settings;
use crate::timeline::{Counts, Fixed, Timeline};

/// Both clocks at one instant. Wall time is only ever read from it when a period begins.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Monotonic.
    pub instant: Instant,
    /// UTC.
    pub wall: WallTime,
}

/// Packages one session of one publisher at a time.
#[derive(Debug)]
pub struct Packager {
    settings: Arc<Settings>,
    numbers: Numbers,
    fixed: Fixed,
    burnt: Option<u64>,
    tracks: BTreeMap<TrackId, Track>,
    announced: Option<(bool, bool)>,
    /// Whether this publisher has had a period already.
    begun: bool,
    /// Whether it was said that this publisher sends no keyframe.
    keyless: bool,
    /// Whether it was said that segments begin without one.
    forced: bool,
    gather: Gather,
    running: Option<Running>,
    presentation: Option<Presentation>,
    /// Made, and not in the snapshot yet: the session's target duration may not be known.
    made: Vec<Record>,
    log: Vec<Record>,
    notices: Vec<Notice>,
    counts: Counts,
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
        let session = if resume { numbers.session } else { numbers.period + 1 };
        let numbers = Numbers { session, ended: false, closed: true, ..numbers };
        Packager {
            settings,
            numbers,
            fixed,
            burnt,
            tracks: BTreeMap::new(),
            announced: None,
            begun: false,
            keyless: false,
            forced: false,
            gather: Gather::default(),
            running: None,
            presentation: None,
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

    /// Which tracks the publisher's metadata promises.
    pub fn announce(&mut self, video: bool, audio: bool) {
        self.announced = Some((video, audio));
    }

    /// What a track is; again when that changed.
    pub fn track(&mut self, id: TrackId, track: Track) {
        let before = self.tracks.insert(id, track.clone());
        if before.as_ref() == Some(&track) {
            return;
        }
        if let Some(running) = &mut self.running {
            running.changed.insert(id);
            if !std::mem::replace(&mut running.renew, true) {
                self.notices.push(Notice::TrackChanged { id });
            }
        }
    }

    /// Takes a sample in the order of arrival.
    pub fn push(&mut self, id: TrackId, sample: Sample, now: Now) {
        let Some(track) = self.tracks.get(&id) else {
            self.counts.dropped += 1;
            return;
        };
        let presented = MediaTime::new(sample.pts(), track.timescale);
        let held = Held { id, presented, sample, wall: now.wall, now: now.instant };
        self.route(vec![held], now);
        self.fold(now.wall);
    }

    /// Does what is due by the clock alone.
    pub fn tick(&mut self, now: Now) {
        let patience = self.part_patience();
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
            Some(running) => running.arrived.values().min().map(|&at| at + self.part_patience()),
            None => self.gather.deadline(&self.settings, now),
        }
    }

    /// The publisher is gone, or its timeline broke: the period ends here, the session goes on.
    pub fn interrupt(&mut self, wall: WallTime) {
        self.gather = Gather::default();
        self.close_period(wall);
    }

    /// A publisher begins, or begins again: its tracks are described anew.
    pub fn begin(&mut self) {
        self.tracks.clear();
        self.announced = None;
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
