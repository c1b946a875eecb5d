//! What a player can ask for at one instant: immutable, shared by reference, folded from the packager's log.
//!
//! A snapshot is cheap to make: a new part copies the handful of fields of one rendition and shares the rest
//! (segments live in a persistent map, O(log n) whatever the window).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use media::{Kind, MediaTime, Timescale, Track, WallTime};
use rpds::RedBlackTreeMapSync;

/// What is fixed from the first playlist of a session to its end, however often the encoder reconnects.
#[derive(Clone, PartialEq, Debug)]
pub struct Session {
    /// Names the session in URLs: the number of its first period, so it grows from session to session.
    pub id: u64,
    /// EXT-X-TARGETDURATION in seconds (RFC 8216bis §4.4.3.1: it must not change).
    pub target_duration: u32,
    /// PART-TARGET (RFC 8216bis §4.4.3.7: it must not change).
    pub part_target: Duration,
    /// How much of the past the live playlists list.
    pub window: Duration,
    /// How much of the past can be fetched.
    pub retention: Retention,
    /// Segment numbers that an unclean end of the process may have shown and nobody can have
    /// (EXT-X-GAP before the first segment).
    pub burnt: Option<u64>,
}

/// How much of the past can be fetched.
#[derive(Clone, PartialEq, Debug)]
pub struct Retention {
    /// At least this much: the window twice and a segment, because a segment that left a playlist stays for its
    /// duration and that of the longest playlist (RFC 8216bis §6.2.2).
    pub live: Duration,
    /// Up to this much while it takes no more than `dvr_bytes`.
    pub dvr: Duration,
    /// Bytes of a rendition for what lies beyond `live`.
    pub dvr_bytes: u64,
    /// Bytes of a rendition that only a broken or hostile publisher reaches; the oldest go whatever `live` says.
    pub max_bytes: u64,
}

impl Retention {
    /// Whether the oldest segment may go, when `span` and `bytes` would be left with it.
    fn lets_go(&self, span: Duration, without: Duration, bytes: u64) -> bool {
        let beyond_live = without >= self.live;
        bytes > self.max_bytes || (beyond_live && (span > self.dvr || bytes > self.dvr_bytes))
    }
}

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

    /// Its parts; none for a gap.
    pub fn parts(&self) -> &[Arc<Part>] {
        match &self.content {
            Content::Media { parts, .. } => parts,
            Content::Gap => &[],
        }
    }

    /// Its initialization segment; none for a gap.
    pub fn init(&self) -> Option<&Arc<Init>> {
        match &self.content {
            Content::Media { init, .. } => Some(init),
            Content::Gap => None,
        }
    }

    /// Whether there is nothing to fetch.
    pub fn is_gap(&self) -> bool {
        self.content == Content::Gap
    }

    /// Whether it begins with a sync sample.
    pub fn independent(&self) -> bool {
        self.parts().first().is_some_and(|part| part.independent)
    }

    /// Bytes of all its parts.
    pub fn len(&self) -> u64 {
        self.parts().iter().map(|part| part.len).sum()
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Everything to send, in order.
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

/// Bits per second as measured over the session.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Bitrate {
    /// The largest of any segment (BANDWIDTH).
    pub peak: u64,
    /// Over everything (AVERAGE-BANDWIDTH).
    pub average: u64,
    bits: u64,
    micros: u64,
}

impl Bitrate {
    fn add(&mut self, bytes: u64, span: MediaTime) {
        let micros = span.micros().max(1) as u64;
        self.bits = self.bits.saturating_add(bytes * 8);
        self.micros = self.micros.saturating_add(micros);
        let rate = |bits: u64, micros: u64| {
            u64::try_from(u128::from(bits) * 1_000_000 / u128::from(micros.max(1))).unwrap_or(u64::MAX)
        };
        // A sliver at the end of a period says nothing about the rate (RFC 8216bis §4.4.6.2 measures over
        // 0.5 to 1.5 target durations).
        if micros >= 500_000 || self.peak == 0 {
            self.peak = self.peak.max(rate(bytes * 8, micros));
        }
        self.average = rate(self.bits, self.micros);
    }
}

/// A track with its segments, at one quality or language.
#[derive(Clone, PartialEq, Debug)]
pub struct Rendition {
    /// Its name in URLs, `video-1`, stable for the life of the entry.
    pub name: Arc<str>,
    /// What it carries.
    pub kind: Kind,
    /// What is fixed for the session.
    pub session: Arc<Session>,
    /// Everything that can be fetched, by number.
    pub segments: RedBlackTreeMapSync<u64, Arc<Segment>>,
    /// The segment being made.
    pub open: Option<Open>,
    /// Whether every segment of the session began with a sync sample (EXT-X-INDEPENDENT-SEGMENTS).
    pub independent: bool,
    /// Measured rates.
    pub bitrate: Bitrate,
    /// Frames per second as measured over the first segment of the latest period; video only.
    pub frame_rate: Option<FrameRate>,
    /// Whether the session is over: no segment will follow.
    pub ended: bool,
    held: Duration,
    held_bytes: u64,
}

/// Frames per second as a fraction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrameRate {
    /// Numerator.
    pub frames: u32,
    /// Denominator, in seconds.
    pub per: u32,
}

impl FrameRate {
    /// The customary rate nearest to `frames` in `micros`, or what was measured where none is near.
    pub fn nearest(frames: usize, micros: i64) -> Option<FrameRate> {
        const CUSTOMARY: [(u32, u32); 12] = [
            (24_000, 1001),
            (24, 1),
            (25, 1),
            (30_000, 1001),
            (30, 1),
            (50, 1),
            (60_000, 1001),
            (60, 1),
            (100, 1),
            (120, 1),
            (15, 1),
            (10, 1),
        ];
        let measured = frames as f64 * 1e6 / micros as f64;
        if micros < 100_000 || !measured.is_finite() || measured <= 0.0 {
            return None;
        }
        let off = |&(frames, per): &(u32, u32)| (f64::from(frames) / f64::from(per) / measured - 1.0).abs();
        let nearest = CUSTOMARY.into_iter().min_by(|a, b| off(a).total_cmp(&off(b)))?;
        let (frames, per) =
            if off(&nearest) < 0.005 { nearest } else { ((measured * 1000.0).round() as u32, 1000) };
        Some(FrameRate { frames, per })
    }

    /// As a decimal, frames per second.
    pub fn per_second(self) -> f64 {
        f64::from(self.frames) / f64::from(self.per)
    }
}

/// What a number asks for.
#[derive(Clone, PartialEq, Debug)]
pub enum Lookup<'a, T> {
    /// It is there.
    Found(&'a T),
    /// It may come (404, cached for a moment).
    NotYet,
    /// It was there, or was burnt, and never comes again (410).
    Gone,
}

impl Rendition {
    fn new(name: Arc<str>, kind: Kind, session: Arc<Session>) -> Rendition {
        Rendition {
            name,
            kind,
            session,
            segments: RedBlackTreeMapSync::new_sync(),
            open: None,
            independent: true,
            bitrate: Bitrate::default(),
            frame_rate: None,
            ended: false,
            held: Duration::ZERO,
            held_bytes: 0,
        }
    }

    /// The newest finished segment.
    pub fn last(&self) -> Option<&Arc<Segment>> {
        self.segments.last().map(|(_, segment)| segment)
    }

    /// Whether newcomers should be told of it: it has a segment, and is not off at the edge. A lone gap in the
    /// last segment of a period is no death.
    pub fn alive(&self) -> bool {
        let newest = if self.ended { usize::MAX } else { 2 };
        self.segments.values().rev().take(newest).any(|segment| !segment.is_gap())
    }

    /// The newest initialization segment.
    pub fn init(&self) -> Option<&Arc<Init>> {
        match &self.open {
            Some(open) => Some(&open.init),
            None => self.segments.values().rev().find_map(|segment| segment.init()),
        }
    }

    /// Segment `number`.
    pub fn segment(&self, number: u64) -> Lookup<'_, Arc<Segment>> {
        match self.segments.get(&number) {
            Some(segment) if !segment.is_gap() => Lookup::Found(segment),
            Some(_) => Lookup::Gone,
            None if self.last().is_some_and(|last| number < last.number) || self.ended => Lookup::Gone,
            None => Lookup::NotYet,
        }
    }

    /// Part `index` of segment `number`, finished or not.
    pub fn part(&self, number: u64, index: u32) -> Lookup<'_, Arc<Part>> {
        if let Some(open) = self.open.as_ref().filter(|open| open.number == number) {
            return open.parts.get(index as usize).map_or(Lookup::NotYet, Lookup::Found);
        }
        match self.segment(number) {
            Lookup::Found(segment) => segment.parts().get(index as usize).map_or(Lookup::Gone, Lookup::Found),
            Lookup::NotYet => Lookup::NotYet,
            Lookup::Gone => Lookup::Gone,
        }
    }

    /// The initialization segment of period `number`.
    pub fn init_of(&self, number: u64) -> Option<&Arc<Init>> {
        let open = self.open.as_ref().map(|open| &open.init);
        open.into_iter()
            .chain(self.segments.values().rev().filter_map(|segment| segment.init()))
            .find(|init| init.period == number)
    }

    /// The segments that a live playlist lists: the newest whose durations make up the session's window.
    ///
    /// The first of them never goes back, because a longer tail only ever lets older ones go.
    pub fn window(&self) -> impl Iterator<Item = &Arc<Segment>> {
        let mut listed = Duration::ZERO;
        let first = self
            .segments
            .values()
            .rev()
            .find(|segment| {
                listed += segment.span().duration().unwrap_or_default();
                listed >= self.session.window
            })
            .map_or(0, |segment| segment.number);
        self.segments.range(first..).map(|(_, segment)| segment)
    }

    fn append(&mut self, segment: Arc<Segment>) {
        if let Content::Media { .. } = segment.content {
            self.bitrate.add(segment.len(), segment.span());
            self.independent &= segment.independent();
        }
        self.open = None;
        self.held += segment.span().duration().unwrap_or_default();
        self.held_bytes += segment.len();
        self.segments.insert_mut(segment.number, segment);
        while let Some((&number, oldest)) = self.segments.first() {
            let without = self.held.saturating_sub(oldest.span().duration().unwrap_or_default());
            if self.segments.size() <= 1
                || !self.session.retention.lets_go(self.held, without, self.held_bytes)
            {
                break;
            }
            self.held = without;
            self.held_bytes -= oldest.len();
            self.segments.remove_mut(&number);
        }
    }
}

/// Everything a player needs, at one instant.
#[derive(Clone, PartialEq, Debug)]
pub struct Presentation {
    /// What is fixed for the session.
    pub session: Arc<Session>,
    /// In order of first appearance.
    pub renditions: Vec<Arc<Rendition>>,
    /// Wall time of the newest record; rises with each (DASH `publishTime`).
    pub published: WallTime,
    /// The stretches of the timeline in which the same renditions go together, oldest first: a DASH Period each.
    pub spans: Vec<Arc<Span>>,
    /// The newest period in which nothing more comes.
    pub closed: Option<u64>,
    /// Whether the session is over.
    pub ended: bool,
}

/// A stretch of a period in which the same renditions go together.
#[derive(Clone, PartialEq, Debug)]
pub struct Span {
    /// The timeline it stands on.
    pub period: Arc<Period>,
    /// Number of its first segment.
    pub first: u64,
    /// Where that begins in the period.
    pub start: MediaTime,
}

/// One thing the packager made. The log of them is ordered; a [`Presentation`] is its fold, here or elsewhere.
#[derive(Clone, PartialEq, Debug)]
pub enum Record {
    /// A part of the open segment `number`; the first one opens it.
    Part {
        /// Which rendition.
        rendition: Arc<str>,
        /// N.
        number: u64,
        /// The timeline.
        period: Arc<Period>,
        /// The initialization segment that it needs.
        init: Arc<Init>,
        /// The part.
        part: Arc<Part>,
    },
    /// A finished segment, with or without media.
    Segment {
        /// Which rendition.
        rendition: Arc<str>,
        /// What it carries.
        kind: Kind,
        /// The segment.
        segment: Arc<Segment>,
    },
    /// The measured frame rate of a rendition.
    FrameRate {
        /// Which rendition.
        rendition: Arc<str>,
        /// Frames per second.
        frame_rate: FrameRate,
    },
    /// From here on another set of renditions goes together.
    Span(Arc<Span>),
    /// A period got no successor yet and nothing more comes in it.
    Closed {
        /// P.
        period: u64,
    },
    /// The session is over.
    End,
}

impl Presentation {
    /// An empty presentation of a session.
    pub fn new(session: Arc<Session>, published: WallTime) -> Presentation {
        Presentation {
            session,
            renditions: Vec::new(),
            published,
            spans: Vec::new(),
            closed: None,
            ended: false,
        }
    }

    /// The rendition of that name.
    pub fn rendition(&self, name: &str) -> Option<&Arc<Rendition>> {
        self.renditions.iter().find(|rendition| &*rendition.name == name)
    }

    /// Whether every rendition that lives has a segment to show.
    pub fn playable(&self) -> bool {
        self.renditions.iter().any(|rendition| !rendition.segments.is_empty())
    }

    /// Takes one more record of the log.
    pub fn apply(&mut self, record: Record, at: WallTime) {
        // publishTime must rise even when the wall clock steps back.
        self.published = at.max(WallTime::from_millis(self.published.micros() / 1000 + 1));
        match record {
            Record::Part { rendition, number, period, init, part } => {
                let rendition = self.entry(&rendition, init.track.kind());
                match &mut rendition.open {
                    Some(open) if open.number == number => open.parts.push(part),
                    open => *open = Some(Open { number, period, init, parts: vec![part] }),
                }
            }
            Record::Segment { rendition, kind, segment } => {
                self.entry(&rendition, kind).append(segment);
                self.forget_spans();
            }
            Record::Span(span) => self.spans.push(span),
            Record::Closed { period } => self.closed = Some(period),
            Record::FrameRate { rendition, frame_rate } => {
                self.entry(&rendition, Kind::Video).frame_rate = Some(frame_rate);
            }
            Record::End => {
                self.ended = true;
                for rendition in &mut self.renditions {
                    let rendition = Arc::make_mut(rendition);
                    rendition.ended = true;
                    rendition.open = None;
                }
            }
        }
    }

    /// Lets go of spans that end before everything that can be fetched.
    fn forget_spans(&mut self) {
        let oldest = self.renditions.iter().filter_map(|r| r.segments.first()).map(|(&n, _)| n).min();
        while let (Some(oldest), [_, second, ..]) = (oldest, &self.spans[..])
            && second.first <= oldest
        {
            self.spans.remove(0);
        }
    }

    fn entry(&mut self, name: &Arc<str>, kind: Kind) -> &mut Rendition {
        let at = match self.renditions.iter().position(|rendition| rendition.name == *name) {
            Some(at) => at,
            None => {
                let rendition = Rendition::new(name.clone(), kind, self.session.clone());
                self.renditions.push(Arc::new(rendition));
                self.renditions.len() - 1
            }
        };
        Arc::make_mut(&mut self.renditions[at])
    }
}
