//! What a recording holds: the fold of its index.

mod plausible;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use container::index::{Kind, Reason, Record};
use media::{Captions, MediaTime, Timescale, WallTime};
use packager::presentation::{FrameRate, Period, Span};

use crate::layout::MediaName;
use plausible::is_plausible;
pub(crate) use write::names;

/// What a recording holds.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Contents {
    /// The boot of the machine in which it was written last.
    pub boot: Option<String>,
    /// In the order in which they were on.
    pub sessions: Vec<SessionFacts>,
    /// By P.
    pub periods: BTreeMap<u64, Arc<Period>>,
    /// Oldest first.
    pub spans: Vec<Arc<Span>>,
    /// The newest period in which nothing more comes.
    pub closed: Option<u64>,
    /// By their number in the index.
    pub renditions: Vec<Recorded>,
    /// By their number in the index.
    pub files: Vec<MediaFile>,
    /// Other facts, by rendition and name.
    pub facts: BTreeMap<(Option<u32>, String), Vec<u8>>,
    /// Parts that the index does not know to be safe.
    pub unsynced: Vec<PartPlace>,
}

/// What is fixed for a session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionFacts {
    /// The number of its first period.
    pub id: u64,
    /// EXT-X-TARGETDURATION, seconds.
    pub target_duration: u32,
    /// PART-TARGET, microseconds.
    pub part_target: u64,
    /// Whether its playlists had parts.
    pub low_latency: bool,
    /// Segment numbers that were burnt.
    pub burnt: Vec<u64>,
    /// Whether it is over.
    pub ended: bool,
}

/// A rendition of a recording.
#[derive(Clone, PartialEq, Debug)]
pub struct Recorded {
    /// Its name in URLs.
    pub name: Arc<str>,
    /// What it carries.
    pub kind: Kind,
    /// As measured.
    pub frame_rate: Option<FrameRate>,
    /// By which bitrate Smooth URLs name it.
    pub bitrate: Option<u32>,
    /// By number, growing.
    pub segments: Vec<Entry>,
    /// What was on air and is not here.
    pub gaps: Vec<Gap>,
    /// Parts of a segment that has no end yet.
    pub open: Vec<PartPlace>,
}

/// A file of media.
#[derive(Clone, PartialEq, Debug)]
pub struct MediaFile {
    /// Which rendition.
    pub rendition: u32,
    /// P.
    pub period: u64,
    /// N of its first segment.
    pub first: u64,
    /// The initialization segment with which it begins.
    pub init: Bytes,
    /// What it is called.
    pub name: String,
}

/// A segment of a recording.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Entry {
    /// N.
    pub number: u64,
    /// Ticks.
    pub start: i64,
    /// Ticks.
    pub duration: i64,
    /// Its bytes, if it had any.
    pub place: Place,
}

/// Where a segment is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Place {
    /// In a file.
    Stored {
        /// Which.
        file: u32,
        /// Where in it.
        offset: u64,
        /// Bytes.
        len: u64,
        /// CRC-32 of them.
        checksum: u32,
        /// Whether it begins with a sync sample.
        independent: bool,
        /// Of how many parts it is.
        parts: u32,
        /// Whether these are all that it had on air.
        whole: bool,
        /// Ticks of all its samples.
        media: i64,
    },
    /// It had no media on air either.
    Silence {
        /// P.
        period: u64,
        /// Ticks per second.
        timescale: Timescale,
    },
}

/// A part in its file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PartPlace {
    /// Which file.
    pub file: u32,
    /// N.
    pub number: u64,
    /// K.
    pub index: u32,
    /// Where in the file.
    pub offset: u64,
    /// Bytes.
    pub len: u64,
    /// Ticks.
    pub start: i64,
    /// Ticks.
    pub duration: i64,
    /// Whether it begins with a sync sample.
    pub independent: bool,
    /// CRC-32 of its bytes.
    pub checksum: u32,
}

impl PartPlace {
    /// Where it ends in its file.
    pub fn end(&self) -> u64 {
        self.offset.saturating_add(self.len)
    }
}

/// Segments that were on air and are not here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gap {
    /// N of the first.
    pub first: u64,
    /// N of the last.
    pub last: u64,
    /// Why.
    pub reason: Reason,
    /// The same in words.
    pub note: String,
}

/// The fact of a rendition that says which captions its pictures carry.
pub(crate) const CAPTIONS: &str = "captions";

/// The fact that says with which segment a session begins.
pub(crate) fn begins(session: u64) -> String {
    format!("session.{session}")
}

impl Contents {
    /// N of the first segment of a session; `None` where there is none of it.
    pub fn first_of(&self, session: u64) -> Option<u64> {
        let value = self.facts.get(&(None, begins(session)))?;
        Some(u64::from_le_bytes(value.as_slice().try_into().ok()?))
    }

    /// Captions that the pictures of a rendition carry.
    pub fn captions(&self, rendition: u32) -> Captions {
        let fact = self.facts.get(&(Some(rendition), CAPTIONS.to_owned()));
        fact.and_then(|value| Captions::from_bytes(value)).unwrap_or_default()
    }

    /// Takes the next record of the index. What refers to something unknown, because damage took that away, is left
    /// out: it is found again in the media.
    pub fn take(&mut self, record: Record) {
        if !is_plausible(&record) {
            return;
        }
        match record {
            Record::Opened { boot, .. } => self.boot = boot,
            Record::Session { id, target_duration, part_target, burnt, low_latency } => {
                let (burnt, ended) = (burnt.into_iter().collect(), false);
                self.session(SessionFacts { id, target_duration, part_target, low_latency, burnt, ended });
            }
            Record::Period { number, discontinuity, start, elapsed } => {
                let (start, elapsed) = (WallTime::from_micros(start), Duration::from_micros(elapsed));
                self.periods.insert(number, Arc::new(Period { number, discontinuity, start, elapsed }));
            }
            Record::Span { period, first, start, timescale, renditions } => {
                self.span(period, first, start, timescale, renditions);
            }
            Record::Rendition { id, name, kind } => self.rendition(id, name, kind),
            Record::File { id, rendition, period, first, init } => {
                self.file(id, rendition, period, first, init.into());
            }
            Record::Closed { period } => self.closed = self.closed.max(Some(period)),
            Record::End { session } => {
                self.sessions.iter_mut().filter(|it| it.id == session).for_each(|it| it.ended = true);
            }
            Record::Synced => self.unsynced.clear(),
            Record::Fact { rendition, name, value } => {
                self.facts.insert((rendition, name), value);
            }
            of_rendition => self.take_of_rendition(of_rendition),
        }
    }

    fn take_of_rendition(&mut self, record: Record) {
        match record {
            Record::FrameRate { rendition, frames, per } => {
                self.with(rendition, |it| it.frame_rate = Some(FrameRate { frames, per }));
            }
            Record::Bitrate { rendition, bits } => self.with(rendition, |it| it.bitrate = Some(bits)),
            Record::Gap { rendition, first, last, reason, note } => {
                self.with(rendition, |it| it.gap(Gap { first, last, reason, note }));
            }
            Record::Silence { rendition, number, period, start, duration, timescale } => {
                let Some(timescale) = Timescale::new(timescale) else { return };
                let place = Place::Silence { period, timescale };
                self.with(rendition, |it| it.insert(Entry { number, start, duration, place }));
            }
            Record::Part { file, number, index, offset, len, start, duration, independent, checksum } => {
                self.part(PartPlace {
                    file,
                    number,
                    index,
                    offset,
                    len,
                    start,
                    duration,
                    independent,
                    checksum,
                });
            }
            Record::Segment {
                file,
                number,
                offset,
                len,
                start,
                duration,
                independent,
                checksum,
                parts,
                whole,
                media,
            } => {
                let place = Place::Stored { file, offset, len, checksum, independent, parts, whole, media };
                if let Some(rendition) = self.rendition_of(file) {
                    self.with(rendition, |it| it.insert(Entry { number, start, duration, place }));
                }
            }
            _ => {}
        }
    }

    /// The rendition whose media a file has.
    pub fn rendition_of(&self, file: u32) -> Option<u32> {
        self.files.get(file as usize).map(|file| file.rendition)
    }

    /// The number of a rendition.
    pub fn rendition_id(&self, name: &str) -> Option<u32> {
        self.renditions.iter().position(|it| &*it.name == name).map(|at| at as u32)
    }

    /// Where the media ends that is known of a file.
    pub fn end_of(&self, file: u32) -> u64 {
        let Some(about) = self.files.get(file as usize) else { return 0 };
        let rendition = self.renditions.get(about.rendition as usize);
        let stored = rendition.into_iter().flat_map(|it| it.segments.iter().rev()).find_map(|entry| {
            match entry.place {
                Place::Stored { file: of, offset, len, .. } if of == file => Some(offset.saturating_add(len)),
                _ => None,
            }
        });
        let open = rendition.into_iter().flat_map(|it| &it.open).filter(|part| part.file == file);
        let open = open.map(PartPlace::end).max();
        stored.max(open).unwrap_or(0).max(about.init.len() as u64)
    }

    fn with(&mut self, rendition: u32, change: impl FnOnce(&mut Recorded)) {
        if let Some(rendition) = self.renditions.get_mut(rendition as usize) {
            change(rendition);
        }
    }

    fn session(&mut self, facts: SessionFacts) {
        match self.sessions.iter_mut().find(|session| session.id == facts.id) {
            Some(session) => session.burnt.extend(facts.burnt),
            None => self.sessions.push(facts),
        }
    }

    fn span(&mut self, period: u64, first: u64, start: i64, timescale: u32, renditions: Vec<(Kind, String)>) {
        if let (Some(period), Some(scale)) = (self.periods.get(&period), Timescale::new(timescale)) {
            let start = MediaTime::new(start, scale);
            let known = |(kind, name)| Some((media_kind(kind)?, Arc::from(name)));
            let renditions = renditions.into_iter().filter_map(known).collect();
            self.spans.push(Arc::new(Span { period: period.clone(), first, start, renditions }));
        }
    }

    fn rendition(&mut self, id: u32, name: String, kind: Kind) {
        if id as usize == self.renditions.len() {
            self.renditions.push(Recorded {
                name: name.into(),
                kind,
                frame_rate: None,
                bitrate: None,
                segments: Vec::new(),
                gaps: Vec::new(),
                open: Vec::new(),
            });
        }
    }

    fn file(&mut self, id: u32, rendition: u32, period: u64, first: u64, init: Bytes) {
        let Some(about) = self.renditions.get(rendition as usize) else { return };
        if id as usize == self.files.len() {
            let name = MediaName { rendition: about.name.to_string(), period, first }.to_string();
            self.files.push(MediaFile { rendition, period, first, init, name });
        }
    }

    fn part(&mut self, part: PartPlace) {
        let Some(rendition) = self.rendition_of(part.file) else { return };
        self.unsynced.push(part);
        self.with(rendition, |it| it.part(part));
    }
}

impl Recorded {
    fn part(&mut self, part: PartPlace) {
        if self.open.last().is_some_and(|last| last.number != part.number || last.file != part.file) {
            self.open.clear();
        }
        self.open.push(part);
    }

    fn insert(&mut self, entry: Entry) {
        self.open.clear();
        match self.segments.last() {
            Some(last) if last.number >= entry.number => {
                match self.segments.binary_search_by_key(&entry.number, |it| it.number) {
                    Ok(at) => self.segments[at] = entry,
                    Err(at) => self.segments.insert(at, entry),
                }
            }
            _ => self.segments.push(entry),
        }
    }

    /// A later word on segments that the index had.
    fn gap(&mut self, gap: Gap) {
        let within = |number: u64| (gap.first..=gap.last).contains(&number);
        if self.open.first().is_some_and(|open| within(open.number)) {
            self.open.clear();
        }
        if self.segments.last().is_some_and(|last| last.number >= gap.first) {
            self.segments.retain(|entry| !within(entry.number));
        }
        self.gaps.push(gap);
    }
}

/// The kind of an index for one of a track.
pub fn index_kind(kind: media::Kind) -> Kind {
    match kind {
        media::Kind::Video => Kind::Video,
        media::Kind::Audio => Kind::Audio,
    }
}

/// The kind of a track for one of an index; `None` for what no track here carries yet.
pub fn media_kind(kind: Kind) -> Option<media::Kind> {
    match kind {
        Kind::Video => Some(media::Kind::Video),
        Kind::Audio => Some(media::Kind::Audio),
        Kind::Text => None,
    }
}
