//! A track of a period: what is made of it, and what of it waits.

use std::collections::VecDeque;
use std::time::Duration;

use media::{Kind, MediaTime, Sample, Sync, TrackId};

use crate::align::Aligner;
use crate::lane::Lane;

/// What a picture lasts until that is known.
const USUAL_FRAME: Duration = Duration::from_millis(33);

/// Where a track stands in its period.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// Its samples go into segments.
    On,
    /// It begins with the next segment; what comes before that is let go.
    Joining,
    /// Nothing more of it comes for now: it leaves gaps.
    Off,
}

/// A track with its lane and what waits for the reference.
#[derive(Debug)]
pub(super) struct Strand {
    pub(super) id: TrackId,
    pub(super) aligner: Aligner,
    pub(super) lane: Lane,
    pub(super) queue: VecDeque<Sample>,
    pub(super) queued_bytes: u64,
    /// Number of the segment it is in.
    pub(super) at: u64,
    pub(super) state: State,
    /// It had a segment in this period, or should have had.
    pub(super) listed: bool,
    /// Its keyframe stood where its segment begins.
    pub(super) aligned: bool,
    /// Its keyframe came near enough to wait for the next one.
    pub(super) trusted: bool,
    /// The latest presentation time of what is in segments.
    pub(super) shown: i64,
    /// End of what is in segments, in ticks.
    pub(super) placed: i64,
    /// Ticks of its latest sample.
    pub(super) frame: i64,
    pub(super) measured_rate: bool,
    /// Raw decode time of its latest sample.
    pub(super) last: Option<MediaTime>,
    /// End of what has arrived.
    pub(super) arrived: MediaTime,
    /// Where the reference was when the latest sample arrived.
    pub(super) reference_then: MediaTime,
    /// Where this track was when the latest reference sample arrived.
    pub(super) then: MediaTime,
}

impl Strand {
    /// A track that is in its period from segment `number` on.
    pub(super) fn new(id: TrackId, aligner: Aligner, lane: Lane, number: u64) -> Strand {
        let frame = lane.init().track.timescale.ticks(USUAL_FRAME);
        Strand {
            id,
            aligner,
            lane,
            queue: VecDeque::new(),
            queued_bytes: 0,
            at: number,
            state: State::On,
            listed: true,
            aligned: true,
            trusted: true,
            shown: i64::MIN,
            placed: i64::MIN,
            frame,
            measured_rate: false,
            last: None,
            arrived: MediaTime::ZERO,
            reference_then: MediaTime::ZERO,
            then: MediaTime::ZERO,
        }
    }

    pub(super) fn is_off(&self) -> bool {
        self.state == State::Off
    }

    pub(super) fn is_video(&self) -> bool {
        self.id.kind == Kind::Video
    }

    pub(super) fn end_of(&self, sample: &Sample) -> MediaTime {
        self.lane.time(sample.dts + i64::from(sample.duration))
    }

    pub(super) fn head(&self) -> Option<MediaTime> {
        self.queue.front().map(|sample| self.lane.time(sample.dts))
    }

    /// Whether a keyframe that begins before `micros` waits.
    pub(super) fn has_key_before(&self, micros: i64) -> bool {
        let mut keys =
            self.queue.iter().chain(self.aligner.pending()).filter(|sample| sample.sync != Sync::No);
        keys.any(|sample| self.lane.time(sample.dts).micros() < micros)
    }

    /// How far a keyframe may lie before a boundary and still be meant for it: one and a half frames.
    pub(super) fn tolerance_micros(&self) -> i64 {
        self.lane.time(self.frame * 3 / 2).micros()
    }

    pub(super) fn enqueue(&mut self, sample: Sample) {
        self.arrived = self.end_of(&sample);
        self.frame = i64::from(sample.duration);
        self.queued_bytes += sample.data.len() as u64;
        self.queue.push_back(sample);
    }

    pub(super) fn dequeue(&mut self) -> Option<Sample> {
        let sample = self.queue.pop_front()?;
        self.queued_bytes -= sample.data.len() as u64;
        Some(sample)
    }

    /// Lets go of what waits, and says how much that was.
    pub(super) fn discard(&mut self) -> u64 {
        self.queued_bytes = 0;
        let count = self.queue.len() as u64;
        self.queue.clear();
        count
    }
}
