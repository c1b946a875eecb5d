//! A period in the making: where segments end, and which sample belongs to which.
//!
//! One track is the reference: the video, or the audio where there is none. Its keyframes set the boundaries,
//! and every rendition is cut there. Samples of the other tracks wait while a boundary can still appear before
//! them. A reference that dies hands its role on, and a track that
//! dies while others live leaves gaps.

mod cut;
mod handover;
mod sort;
mod strand;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use media::{Kind, MediaTime, Sample, Timescale, Track, TrackId};

use crate::align::{Aligned, Aligner};
use crate::lane::Lane;
use crate::presentation::{Init, Period, Record};
use crate::settings::Settings;
use strand::{State, Strand};

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
    /// Segments beside the reference's that do not begin where it begins them.
    pub misaligned: u64,
}

impl Counts {
    /// Both together.
    pub fn plus(self, other: Counts) -> Counts {
        Counts {
            dropped: self.dropped + other.dropped,
            forced_cuts: self.forced_cuts + other.forced_cuts,
            periods: self.periods + other.periods,
            misaligned: self.misaligned + other.misaligned,
        }
    }
}

/// A track with which a period begins.
#[derive(Debug)]
pub struct Member {
    /// Which one.
    pub id: TrackId,
    /// The name of its rendition.
    pub name: Arc<str>,
    /// Its initialization segment.
    pub init: Arc<Init>,
    /// What its publisher says of it.
    pub source: Track,
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
    /// End of the last sample of any track that is in its segment.
    reached: MediaTime,
    part_target: Duration,
    /// The latest presentation time of a reference sample.
    shown: i64,
    /// A track went off: the next segment begins another group of renditions.
    regroup: bool,
    /// The reference has a sample: the first boundary is known.
    begun: bool,
    last_key: Option<MediaTime>,
    /// Number of the first segment.
    first: u64,
    /// Segments that begin without a keyframe of the reference, of those that `bounds` has.
    forced: VecDeque<u64>,
    /// Tracks whose keyframes do not come where segments begin any more.
    misfits: Vec<TrackId>,
    /// What happened to samples.
    pub counts: Counts,
}

impl Timeline {
    /// A period that begins with segment `number`. `zero` is its zero in the publisher's time.
    pub fn new(
        settings: Arc<Settings>,
        period: Arc<Period>,
        number: u64,
        tracks: Vec<Member>,
        zero: MediaTime,
    ) -> Timeline {
        let reference = tracks.iter().position(|track| track.id.kind == Kind::Video).unwrap_or(0);
        let tracks = tracks
            .into_iter()
            .map(|Member { id, name, init, source }| {
                let lane = Lane::new(name, period.clone(), init);
                Strand::new(id, Aligner::new(&source, zero), lane, number)
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
            reached: MediaTime::ZERO,
            shown: i64::MIN,
            regroup: false,
            begun: false,
            last_key: None,
            first: number,
            forced: VecDeque::new(),
            misfits: Vec::new(),
            counts: Counts::default(),
        }
    }

    /// The timeline's period.
    pub fn period(&self) -> &Arc<Period> {
        &self.period
    }

    /// Whether that track can take samples: it is in the period and was not declared off.
    pub fn takes(&self, id: TrackId) -> bool {
        self.tracks.iter().any(|track| track.id == id && !track.is_off())
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

    /// Media time up to which any track reaches: sound may be ahead of the pictures.
    pub fn reached(&self) -> MediaTime {
        self.reached.max(self.decided)
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

    /// Ends the period: everything that waits goes out, and every rendition closes the segment that it is in.
    pub fn finish(mut self, fixed: &mut Fixed, log: &mut Vec<Record>) -> (u64, MediaTime, Counts) {
        if let Some(sample) = self.tracks[self.reference].aligner.flush() {
            self.arrive(self.reference, sample, fixed, log);
        }
        for track in &mut self.tracks {
            if let Some(sample) = track.aligner.flush() {
                track.enqueue(sample);
            }
            if track.state == State::Joining {
                self.counts.dropped += track.discard();
            }
            // No keyframe is still to come.
            track.trusted = false;
        }
        self.release(log);
        while let Some(at) = self.tracks.iter().position(|track| !track.queue.is_empty()) {
            self.lead(at, fixed, log);
        }
        let number = self.number();
        self.fix_target(self.decided.micros() - self.bound(number).micros(), fixed);
        for at in 0..self.tracks.len() {
            self.end_track(at, fixed, log);
        }
        (number, self.reached(), self.counts)
    }

    /// Ends the last segment of a track that has media, where that ends. What it lacks behind that is a gap once something
    /// follows, and not before: there are players that fail of a gap at the edge, and some that do not see the end behind
    /// one. Where such a gap would be longer than a segment may be, the segment has the beginning of it.
    fn end_track(&mut self, at: usize, fixed: &Fixed, log: &mut Vec<Record>) {
        let (open, newest, end) = (self.tracks[at].at, self.number(), self.decided.micros());
        let (start, next) = (self.bound(open), self.bound(open + 1));
        let longest = i64::from(fixed.target_duration.unwrap_or(0)) * 1_000_000;
        let track = &mut self.tracks[at];
        if !track.listed || !track.lane.has_samples() {
            return;
        }
        let missing = end - track.lane.time(track.placed).micros();
        let short = open == newest || (open + 1 == newest && missing <= longest);
        track.lane.close_segment(open, start, (!short).then_some(next), log);
    }

    /// A sample whose duration is known: into the segment if it is the reference's, else into the queue.
    fn arrive(&mut self, at: usize, sample: Sample, fixed: &mut Fixed, log: &mut Vec<Record>) {
        self.tracks[at].arrived = self.tracks[at].end_of(&sample);
        if at == self.reference {
            match self.is_behind(at) {
                true => {
                    self.tracks[at].enqueue(sample);
                    self.catch_up(fixed, log);
                }
                false => self.place(sample, fixed, log),
            }
            self.release(log);
            self.bury(fixed, log);
            return;
        }
        let track = &mut self.tracks[at];
        track.enqueue(sample);
        if track.queued_bytes > self.settings.limits.waiting_bytes {
            self.counts.dropped += track.discard();
        }
        let (silent, on) = (track.arrived.micros() - track.then.micros(), track.state == State::On);
        if silent > self.stall_micros(fixed) && on {
            self.supersede(at, fixed, log);
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
        if at == self.reference && !self.is_behind(at) {
            let sync = sample.sync;
            if self.begins(sample, start, fixed) {
                self.cut(start, sync, fixed, log);
                self.release(log);
            }
        } else {
            self.look_at_pending(at, log);
        }
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
        while self.forced.front().is_some_and(|&number| number < self.oldest) {
            self.forced.pop_front();
        }
    }
}
