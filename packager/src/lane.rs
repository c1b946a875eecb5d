//! One rendition being made: samples into parts, parts into the open segment.
//!
//! A lane knows nothing of other lanes; the segmenter tells it where segments end.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use container::mp4::{Fragment, FragmentSample, fragment_header};
use media::{Captions, Kind, MediaTime, Sample, Slice, Sync, payload};

use crate::presentation::{Content, Init, Part, Period, Record, Segment};

/// The least of the target that a part must be, in percent, unless it is the last of its segment (RFC 8216bis §4.4.4.9).
const LEAST_PERCENT: i64 = 85;

/// How much longer than the next sample the last one may be through timestamp rounding alone.
const ROUNDING: Duration = Duration::from_millis(1);

/// One rendition being made, within one period.
#[derive(Debug)]
pub struct Lane {
    name: Arc<str>,
    kind: Kind,
    period: Arc<Period>,
    init: Arc<Init>,
    segment: OpenSegment,
    part: OpenPart,
    /// `mfhd` sequence number of the next fragment.
    sequence: u32,
    /// What its pictures carry beside themselves; `told` of it is in the log.
    captions: Captions,
    told: Captions,
    /// Samples whose composition offset was raised so that none presents before its segment.
    pub clamped: u64,
}

#[derive(Debug, Default)]
struct OpenSegment {
    parts: Vec<Arc<Part>>,
    start: Option<i64>,
    bytes: u64,
    samples: usize,
}

#[derive(Debug, Default)]
struct OpenPart {
    samples: Vec<FragmentSample>,
    slices: Vec<Slice>,
    start: i64,
    duration: i64,
}

impl Lane {
    /// A lane that has made nothing yet.
    pub fn new(name: Arc<str>, period: Arc<Period>, init: Arc<Init>) -> Lane {
        Lane {
            name,
            kind: init.track.kind(),
            period,
            init,
            segment: OpenSegment::default(),
            part: OpenPart::default(),
            sequence: 1,
            captions: Captions::default(),
            told: Captions::default(),
            clamped: 0,
        }
    }

    /// Its name.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The initialization segment of what it makes.
    pub fn init(&self) -> &Arc<Init> {
        &self.init
    }

    /// A time of this lane.
    pub fn time(&self, ticks: i64) -> MediaTime {
        MediaTime::new(ticks, self.init.track.timescale)
    }

    /// Whether the open segment has a sample.
    pub fn has_samples(&self) -> bool {
        self.segment.start.is_some()
    }

    /// Bytes and samples of the open segment.
    pub fn size(&self) -> (u64, usize) {
        (self.segment.bytes, self.segment.samples)
    }

    /// Adds a sample with its duration to the open segment `number`.
    ///
    /// No part grows past `part_target` (RFC 8216bis §4.4.4.9). It is closed as soon as another sample as long as
    /// this one would not fit, so that it can be listed when the first sample of the next part arrives; and where
    /// decoding can begin, if it is long enough.
    pub fn add(&mut self, mut sample: Sample, number: u64, part_target: Duration, log: &mut Vec<Record>) {
        let scale = self.init.track.timescale;
        let target = scale.ticks(part_target);
        let full = self.part.duration + i64::from(sample.duration) > target;
        let here = self.kind == Kind::Video && sample.sync == Sync::Yes && self.part.suffices(target);
        if !self.part.samples.is_empty() && (full || here) {
            self.close_part(number, log);
        }
        self.look_for_captions(&sample);
        let segment_start = *self.segment.start.get_or_insert(sample.dts);
        if sample.pts() < segment_start {
            sample.composition_offset = (segment_start - sample.dts) as i32;
            self.clamped += 1;
        }
        self.segment.bytes += sample.data.len() as u64;
        self.segment.samples += 1;
        let estimate = i64::from(sample.duration) - scale.ticks(ROUNDING);
        self.part.push(sample);
        if self.part.duration + estimate > target && self.part.suffices(target) {
            self.close_part(number, log);
        }
    }

    fn look_for_captions(&mut self, sample: &Sample) {
        self.captions = self.captions.and(Captions::of(&self.init.track.codec, &sample.data));
    }

    /// Closes the open part, if it has samples.
    pub fn close_part(&mut self, number: u64, log: &mut Vec<Record>) {
        let part = std::mem::take(&mut self.part);
        let (Some(first), Some(segment_start)) = (part.samples.first(), self.segment.start) else {
            return;
        };
        let independent = first.sync == Sync::Yes;
        let begins_segment = self.segment.parts.is_empty();
        let header = fragment_header(&Fragment {
            begins_segment,
            // From the period's anchor, never from the clock: the same samples give the same bytes.
            produced: begins_segment.then(|| self.period.start.plus(self.time(part.start))),
            sequence: self.sequence,
            base_time: part.start.max(0) as u64,
            samples: &part.samples,
        });
        debug_assert!(part.start >= segment_start);
        self.sequence = self.sequence.wrapping_add(1);
        let payload: Vec<Bytes> =
            payload::coalesce(&part.slices).into_iter().map(Slice::into_bytes).collect();
        let part = Arc::new(Part {
            index: self.segment.parts.len() as u32,
            start: part.start,
            duration: part.duration,
            independent,
            len: (header.len() + payload.iter().map(Bytes::len).sum::<usize>()) as u64,
            header,
            payload,
        });
        self.segment.parts.push(part.clone());
        log.push(Record::Part {
            rendition: self.name.clone(),
            number,
            period: self.period.clone(),
            init: self.init.clone(),
            part,
        });
        if self.captions != self.told {
            self.told = self.captions;
            log.push(Record::Captions { rendition: self.name.clone(), captions: self.captions });
        }
    }

    /// Closes the open segment at `end`, where the next one begins in every rendition, or where this lane's
    /// media ends. A segment without samples, from `start`, is a gap.
    pub fn close_segment(
        &mut self,
        number: u64,
        start: MediaTime,
        end: Option<MediaTime>,
        log: &mut Vec<Record>,
    ) {
        self.close_part(number, log);
        let scale = self.init.track.timescale;
        let open = std::mem::take(&mut self.segment);
        let media_end = open.parts.last().map(|part| part.start + part.duration);
        let end = end.map(|end| end.to(scale)).max(media_end);
        let start = open.start.unwrap_or_else(|| start.to(scale));
        let duration = end.map_or(0, |end| end - start).max(0);
        let content = if open.parts.is_empty() {
            Content::Gap
        } else {
            Content::Media { init: self.init.clone(), parts: open.parts }
        };
        let segment = Segment { number, period: self.period.clone(), start, duration, scale, content };
        log.push(Record::Segment {
            rendition: self.name.clone(),
            kind: self.kind,
            segment: Arc::new(segment),
        });
    }
}

impl OpenPart {
    fn suffices(&self, target: i64) -> bool {
        self.duration * 100 >= target * LEAST_PERCENT
    }

    fn push(&mut self, sample: Sample) {
        if self.samples.is_empty() {
            self.start = sample.dts;
        }
        self.duration += i64::from(sample.duration);
        self.samples.push(FragmentSample {
            duration: sample.duration,
            size: sample.data.len() as u32,
            composition_offset: sample.composition_offset,
            sync: sample.sync,
        });
        self.slices.push(sample.data);
    }
}
