//! What a player can ask for at one instant: immutable, shared by reference, folded from the packager's log.
//!
//! A snapshot is cheap to make: a new part copies the handful of fields of one rendition and shares the rest
//! (segments live in a persistent map, O(log n) whatever the window).

mod hold;
mod rendition;
mod segment;
mod slice;
mod stored;

use std::sync::Arc;
use std::time::Duration;

use media::{Captions, Kind, MediaTime, WallTime};

use crate::packager::LONGEST_HOLE;

pub use rendition::{Bitrate, FrameRate, Lookup, Rendition};
pub use segment::{Content, Init, Open, Part, Period, Segment};
pub use slice::{Bounds, Cutter, Slice};
pub use stored::{Stored, StoredFile};

/// What is fixed from the first playlist of a session to its end, however often the encoder reconnects.
#[derive(Clone, PartialEq, Debug)]
pub struct Session {
    /// Names the session in URLs: the number of its first period, so it grows from session to session.
    pub id: u64,
    /// EXT-X-TARGETDURATION in seconds (RFC 8216bis §4.4.3.1: it must not change).
    pub target_duration: u32,
    /// PART-TARGET (RFC 8216bis §4.4.3.7: it must not change).
    pub part_target: Duration,
    /// Whether what is not a whole segment yet is shown to players at all.
    pub low_latency: bool,
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
    /// Up to this much, as far as it is in storage or takes no more than `dvr_bytes`.
    pub dvr: Duration,
    /// Bytes in memory of a rendition for what lies beyond `live`.
    pub dvr_bytes: u64,
    /// Bytes in memory of a rendition that only a broken or hostile publisher reaches; the oldest go whatever `live`
    /// says.
    pub max_bytes: u64,
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
    /// Whether the period after that one begins where it ends.
    pub renewed: bool,
    /// Whether the session is over.
    pub ended: bool,
    /// How long the session had gone on where this begins; zero but in a [`Slice`].
    pub origin: Duration,
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
    /// The renditions that go together, whether there is anything of them yet or not.
    pub renditions: Vec<(Kind, Arc<str>)>,
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
    /// Captions that the pictures of a rendition carry.
    Captions {
        /// Which rendition.
        rendition: Arc<str>,
        /// All that its period carried so far.
        captions: Captions,
    },
    /// By which bitrate Smooth URLs name a rendition, before its first segment.
    Bitrate {
        /// Which rendition.
        rendition: Arc<str>,
        /// What it carries.
        kind: Kind,
        /// Bits per second.
        bitrate: u32,
    },
    /// From here on another set of renditions goes together.
    Span(Arc<Span>),
    /// A period got no successor yet and nothing more comes in it.
    Closed {
        /// P.
        period: u64,
        /// Whether the next begins where it ends, with what is here already.
        renewed: bool,
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
            renewed: false,
            ended: false,
            origin: Duration::ZERO,
        }
    }

    /// What renditions lack at the end of the newest period, once it is closed, as gaps: they are not listed before
    /// something follows.
    pub fn silence_at_close<'a>(&'a self) -> impl Iterator<Item = (&'a Rendition, Segment)> {
        let span = self.spans.last().filter(|span| self.closed == Some(span.period.number));
        let of_span = |name| span.is_some_and(|span| span.renditions.iter().any(|(_, other)| other == name));
        let going: Vec<&'a Rendition> =
            self.renditions.iter().filter(|it| of_span(&it.name)).map(|it| &**it).collect();
        let number = |rendition: &&Rendition| rendition.last().map(|last| last.number);
        let longest = going.iter().copied().max_by_key(number);
        let lacks = move |rendition: &'a Rendition| {
            let behind = rendition.last().zip(longest).map(|(last, longest)| {
                longest
                    .shown_from(last.number + 1)
                    .map(move |segment| (rendition, segment.as_gap_behind(last)))
            });
            behind.into_iter().flatten()
        };
        going.into_iter().flat_map(lacks)
    }

    /// The rendition of that name.
    pub fn rendition(&self, name: &str) -> Option<&Arc<Rendition>> {
        self.renditions.iter().find(|rendition| &*rendition.name == name)
    }

    /// Whether every rendition that lives has a segment to show.
    pub fn playable(&self) -> bool {
        self.renditions.iter().any(|rendition| rendition.last().is_some())
    }

    /// Takes one more record of the log.
    pub fn apply(&mut self, record: Record, at: WallTime) {
        // publishTime must rise even when the wall clock steps back.
        self.published = at.max(WallTime::from_millis(self.published.micros() / 1000 + 1));
        match record {
            Record::Part { rendition, number, period, init, part } => {
                let start = MediaTime::new(part.start, init.track.timescale);
                self.bridge(&rendition, number, period.position(start), self.session.burnt.unwrap_or(0));
                let rendition = self.entry(&rendition, init.track.kind());
                match &mut rendition.open {
                    Some(open) if open.number == number => open.parts.push(part),
                    open => *open = Some(Open { number, period, init, parts: vec![part] }),
                }
            }
            Record::Segment { rendition, kind, segment } => {
                self.go_on(&rendition, kind, segment, self.session.burnt.unwrap_or(0));
            }
            Record::Span(span) => {
                // One that begins where the last one does says better what goes together there.
                self.spans.pop_if(|last| last.first == span.first);
                self.spans.push(span);
            }
            Record::Closed { period, renewed } => (self.closed, self.renewed) = (Some(period), renewed),
            Record::FrameRate { rendition, frame_rate } => {
                self.entry(&rendition, Kind::Video).frame_rate = Some(frame_rate);
            }
            Record::Captions { rendition, captions } => {
                let rendition = self.entry(&rendition, Kind::Video);
                rendition.captions = rendition.captions.and(captions);
            }
            Record::Bitrate { rendition, kind, bitrate } => {
                self.entry(&rendition, kind).named_bitrate = Some(bitrate);
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

    /// Adds a segment of a recording. What lies between it and the last one is not on the timeline.
    pub fn restore(&mut self, rendition: &Arc<str>, kind: Kind, segment: Arc<Segment>) {
        let rendition = self.entry(rendition, kind);
        let segment = match rendition.last().filter(|_| segment.is_gap()) {
            Some(last) => Arc::new(segment.as_gap_behind(last)),
            None => segment,
        };
        rendition.append(segment);
    }

    /// The next segment of a rendition. Numbers up to `nowhere` that nobody has are gaps.
    pub(crate) fn go_on(&mut self, rendition: &Arc<str>, kind: Kind, segment: Arc<Segment>, nowhere: u64) {
        let nowhere = self.bridge(rendition, segment.number, segment.position(), nowhere);
        let lost = self.entry(rendition, kind).append(segment);
        self.forget_spans();
        self.split(lost);
        self.split(nowhere);
    }

    /// Lets renditions that lack the newest segment alone end with their last media, as if they had not gone on.
    pub(crate) fn drop_gap_at_edge(&mut self) {
        for rendition in &mut self.renditions {
            let mut newest = rendition.shown().rev().take(2).map(|it| it.is_gap());
            if newest.next() == Some(true) && newest.next() == Some(false) {
                drop(newest);
                Arc::make_mut(rendition).drop_last_gaps();
            }
        }
    }

    /// Lets renditions of a recording end with their last media: there are players that wait for ever for what an
    /// EXT-X-GAP at the very end stands for.
    pub fn drop_last_gaps(&mut self) {
        self.renditions.iter_mut().for_each(|rendition| Arc::make_mut(rendition).drop_last_gaps());
    }

    /// A rendition that was not there for a while lists gaps for what the others made meanwhile, or what is nowhere: numbers
    /// count on in a playlist (RFC 8216bis §4.4.3.2). Where nobody has that any more, what is older goes too. `begins` is
    /// the position of what comes next. Gives the last number of what is nowhere.
    fn bridge(&mut self, name: &str, number: u64, begins: i64, nowhere: u64) -> Option<u64> {
        let at = self.renditions.iter().position(|rendition| &*rendition.name == name)?;
        let last = self.renditions[at].last().map(|last| last.number).filter(|last| last + 1 < number)?;
        let of = |number| self.renditions.iter().find_map(|other| other.segments.get(&number));
        let nowhere = |number: &u64| *number <= nowhere && *number - last <= LONGEST_HOLE;
        let missing = (last + 1..number).rev().map_while(|number| match of(number) {
            Some(segment) => Some(Some(segment.clone())),
            None => nowhere(&number).then_some(None),
        });
        let missing: Vec<Option<Arc<Segment>>> = missing.collect();
        let rendition = Arc::make_mut(&mut self.renditions[at]);
        if (missing.len() as u64) < number - last - 1 {
            rendition.clear();
            return None;
        }
        let made_up = missing.iter().position(|gap| gap.is_none()).map(|back| number - 1 - back as u64);
        let mut lost = None;
        for others in missing.into_iter().rev() {
            let last = rendition.last()?;
            let gap =
                others.map_or_else(|| last.gap_behind(number, begins), |others| others.as_gap_behind(last));
            lost = rendition.append(Arc::new(gap)).or(lost);
        }
        self.split(lost);
        made_up
    }

    /// Lets go of spans that end before everything that can be fetched. What a rendition holds that died before all
    /// that would never go by itself.
    fn forget_spans(&mut self) {
        let last = |rendition: &Arc<Rendition>| rendition.last().map(|last| last.number);
        let Some(newest) = self.renditions.iter().filter_map(last).max() else { return };
        // One that has only begun says nothing about how long the others have gone on.
        let goes_on = |rendition: &&Arc<Rendition>| last(rendition).is_some_and(|last| last + 2 >= newest);
        let leader = self.renditions.iter().filter(goes_on).filter_map(|rendition| rendition.oldest()).min();
        let Some(leader) = leader else { return };
        let mut oldest = leader;
        for rendition in &mut self.renditions {
            match rendition.last().map(|last| last.number) {
                Some(last) if last < leader && rendition.segments.size() > 1 => {
                    Arc::make_mut(rendition).forget();
                }
                Some(last) if last < leader => {}
                _ => oldest = oldest.min(rendition.oldest().unwrap_or(oldest)),
            }
        }
        while let [_, second, ..] = &self.spans[..]
            && second.first <= oldest
        {
            self.spans.remove(0);
        }
    }

    /// Segment `lost` cannot be had any more, in the middle of what can: what follows is a span of its own, because in a
    /// DASH Period numbers count on.
    fn split(&mut self, lost: Option<u64>) {
        let Some(next) = lost.map(|lost| lost + 1) else { return };
        let Some(at) = self.spans.iter().rposition(|span| span.first < next) else { return };
        let span = self.spans[at].clone();
        let behind = self.renditions.iter().filter_map(|rendition| rendition.segments.get(&next));
        let behind = behind.filter(|segment| segment.period.number == span.period.number);
        let Some(start) = behind.map(|segment| segment.start_time()).min() else { return };
        if self.spans.get(at + 1).is_none_or(|span| span.first != next) {
            self.spans.insert(at + 1, Arc::new(Span { first: next, start, ..Span::clone(&span) }));
        }
        for at in (1..=at).rev().take_while(|&at| self.is_hole(at, next)).collect::<Vec<_>>() {
            self.spans.remove(at);
        }
    }

    /// Whether a span was split off behind a hole, and the hole goes on up to `end`.
    fn is_hole(&self, at: usize, end: u64) -> bool {
        let (before, span) = (&self.spans[at - 1], &self.spans[at]);
        let mut held = self.renditions.iter().flat_map(|it| it.segments.range(span.first..end));
        let goes_on = before.period == span.period && before.renditions == span.renditions;
        goes_on && held.all(|(_, segment)| segment.is_gap())
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
