//! From a publisher's samples to the log of what was made, and its fold.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use container::mp4::init_segment;
use media::{Kind, MediaTime, Sample, Sync, Track, TrackId, WallTime};

use crate::align::output_timescale;
use crate::drift::Drift;
use crate::gather::{Beginning, Gather, Held};
use crate::notice::Notice;
use crate::numbers::{Numbers, Shown};
use crate::presentation::{Init, Period, Presentation, Record, Retention, Session, Span};
use crate::settings::Settings;
use crate::timeline::{Counts, Fixed, Timeline};

/// How far the timestamps of two tracks may lie apart and still be one timeline.
const SKEW: Duration = Duration::from_secs(10);

/// How long after where the others are a track may begin: what lies between is listed as gaps.
const HEADWAY: Duration = Duration::from_secs(60);

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

    /// Finds each sample its place. Where one begins a period, those that waited for that come next, and may begin
    /// another: timestamps can step while nothing has begun yet.
    fn route(&mut self, samples: Vec<Held>, now: Now) {
        let mut left = VecDeque::from(samples);
        while let Some(held) = left.pop_front() {
            let waited = self.step(held, now).unwrap_or_default();
            waited.into_iter().rev().for_each(|held| left.push_front(held));
        }
        self.warn_of_forced_cuts();
    }

    /// Takes one sample, and gives those that waited if it began a period.
    fn step(&mut self, held: Held, now: Now) -> Option<Vec<Held>> {
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

    fn close_period(&mut self, wall: WallTime) {
        if let Some(running) = self.running.take() {
            let Period { start, number: period, elapsed, .. } = **running.timeline.period();
            let (number, end, counts) = running.timeline.finish(&mut self.fixed, &mut self.made);
            self.counts = self.counts.plus(counts);
            self.numbers.segment = number;
            self.numbers.closed = true;
            self.numbers.until = self.numbers.until.max(start.plus(end));
            self.numbers.elapsed = elapsed + end.duration().unwrap_or_default();
            self.made.push(Record::Closed { period });
            self.fold(wall);
        }
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

    fn decide(&mut self, held: &Held) -> Step {
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

    fn place(&mut self, held: Held) {
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

    /// Begins a period if that can be done now, and gives the samples to begin it with.
    fn try_begin(&mut self, now: Now) -> Option<Vec<Held>> {
        let has = |kind| self.tracks.keys().any(|id| id.kind == kind);
        let known = self.begun.then(|| (has(Kind::Video), has(Kind::Audio)));
        let announced = known.or(self.announced);
        if !self.keyless && self.gather.lacks_key(&self.tracks, &self.settings, now.instant) {
            self.keyless = true;
            self.notices.push(Notice::NoKeyframe);
        }
        let beginning = self.gather.begin(&self.tracks, announced, &self.settings, now.instant)?;
        self.open_period(beginning)
    }

    fn open_period(&mut self, beginning: Beginning) -> Option<Vec<Held>> {
        let number = self.numbers.period + 1;
        // Rounded up, so that a period never begins before the one before it ended.
        let until = WallTime::from_micros(self.numbers.until.micros() + 999).floor_millis();
        let start = beginning.wall.floor_millis().max(until);
        let Numbers { discontinuity, elapsed, .. } = self.numbers;
        let period = Arc::new(Period { number, discontinuity, start, elapsed });
        let mut tracks = Vec::new();
        for (id, source) in beginning.tracks {
            match self.describe(number, &source) {
                Ok(init) => tracks.push((id, init, source)),
                Err(reason) => {
                    self.tracks.remove(&id);
                    self.notices.push(Notice::Refused { id, reason });
                }
            }
        }
        if tracks.is_empty() {
            return None;
        }
        self.begun = true;
        self.counts.periods += 1;
        self.numbers.discontinuity += 1;
        self.numbers.period = number;
        let first = self.numbers.segment + 1;
        self.made.push(Record::Span(Arc::new(Span {
            period: period.clone(),
            first,
            start: MediaTime::ZERO,
            renditions: tracks.iter().map(|(id, ..)| (id.kind, id.to_string().into())).collect(),
        })));
        let timeline = Timeline::new(self.settings.clone(), period, first, tracks, beginning.zero);
        let drift = Drift::new(beginning.now);
        self.running = Some(Running {
            timeline,
            drift,
            renew: false,
            changed: BTreeSet::new(),
            arrived: BTreeMap::new(),
        });
        Some(beginning.samples)
    }

    fn describe(&self, period: u64, source: &Track) -> Result<Arc<Init>, String> {
        let track = Track { codec: source.codec.clone(), timescale: output_timescale(&source.codec) };
        let bytes = init_segment(&track).map_err(|e| e.to_string())?;
        Ok(Arc::new(Init { period, track, bytes }))
    }

    /// Takes what was made into the snapshot, as soon as there can be one.
    fn fold(&mut self, wall: WallTime) {
        self.numbers.target_duration = self.fixed.target_duration;
        self.numbers.part_target = self.fixed.part_target;
        self.numbers.longest_gop = self.fixed.longest_gop;
        self.numbers.at = wall;
        if self.presentation.is_none() {
            let Some(session) = self.session().filter(|_| self.complete()) else {
                return;
            };
            self.warn_of_length(session.target_duration);
            self.presentation = Some(Presentation::new(session, wall));
        }
        let Some(presentation) = &mut self.presentation else {
            return;
        };
        for record in self.made.drain(..) {
            presentation.apply(record.clone(), wall);
            self.log.push(record);
        }
    }

    fn warn_of_length(&mut self, target_duration: u32) {
        let wanted = self.settings.segment;
        let chosen = self.settings.target_duration.is_some();
        if !chosen && f64::from(target_duration) >= wanted.as_secs_f64().ceil() * 2.0 {
            self.notices.push(Notice::LongSegments { target_duration, wanted });
        }
    }

    fn warn_of_forced_cuts(&mut self) {
        if let (false, Some(target_duration)) = (self.forced, self.fixed.target_duration)
            && self.counts().forced_cuts > 0
        {
            self.forced = true;
            self.notices.push(Notice::ForcedCut { target_duration });
        }
    }

    /// Whether every rendition that has a part has a whole segment, so that no first playlist is empty. One that
    /// lags by more than a segment is not waited for.
    fn complete(&self) -> bool {
        let mut segments: BTreeMap<&str, u32> = BTreeMap::new();
        for record in &self.made {
            match record {
                Record::Part { rendition, .. } => *segments.entry(rendition).or_default() += 0,
                Record::Segment { rendition, .. } => *segments.entry(rendition).or_default() += 1,
                _ => {}
            }
        }
        let lagging = segments.values().any(|&count| count > 1);
        let over = self.running.is_none() && segments.values().any(|&count| count > 0);
        over || lagging || (!segments.is_empty() && segments.values().all(|&count| count > 0))
    }

    fn session(&self) -> Option<Arc<Session>> {
        let (target_duration, part_target) = (self.fixed.target_duration?, self.fixed.part_target?);
        let settings = &self.settings;
        let longest = Duration::from_secs(target_duration.into());
        // No segment may go that leaves less than that (RFC 8216bis §6.2.2).
        let window = settings.window.max(longest * 3);
        Some(Arc::new(Session {
            id: self.numbers.session,
            target_duration,
            part_target,
            low_latency: settings.low_latency,
            window,
            retention: Retention {
                live: window * 2 + longest,
                dvr: settings.dvr_window,
                dvr_bytes: settings.dvr_memory,
                max_bytes: settings.limits.rendition_bytes,
            },
            burnt: self.burnt,
        }))
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
