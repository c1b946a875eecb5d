//! A period in the making: where segments end, and which sample belongs to which.
//!
//! One track is the reference: the video, or the audio where there is none. Its keyframes set the boundaries,
//! and every rendition is cut there. Samples of the other tracks wait while a boundary can still appear before
//! them. A reference that dies hands its role on, and a track that
//! dies while others live leaves gaps.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use media::{Kind, MediaTime, Sample, Sync, Timescale, Track, TrackId};

use crate::align::{Aligned, Aligner};
use crate::lane::Lane;
use crate::presentation::{FrameRate, Init, Period, Record, Span};
use crate::settings::Settings;

/// How much longer than the target duration a segment may be before it is cut at any picture: EXTINF is
/// compared rounded to the nearest second (RFC 8216bis §4.4.3.1).
const TOLERANCE_MICROS: i64 = 450_000;
/// What millisecond timestamps may take from a duration.
const ROUNDING_MICROS: i64 = 2_000;

/// What is fixed for a session once it was measured.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Fixed {
    /// EXT-X-TARGETDURATION in seconds.
    pub target_duration: Option<u32>,
    /// PART-TARGET.
    pub part_target: Option<Duration>,
    /// The longest distance between keyframes so far, in this session or the one before.
    pub longest_gop: Duration,
}

/// What a period counted; never reset.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Samples let go because there was no place for them on the timeline.
    pub dropped: u64,
    /// Segments that begin without a keyframe because none came in time.
    pub forced_cuts: u64,
    /// Periods begun.
    pub periods: u64,
}

impl Counts {
    /// Both together.
    pub fn plus(self, other: Counts) -> Counts {
        Counts {
            dropped: self.dropped + other.dropped,
            forced_cuts: self.forced_cuts + other.forced_cuts,
            periods: self.periods + other.periods,
        }
    }
}

/// A period in the making.
#[derive(Debug)]
pub struct Timeline {
    settings: Arc<Settings>,
    period: Arc<Period>,
    /// The period's zero in the publisher's time.
    zero: MediaTime,
    tracks: Vec<Strand>,
    reference: usize,
    /// Starts of segments, oldest first, from the one that the slowest track is in.
    bounds: VecDeque<MediaTime>,
    /// Number of the segment that begins at the first of `bounds`.
    oldest: u64,
    /// End of the last reference sample: no boundary can appear before it any more.
    decided: MediaTime,
    part_target: Duration,
    /// The latest presentation time of a reference sample.
    shown: i64,
    /// A track went off: the next segment begins another group of renditions.
    regroup: bool,
    /// The reference has a sample: the first boundary is known.
    begun: bool,
    last_key: Option<MediaTime>,
    measured_rate: bool,
    /// What happened to samples.
    pub counts: Counts,
}

/// A track with its lane and what waits for the reference.
#[derive(Debug)]
struct Strand {
    id: TrackId,
    aligner: Aligner,
    lane: Lane,
    queue: VecDeque<Sample>,
    queued_bytes: u64,
    /// Number of the segment it is in.
    at: u64,
    /// Nothing more of it comes in this period: it leaves gaps.
    off: bool,
    /// Raw decode time of its latest sample.
    last: Option<MediaTime>,
    /// End of what has arrived.
    arrived: MediaTime,
    /// Where the reference was when the latest sample arrived.
    reference_then: MediaTime,
    /// Where this track was when the latest reference sample arrived.
    then: MediaTime,
}

impl Timeline {
    /// A period that begins with segment `number`. `zero` is its zero in the publisher's time.
    pub fn new(
        settings: Arc<Settings>,
        period: Arc<Period>,
        number: u64,
        tracks: Vec<(TrackId, Arc<Init>, Track)>,
        zero: MediaTime,
    ) -> Timeline {
        let reference = tracks.iter().position(|(id, ..)| id.kind == Kind::Video).unwrap_or(0);
        let tracks = tracks
            .into_iter()
            .map(|(id, init, source)| Strand {
                id,
                aligner: Aligner::new(&source, zero),
                lane: Lane::new(id.to_string().into(), period.clone(), init),
                queue: VecDeque::new(),
                queued_bytes: 0,
                at: number,
                off: false,
                last: None,
                arrived: MediaTime::ZERO,
                reference_then: MediaTime::ZERO,
                then: MediaTime::ZERO,
            })
            .collect();
        Timeline {
            part_target: settings.part,
            settings,
            period,
            zero,
            tracks,
            reference,
            bounds: VecDeque::from([MediaTime::ZERO]),
            oldest: number,
            decided: MediaTime::ZERO,
            shown: i64::MIN,
            regroup: false,
            begun: false,
            last_key: None,
            measured_rate: false,
            counts: Counts::default(),
        }
    }

    /// The timeline's period.
    pub fn period(&self) -> &Arc<Period> {
        &self.period
    }

    /// Whether that track can take samples: it is in the period and was not declared off.
    pub fn takes(&self, id: TrackId) -> bool {
        self.tracks.iter().any(|track| track.id == id && !track.off)
    }

    /// Whether that track sets the boundaries.
    pub fn is_reference(&self, id: TrackId) -> bool {
        self.tracks.get(self.reference).is_some_and(|track| track.id == id)
    }

    /// Raw decode time of the latest sample of a track.
    pub fn last(&self, id: TrackId) -> Option<MediaTime> {
        self.tracks.iter().find(|track| track.id == id)?.last
    }

    /// Raw decode times of the latest samples of all other tracks.
    pub fn others(&self, id: TrackId) -> impl Iterator<Item = MediaTime> {
        self.tracks.iter().filter(move |track| track.id != id).filter_map(|track| track.last)
    }

    /// Number of the newest segment, the open one.
    pub fn number(&self) -> u64 {
        self.oldest + self.bounds.len() as u64 - 1
    }

    /// Media time up to which the period reaches.
    pub fn end(&self) -> MediaTime {
        self.decided
    }

    /// A publisher's time as media time of the period.
    pub fn since_zero(&self, time: MediaTime) -> MediaTime {
        MediaTime::new(time.micros().saturating_sub(self.zero.micros()), Timescale::MICROS)
    }

    /// Takes the next sample of a track, in the publisher's time.
    pub fn push(&mut self, id: TrackId, sample: Sample, fixed: &mut Fixed, log: &mut Vec<Record>) {
        let Some(at) = self.tracks.iter().position(|track| track.id == id) else {
            return;
        };
        if at == self.reference {
            for track in &mut self.tracks {
                track.then = track.arrived;
            }
        }
        let decided = self.decided;
        let track = &mut self.tracks[at];
        track.last = Some(track.aligner.source_time(sample.dts));
        track.reference_then = decided;
        match track.aligner.push(sample) {
            Aligned::Held(Some(ready)) => {
                self.arrive(at, ready, fixed, log);
                self.look_ahead(at, fixed, log);
            }
            Aligned::Held(None) => {}
            Aligned::Dropped => self.counts.dropped += 1,
        }
    }

    /// Lets the pending sample of a track go and closes its part: its successor is late.
    pub fn stall(&mut self, id: TrackId, fixed: &mut Fixed, log: &mut Vec<Record>) {
        let Some(at) = self.tracks.iter().position(|track| track.id == id) else {
            return;
        };
        if let Some(sample) = self.tracks[at].aligner.flush() {
            self.arrive(at, sample, fixed, log);
        }
        let track = &mut self.tracks[at];
        track.lane.close_part(track.at, log);
    }

    /// Ends the period: everything that waits goes out, and every rendition closes the last segment.
    pub fn finish(mut self, fixed: &mut Fixed, log: &mut Vec<Record>) -> (u64, MediaTime, Counts) {
        if let Some(sample) = self.tracks[self.reference].aligner.flush() {
            self.arrive(self.reference, sample, fixed, log);
        }
        for at in 0..self.tracks.len() {
            if let Some(sample) = self.tracks[at].aligner.flush() {
                self.tracks[at].enqueue(sample);
            }
        }
        self.release(log);
        while let Some(at) = self.tracks.iter().position(|track| !track.queue.is_empty()) {
            self.lead(at, fixed, log);
        }
        let number = self.number();
        self.fix_target(self.decided.micros() - self.bound(number).micros(), fixed);
        for at in 0..self.tracks.len() {
            self.advance(at, number, true, log);
            let (start, end) = (self.bound(number), self.decided);
            let track = &mut self.tracks[at];
            let end = (!track.lane.has_samples()).then_some(end);
            track.lane.close_segment(number, start, end, log);
        }
        (number, self.decided, self.counts)
    }

    /// A sample whose duration is known: into the segment if it is the reference's, else into the queue.
    fn arrive(&mut self, at: usize, sample: Sample, fixed: &mut Fixed, log: &mut Vec<Record>) {
        self.tracks[at].arrived = self.tracks[at].end_of(&sample);
        if at == self.reference {
            self.place(sample, fixed, log);
            self.release(log);
            self.bury(fixed, log);
            return;
        }
        let track = &mut self.tracks[at];
        track.enqueue(sample);
        if track.queued_bytes > self.settings.limits.waiting_bytes {
            self.counts.dropped += track.queue.len() as u64;
            track.queue.clear();
            track.queued_bytes = 0;
        }
        let silent = track.arrived.micros() - track.then.micros();
        if silent > self.stall_micros(fixed) && !self.tracks[at].off {
            self.tracks[self.reference].off = true;
            self.regroup = true;
            self.lead(at, fixed, log);
        }
        self.release(log);
    }

    /// What the sample that just arrived settles before its own duration is known: whether it begins a segment.
    fn look_ahead(&mut self, at: usize, fixed: &mut Fixed, log: &mut Vec<Record>) {
        let track = &self.tracks[at];
        let Some(sample) = track.aligner.pending() else {
            return;
        };
        let start = track.lane.time(sample.dts);
        if at == self.reference {
            let sync = sample.sync;
            if self.begins(sample, start, fixed) {
                self.cut(start, sync, fixed, log);
                self.release(log);
            }
        } else if track.queue.is_empty() && start < self.horizon() {
            let number = self.number_at(track.at, start);
            self.advance(at, number, true, log);
        }
    }

    /// Whether a sample of the reference begins a segment (the timing rules of ARCHITECTURE.md).
    ///
    /// A keyframe does past nine tenths of the target. Where none comes until the target duration, a picture
    /// does that is shown after all before it: then nothing that follows is shown before the segment begins.
    fn begins(&self, sample: &Sample, start: MediaTime, fixed: &Fixed) -> bool {
        let elapsed = start.micros() - self.bound(self.number()).micros();
        let target = self.settings.segment.as_micros() as i64;
        let (bytes, samples) = self.tracks[self.reference].lane.size();
        let limits = &self.settings.limits;
        if samples == 0 {
            return false;
        }
        (sample.sync != Sync::No && elapsed * 10 >= target * 9)
            || (elapsed >= self.longest_micros(fixed) - ROUNDING_MICROS && sample.pts() > self.shown)
            || bytes >= limits.segment_bytes
            || samples >= limits.segment_samples
    }

    /// How long a segment may be in whole seconds.
    fn longest_micros(&self, fixed: &Fixed) -> i64 {
        match fixed.target_duration {
            Some(seconds) => i64::from(seconds) * 1_000_000,
            None => self.settings.probe.as_micros() as i64,
        }
    }

    /// No boundary can appear before it any more: the reference is past it, or it is too close to the last one.
    fn horizon(&self) -> MediaTime {
        let least = self.settings.segment.as_micros() as i64 * 9 / 10;
        let bound = self.bound(self.number()).micros();
        let micros = (bound + least).max(self.decided.micros());
        MediaTime::new(micros, Timescale::MICROS)
    }

    /// The segment that covers a time, from `at_least` on.
    fn number_at(&self, at_least: u64, start: MediaTime) -> u64 {
        (at_least..=self.number()).rev().find(|&number| self.bound(number) <= start).unwrap_or(at_least)
    }

    /// Puts a sample of the reference where it belongs, and cuts before it where a segment ends.
    fn place(&mut self, sample: Sample, fixed: &mut Fixed, log: &mut Vec<Record>) {
        let lane = &self.tracks[self.reference].lane;
        let start = lane.time(sample.dts);
        let end = lane.time(sample.dts + i64::from(sample.duration));
        if let ([first], false) = (self.bounds.make_contiguous(), self.begun) {
            *first = start;
        }
        self.begun = true;
        self.note_gop(&sample, start, fixed);
        let with = end.micros() - self.bound(self.number()).micros();
        let too_long = with > self.longest_micros(fixed) + TOLERANCE_MICROS;
        if too_long && self.tracks[self.reference].lane.has_samples() {
            self.cut(start, sample.sync, fixed, log);
        }
        self.shown = self.shown.max(sample.pts());
        let frame = end.duration().unwrap_or_default().saturating_sub(start.duration().unwrap_or_default());
        let part = self.settings.part;
        self.part_target = *fixed.part_target.get_or_insert_with(|| part_target(part, frame));
        let track = &mut self.tracks[self.reference];
        track.lane.add(sample, track.at, self.part_target, log);
        self.decided = end;
    }

    /// Ends the open segment of the reference at `start`, and that of tracks that are off with it.
    fn cut(&mut self, start: MediaTime, sync: Sync, fixed: &mut Fixed, log: &mut Vec<Record>) {
        self.counts.forced_cuts += u64::from(sync == Sync::No);
        let number = self.number();
        let elapsed = start.micros() - self.bound(number).micros();
        self.fix_target(elapsed, fixed);
        self.measure_rate(elapsed, log);
        self.bounds.push_back(start);
        for at in 0..self.tracks.len() {
            let track = &self.tracks[at];
            let ends = at == self.reference || (track.off && track.queue.is_empty());
            if ends {
                self.advance(at, number + 1, at == self.reference, log);
            }
        }
        if std::mem::take(&mut self.regroup) {
            let on = self.tracks.iter().filter(|track| !track.off);
            let renditions = on.map(|track| (track.id.kind, track.id.to_string().into())).collect();
            let period = self.period.clone();
            log.push(Record::Span(Arc::new(Span { period, first: number + 1, start, renditions })));
        }
        self.trim();
    }

    /// The first segment says how long segments are, unless a setting does.
    fn fix_target(&self, elapsed_micros: i64, fixed: &mut Fixed) {
        let first = Duration::from_micros(elapsed_micros.max(0) as u64);
        let measured = || target_duration(&self.settings, first, fixed.longest_gop);
        let target = || self.settings.target_duration.unwrap_or_else(measured);
        fixed.target_duration = fixed.target_duration.or_else(|| Some(target()));
    }

    fn measure_rate(&mut self, elapsed_micros: i64, log: &mut Vec<Record>) {
        let track = &self.tracks[self.reference];
        if self.measured_rate || track.id.kind != Kind::Video {
            return;
        }
        self.measured_rate = true;
        let (_, frames) = track.lane.size();
        if let Some(frame_rate) = FrameRate::nearest(frames, elapsed_micros) {
            log.push(Record::FrameRate { rendition: track.id.to_string().into(), frame_rate });
        }
    }

    fn note_gop(&mut self, sample: &Sample, start: MediaTime, fixed: &mut Fixed) {
        if self.tracks[self.reference].id.kind != Kind::Video || sample.sync == Sync::No {
            return;
        }
        if let Some(last) = self.last_key.replace(start) {
            let gop = Duration::from_micros((start.micros() - last.micros()).max(0) as u64);
            fixed.longest_gop = fixed.longest_gop.max(gop);
        }
    }

    /// Moves samples that the reference has passed from the queues into their segments.
    fn release(&mut self, log: &mut Vec<Record>) {
        let horizon = self.horizon();
        for at in 0..self.tracks.len() {
            if at == self.reference {
                continue;
            }
            while let Some(start) = self.tracks[at].head() {
                if start >= horizon {
                    break;
                }
                let Some(sample) = self.tracks[at].dequeue() else {
                    break;
                };
                self.sort_in(at, sample, start, log);
            }
        }
        self.trim();
    }

    /// Puts a sample of a track beside the reference into the segment that covers its start.
    fn sort_in(&mut self, at: usize, sample: Sample, start: MediaTime, log: &mut Vec<Record>) {
        let number = self.number_at(self.tracks[at].at, start);
        self.advance(at, number, true, log);
        self.tracks[at].lane.add(sample, number, self.part_target, log);
    }

    /// Closes the segments of a track up to, not including, `number`. One that is not `whole` is said to last
    /// until the next boundary, because its media broke off.
    fn advance(&mut self, at: usize, number: u64, whole: bool, log: &mut Vec<Record>) {
        while self.tracks[at].at < number {
            let open = self.tracks[at].at;
            let (start, end) = (self.bound(open), self.bound(open + 1));
            let track = &mut self.tracks[at];
            let whole = whole && track.lane.has_samples();
            track.lane.close_segment(open, start, (!whole).then_some(end), log);
            track.at += 1;
        }
    }

    /// Declares tracks off that brought nothing while the reference went on.
    fn bury(&mut self, fixed: &Fixed, log: &mut Vec<Record>) {
        let stall = self.stall_micros(fixed);
        for at in 0..self.tracks.len() {
            let track = &self.tracks[at];
            let silent = self.decided.micros() - track.reference_then.micros();
            if at != self.reference && !track.off && silent > stall {
                self.switch_off(at, log);
            }
        }
    }

    /// Declares that nothing more of a track comes in this period.
    pub fn lose(&mut self, id: TrackId, log: &mut Vec<Record>) {
        if let Some(at) = self.tracks.iter().position(|track| track.id == id && !track.off) {
            self.switch_off(at, log);
        }
    }

    fn switch_off(&mut self, at: usize, log: &mut Vec<Record>) {
        if let Some(sample) = self.tracks[at].aligner.flush() {
            self.tracks[at].enqueue(sample);
        }
        self.tracks[at].off = true;
        self.regroup = true;
        self.release(log);
    }

    /// Makes a track the reference, and places what it has waiting.
    fn lead(&mut self, at: usize, fixed: &mut Fixed, log: &mut Vec<Record>) {
        let before = self.reference;
        if let Some(sample) = self.tracks[before].aligner.flush() {
            self.place(sample, fixed, log);
            self.release(log);
        }
        let number = self.number();
        self.advance(at, number, true, log);
        self.reference = at;
        self.shown = i64::MIN;
        self.bridge(at, fixed, log);
        while let Some(sample) = self.tracks[at].dequeue() {
            let start = self.tracks[at].lane.time(sample.dts);
            if self.begins(&sample, start, fixed) {
                self.cut(start, sample.sync, fixed, log);
            }
            self.place(sample, fixed, log);
            self.release(log);
        }
    }

    /// Bounds the segments of a hole before the first sample of a track that becomes the reference.
    fn bridge(&mut self, at: usize, fixed: &mut Fixed, log: &mut Vec<Record>) {
        let Some(first) = self.tracks[at].head() else {
            return;
        };
        loop {
            let longest = self.longest_micros(fixed);
            let next = self.bound(self.number()).micros() + longest;
            if first.micros() <= next + TOLERANCE_MICROS {
                return;
            }
            self.cut(MediaTime::new(next, Timescale::MICROS), Sync::Yes, fixed, log);
        }
    }

    fn stall_micros(&self, fixed: &Fixed) -> i64 {
        let known = fixed.target_duration.is_some();
        self.longest_micros(fixed) * if known { 3 } else { 2 } / 2
    }

    fn bound(&self, number: u64) -> MediaTime {
        let at = number.saturating_sub(self.oldest) as usize;
        self.bounds.get(at).or(self.bounds.back()).copied().unwrap_or(MediaTime::ZERO)
    }

    /// Forgets boundaries that every track has passed.
    fn trim(&mut self) {
        let slowest = self.tracks.iter().map(|track| track.at).min().unwrap_or(self.oldest);
        while self.oldest < slowest && self.bounds.len() > 1 {
            self.bounds.pop_front();
            self.oldest += 1;
        }
    }
}

impl Strand {
    fn end_of(&self, sample: &Sample) -> MediaTime {
        self.lane.time(sample.dts + i64::from(sample.duration))
    }

    fn head(&self) -> Option<MediaTime> {
        self.queue.front().map(|sample| self.lane.time(sample.dts))
    }

    fn enqueue(&mut self, sample: Sample) {
        self.arrived = self.end_of(&sample);
        self.queued_bytes += sample.data.len() as u64;
        self.queue.push_back(sample);
    }

    fn dequeue(&mut self) -> Option<Sample> {
        let sample = self.queue.pop_front()?;
        self.queued_bytes -= sample.data.len() as u64;
        Some(sample)
    }
}

/// PART-TARGET from the setting and the first frame: a part must not be longer, and not shorter than 85 % of it
/// (RFC 8216bis §4.4.4.9), so where whole frames leave too much of the setting empty it is a number of frames.
fn part_target(setting: Duration, frame: Duration) -> Duration {
    /// By how much a frame may be longer or shorter than the first one, through millisecond timestamps.
    const ROUNDING: Duration = Duration::from_millis(1);
    let frames = setting.as_micros() / (frame + ROUNDING).as_micros();
    let filled = frame.as_micros() * frames;
    if filled * 100 >= setting.as_micros() * 87 {
        return setting;
    }
    let nearest = (setting.as_micros() * 2 / frame.as_micros().max(1)).div_ceil(2).clamp(2, 1000) as u32;
    let target = (frame + ROUNDING) * nearest + ROUNDING;
    Duration::from_millis(target.as_micros().div_ceil(1000) as u64)
}

/// EXT-X-TARGETDURATION from the first segment and the longest GOP of the session before.
fn target_duration(settings: &Settings, first: Duration, longest_gop: Duration) -> u32 {
    let target = settings.segment.as_micros();
    let gop = longest_gop.min(settings.probe).as_micros();
    // Segments end at the first keyframe past nine tenths of the target.
    let usual = if gop == 0 { 0 } else { (target * 9).div_ceil(gop * 10).max(1) * gop };
    let micros = target.max(usual).max(first.as_micros());
    // A GOP of a whole number of seconds stays that number through millisecond rounding.
    micros.saturating_sub(ROUNDING_MICROS as u128).div_ceil(1_000_000).max(1) as u32
}
