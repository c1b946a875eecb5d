//! Periods, segments and parts: what is finished, and what is being made.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use media::{MediaTime, Timescale, Track, WallTime};

use super::stored::Stored;

/// An unbroken timeline: one zero, one set of tracks. Each discontinuity begins a new one.
#[derive(Clone, PartialEq, Debug)]
pub struct Period {
    /// P: burnt, never reused, growing by one.
    pub number: u64,
    /// Its discontinuity sequence number (RFC 8216bis §4.4.3.3): how many periods the entry had before. Not P,
    /// because players index by it: hls.js 1.7 walks every number below.
    pub discontinuity: u64,
    /// Wall time of media time zero, whole milliseconds. Set once; wall-clock fields derive from it alone.
    pub start: WallTime,
    /// How long the session had gone on before it: the media of its earlier periods, without what lies between.
    pub elapsed: Duration,
}

impl Period {
    /// How long the session had gone on at a time of it, in microseconds.
    pub fn position(&self, time: MediaTime) -> i64 {
        let before = i64::try_from(self.elapsed.as_micros()).unwrap_or(i64::MAX);
        before.saturating_add(time.micros())
    }
}

/// The initialization segment of a rendition in a period, and what manifests say about it.
#[derive(Clone, PartialEq, Debug)]
pub struct Init {
    /// The period it belongs to; its URL is `RENDITION/init-P.mp4`.
    pub period: u64,
    /// Codec and output timescale.
    pub track: Track,
    /// `ftyp` and `moov`.
    pub bytes: Bytes,
}

/// The smallest addressable piece: one `moof`+`mdat` header and the payload it describes.
#[derive(Clone, PartialEq, Debug)]
pub struct Part {
    /// K: its place in the segment, from zero.
    pub index: u32,
    /// Decode time of its first sample (`tfdt`), in ticks of the rendition.
    pub start: i64,
    /// Sum of its sample durations, in ticks.
    pub duration: i64,
    /// Whether it begins with a sync sample (EXT-X-PART INDEPENDENT=YES).
    pub independent: bool,
    /// `styp` in the first part of a segment, then `moof` and the header of `mdat`.
    pub header: Bytes,
    /// Contents of `mdat`: the very pieces that ingest wrote.
    pub payload: Vec<Bytes>,
    /// Bytes of header and payload together.
    pub len: u64,
}

impl Part {
    /// Header and payload in the order in which they are sent.
    pub fn pieces(&self) -> impl Iterator<Item = &Bytes> {
        std::iter::once(&self.header).chain(&self.payload)
    }
}

/// A finished segment. It never changes: its URL, bytes and ETag are fixed for life.
#[derive(Clone, PartialEq, Debug)]
pub struct Segment {
    /// N: burnt, never reused; the same time in every rendition. Also the media sequence number.
    pub number: u64,
    /// The timeline it stands on.
    pub period: Arc<Period>,
    /// Decode time of its first sample in the period, in ticks of `scale`.
    pub start: i64,
    /// Ticks of `scale`.
    pub duration: i64,
    /// The unit of `start` and `duration`.
    pub scale: Timescale,
    /// What can be fetched.
    pub content: Content,
}

/// Whether a segment has media.
#[derive(Clone, PartialEq, Debug)]
pub enum Content {
    /// One or more parts.
    Media {
        /// The initialization segment that its samples need.
        init: Arc<Init>,
        /// In order; together they are the segment, byte for byte.
        parts: Vec<Arc<Part>>,
    },
    /// Its bytes are in storage.
    Stored(Stored),
    /// Nothing: the rendition was dead while others lived, or the number was burnt (EXT-X-GAP).
    Gap,
}

impl Segment {
    /// Its duration with its scale.
    pub fn span(&self) -> MediaTime {
        MediaTime::new(self.duration, self.scale)
    }

    /// Its start in the period, with its scale.
    pub fn start_time(&self) -> MediaTime {
        MediaTime::new(self.start, self.scale)
    }

    /// Wall time of its first sample.
    pub fn wall_time(&self) -> WallTime {
        self.period.start.plus(self.start_time())
    }

    /// Wall time of its end.
    pub fn wall_end(&self) -> WallTime {
        self.period.start.plus(MediaTime::new(self.start + self.duration, self.scale))
    }

    /// How long the session had gone on at its start, in microseconds.
    pub fn position(&self) -> i64 {
        self.period.position(self.start_time())
    }

    /// The same at its end.
    pub fn end_position(&self) -> i64 {
        let end = MediaTime::new(self.start + self.duration, self.scale);
        self.position().saturating_add(end.micros() - self.start_time().micros())
    }

    /// Its parts in memory; none for a gap, nor for one in storage.
    pub fn parts(&self) -> &[Arc<Part>] {
        match &self.content {
            Content::Media { parts, .. } => parts,
            Content::Stored(_) | Content::Gap => &[],
        }
    }

    /// Its initialization segment; none for a gap.
    pub fn init(&self) -> Option<&Arc<Init>> {
        match &self.content {
            Content::Media { init, .. } => Some(init),
            Content::Stored(stored) => Some(&stored.init),
            Content::Gap => None,
        }
    }

    /// Whether there is nothing to fetch.
    pub fn is_gap(&self) -> bool {
        self.content == Content::Gap
    }

    /// Whether it begins with a sync sample.
    pub fn independent(&self) -> bool {
        match self.stored() {
            Some(stored) => stored.independent,
            None => self.parts().first().is_some_and(|part| part.independent),
        }
    }

    /// The same time without anything to fetch.
    pub(super) fn as_gap(&self) -> Segment {
        Segment { content: Content::Gap, ..self.clone() }
    }

    /// The same for a rendition whose last segment is `last`: from where that ended, if its media broke off before this
    /// begins.
    pub(super) fn as_gap_behind(&self, last: &Segment) -> Segment {
        let end = MediaTime::new(last.start + last.duration, last.scale).to(self.scale);
        let follows = last.period.number == self.period.number && last.number + 1 == self.number;
        let start = if follows { self.start.min(end) } else { self.start };
        let duration = self.duration + self.start - start;
        Segment { start, duration, ..self.as_gap() }
    }

    /// The gap behind it, where nothing is known of what was there up to segment `number`, whose position is `begins`: its
    /// share of the time between.
    pub(super) fn gap_behind(&self, number: u64, begins: i64) -> Segment {
        let missing = i64::try_from(number - self.number - 1).unwrap_or(i64::MAX).max(1);
        let micros = (begins.saturating_sub(self.end_position()) / missing).max(1000);
        let duration = MediaTime::new(micros, Timescale::MICROS).to(self.scale);
        let start = self.start + self.duration;
        Segment { number: self.number + 1, start, duration, ..self.as_gap() }
    }

    /// Bytes of all its parts.
    pub fn len(&self) -> u64 {
        match self.stored() {
            Some(stored) => stored.len,
            None => self.parts().iter().map(|part| part.len).sum(),
        }
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Everything to send, in order; of what is in memory.
    pub fn pieces(&self) -> impl Iterator<Item = &Bytes> {
        self.parts().iter().flat_map(|part| part.pieces())
    }
}

/// The segment that is being made: its finished parts can be fetched already.
#[derive(Clone, PartialEq, Debug)]
pub struct Open {
    /// N.
    pub number: u64,
    /// The timeline it stands on.
    pub period: Arc<Period>,
    /// The initialization segment that its samples need.
    pub init: Arc<Init>,
    /// Its parts so far.
    pub parts: Vec<Arc<Part>>,
}
