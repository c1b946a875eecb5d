//! A track of a period: what is made of it, and what of it waits.

use std::collections::VecDeque;

use media::{MediaTime, Sample, TrackId};

use crate::align::Aligner;
use crate::lane::Lane;

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
    /// Nothing more of it comes in this period: it leaves gaps.
    pub(super) off: bool,
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
    pub(super) fn end_of(&self, sample: &Sample) -> MediaTime {
        self.lane.time(sample.dts + i64::from(sample.duration))
    }

    pub(super) fn head(&self) -> Option<MediaTime> {
        self.queue.front().map(|sample| self.lane.time(sample.dts))
    }

    pub(super) fn enqueue(&mut self, sample: Sample) {
        self.arrived = self.end_of(&sample);
        self.queued_bytes += sample.data.len() as u64;
        self.queue.push_back(sample);
    }

    pub(super) fn dequeue(&mut self) -> Option<Sample> {
        let sample = self.queue.pop_front()?;
        self.queued_bytes -= sample.data.len() as u64;
        Some(sample)
    }
}
