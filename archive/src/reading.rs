//! A recording as a presentation: finished or still growing, with segments that are in its files.
//!
//! Numbers, names and bytes are those that were on air. What all renditions lack is not on the timeline: the segments
//! before and behind it stand side by side, with a discontinuity between them that the live stream did not have (a
//! *seam*). What one rendition lacks while others have it is a gap in that one (EXT-X-GAP).
//!
//! Positions in it count what is shown and nothing else, so they have no holes.
//!
//! A seam is a period with the number and anchor of the one it is in, and a discontinuity sequence number of its own,
//! so that the initialization segment's name and wall-clock times stay.

mod aired;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use container::index::Kind;
use container::mp4::parse_init;
use media::{MediaTime, WallTime};
use packager::presentation::{Init, Retention, Span, Stored, StoredFile};
use packager::{Content, Period, Presentation, Record, Rendition, Segment, Session};

use crate::contents::{Contents, Entry, Place, Recorded, SessionFacts, media_kind};
pub use aired::aired;

/// What is asked of a recording.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Whether nothing more comes.
    pub ended: bool,
    /// Whether segments are shown of which only the first parts were saved, under the name that they have then.
    pub partial: bool,
}

/// What is shown of a recording: what it holds, what names it in [`StoredFile`], and which ranges of segment numbers.
pub type Part<'a> = (&'a Contents, &'a Arc<str>, &'a [RangeInclusive<u64>]);

/// What a recording has to show; `None` where there is nothing.
///
/// `store` names the recording in [`StoredFile`].
pub fn presentation(contents: &Contents, store: &Arc<str>, options: Options) -> Option<Presentation> {
    clip(contents, store, options, &[0..=u64::MAX])
}

/// What some ranges of segment numbers have to show, in the order of the recording: a clip of it. Nothing is copied, and
/// between two ranges there is a seam.
pub fn clip(
    contents: &Contents,
    store: &Arc<str>,
    options: Options,
    ranges: &[RangeInclusive<u64>],
) -> Option<Presentation> {
    concatenate(&[(contents, store, ranges)], options)
}

/// The same of several recordings of an entry, one behind the other.
///
/// Numbers count on from one to the next, as they do in an entry; what would go back is left out. Between two recordings
/// there is a seam as well, but where the second goes on exactly where the first ended. A rendition that the second has
/// not has gaps there.
pub fn concatenate(parts: &[Part<'_>], options: Options) -> Option<Presentation> {
    let sessions = parts.iter().flat_map(|(contents, ..)| &contents.sessions);
    let mut presentation = Presentation::new(Arc::new(session(sessions)?), WallTime::default());
    presentation.origin = ORIGIN;
    let mut shown = Shown { last: None, reached: ORIGIN };
    for (contents, store, ranges) in parts {
        let mut reading = Reading::new(contents, store, options, shown);
        reading.read(ranges, &mut presentation);
        reading.facts(&mut presentation);
        shown = reading.shown;
    }
    if options.ended {
        presentation.drop_last_gaps();
        let at = last_wall_time(&presentation);
        presentation.apply(Record::End, at);
    }
    presentation.playable().then_some(presentation)
}

/// The position of the first picture: more than any period lasts, so that one can be shown from its end on.
const ORIGIN: Duration = Duration::from_secs(1 << 30);

struct Reading<'a> {
    contents: &'a Contents,
    options: Options,
    files: Vec<Option<File>>,
    shown: Shown,
    /// Which of the spans of the recording that is in.
    span: Option<u64>,
    /// Whether that is one of parts.
    parts: bool,
}

/// How far what is shown has come.
struct Shown {
    /// The last number, and the period that it stands in.
    last: Option<(u64, Arc<Period>)>,
    /// The position that it reaches to.
    reached: Duration,
}

struct File {
    init: Arc<Init>,
    file: Arc<StoredFile>,
}

impl<'a> Reading<'a> {
    fn new(contents: &'a Contents, store: &Arc<str>, options: Options, shown: Shown) -> Reading<'a> {
        Reading { contents, options, files: files(contents, store), shown, span: None, parts: false }
    }

    fn read(&mut self, ranges: &[RangeInclusive<u64>], presentation: &mut Presentation) {
        let behind = self.shown.last.as_ref().map_or(0, |(last, _)| last + 1);
        let first = ranges.iter().map(|range| *range.start()).min().unwrap_or(u64::MAX).max(behind);
        let last = ranges.iter().map(|range| *range.end()).max().unwrap_or(0);
        let begin = |recorded: &Recorded| recorded.segments.partition_point(|entry| entry.number < first);
        let mut at: Vec<usize> = self.contents.renditions.iter().map(begin).collect();
        while let Some(number) = self.next_number(&at).filter(|&number| number <= last) {
            if ranges.iter().any(|range| range.contains(&number)) {
                self.show(number, &at, presentation);
            }
            for (at, rendition) in at.iter_mut().zip(&self.contents.renditions) {
                *at += usize::from(rendition.segments.get(*at).is_some_and(|entry| entry.number == number));
            }
        }
    }

    fn next_number(&self, at: &[usize]) -> Option<u64> {
        let next = self.contents.renditions.iter().zip(at);
        next.filter_map(|(rendition, &at)| Some(rendition.segments.get(at)?.number)).min()
    }

    /// The segments of one number, if any rendition has media there.
    fn show(&mut self, number: u64, at: &[usize], presentation: &mut Presentation) {
        let shown = self.of_number(number, at);
        let Some((lead, file)) = shown.iter().flatten().next() else { return };
        let lead = (MediaTime::new(lead.start, file.init.track.timescale), lead.duration);
        let Some(period) = self.period(number, file.init.period, lead.0) else { return };
        let length = MediaTime::new(lead.1, lead.0.scale);
        let reached = elapsed_after(&period, lead.0, length);
        let begins = |(entry, file): &(&Entry, &File)| MediaTime::new(entry.start, file.init.track.timescale);
        let start = shown.iter().flatten().map(begins).min().unwrap_or(lead.0);
        let segment = |shown: &Option<(&Entry, &File)>| {
            shown.map_or_else(
                || gap(number, &period, lead),
                |(entry, file)| stored(number, &period, entry, file),
            )
        };
        let segments: Vec<Segment> = shown.iter().map(segment).collect();
        let parts = segments.iter().any(is_partial);
        self.span(number, &period, start, parts, presentation);
        self.add(segments, presentation);
        self.rest(number, || gap(number, &period, lead), presentation);
        self.shown = Shown { last: Some((number, period)), reached };
    }

    /// What a rendition lacks is a gap once it has begun.
    fn add(&self, segments: Vec<Segment>, presentation: &mut Presentation) {
        for (rendition, segment) in self.contents.renditions.iter().zip(segments) {
            let Some(kind) = media_kind(rendition.kind) else { continue };
            if !segment.is_gap() || presentation.rendition(&rendition.name).is_some() {
                presentation.restore(&rendition.name, kind, Arc::new(segment));
            }
        }
    }

    /// Renditions that only an earlier recording has.
    fn rest(&self, number: u64, gap: impl Fn() -> Segment, presentation: &mut Presentation) {
        let behind = |it: &&Arc<Rendition>| it.last().is_some_and(|last| last.number < number);
        let behind = presentation.renditions.iter().filter(behind);
        let behind: Vec<_> = behind.map(|it| (it.name.clone(), it.kind)).collect();
        for (name, kind) in behind {
            presentation.restore(&name, kind, Arc::new(gap()));
        }
    }

    /// What each rendition has of one number.
    fn of_number(&self, number: u64, at: &[usize]) -> Vec<Option<(&Entry, &File)>> {
        let renditions = self.contents.renditions.iter().zip(at);
        let entries = renditions.map(|(rendition, &at)| rendition.segments.get(at));
        entries.map(|entry| self.media(entry.filter(|entry| entry.number == number)?)).collect()
    }

    /// A segment that is shown, with its file.
    fn media<'b>(&'b self, entry: &'b Entry) -> Option<(&'b Entry, &'b File)> {
        match entry.place {
            Place::Stored { file, whole, .. } if whole || self.options.partial => {
                Some((entry, self.files.get(file as usize)?.as_ref()?))
            }
            _ => None,
        }
    }

    /// The period of a segment that is shown: another one than that of the segment before, where there is a seam.
    fn period(&self, number: u64, period: u64, start: MediaTime) -> Option<Arc<Period>> {
        let recorded = self.contents.periods.get(&period)?;
        let elapsed = self.shown.reached.saturating_sub(start.duration().unwrap_or_default());
        let Some((last, before)) = &self.shown.last else {
            return Some(Arc::new(Period { elapsed, ..Period::clone(recorded) }));
        };
        if before.number == period && before.start == recorded.start && last + 1 == number {
            return Some(before.clone());
        }
        // Of a session that is not here periods were counted too.
        let discontinuity = recorded.discontinuity.max(before.discontinuity + 1);
        Some(Arc::new(Period { discontinuity, elapsed, ..Period::clone(recorded) }))
    }

    /// Begins a span where one begins with this segment. What has a name of its own needs one, because in a DASH Period names are made by one pattern.
    fn span(
        &mut self,
        number: u64,
        period: &Arc<Period>,
        start: MediaTime,
        parts: bool,
        presentation: &mut Presentation,
    ) {
        let spans = self.contents.spans.iter().rev();
        let recorded =
            spans.filter(|span| span.period.number == period.number).find(|span| span.first <= number);
        let first = recorded.map(|span| span.first);
        let same = self.shown.last.as_ref().is_some_and(|(_, before)| before == period) && self.span == first;
        if same && !parts && !self.parts {
            return;
        }
        (self.span, self.parts) = (first, parts);
        let start = recorded.filter(|span| span.first == number).map_or(start, |span| span.start);
        let renditions = recorded.map(|span| span.renditions.clone()).unwrap_or_default();
        let span = Span { period: period.clone(), first: number, start, renditions };
        presentation.apply(Record::Span(Arc::new(span)), presentation.published);
    }

    /// What is said of the whole of each rendition.
    fn facts(&self, presentation: &mut Presentation) {
        let at = last_wall_time(presentation);
        for (id, recorded) in (0..).zip(&self.contents.renditions) {
            let (rendition, kind) = (recorded.name.clone(), media_kind(recorded.kind));
            let Some(kind) = kind.filter(|_| presentation.rendition(&rendition).is_some()) else { continue };
            if let Some(frame_rate) = recorded.frame_rate.filter(|_| recorded.kind == Kind::Video) {
                presentation.apply(Record::FrameRate { rendition: rendition.clone(), frame_rate }, at);
            }
            if let Some(bitrate) = recorded.bitrate {
                presentation.apply(Record::Bitrate { rendition: rendition.clone(), kind, bitrate }, at);
            }
            if recorded.kind == Kind::Video {
                let captions = self.contents.captions(id);
                presentation.apply(Record::Captions { rendition, captions }, at);
            }
        }
        if let Some(period) = self.contents.closed {
            presentation.apply(Record::Closed { period, renewed: false }, at);
        }
    }
}

fn last_wall_time(presentation: &Presentation) -> WallTime {
    let ends = presentation.renditions.iter().filter_map(|rendition| rendition.last());
    ends.map(|last| last.wall_time().plus(last.span())).max().unwrap_or_default()
}

fn elapsed_after(period: &Period, start: MediaTime, length: MediaTime) -> Duration {
    let end = MediaTime::new(start.ticks.saturating_add(length.ticks), start.scale);
    period.elapsed.saturating_add(end.duration().unwrap_or_default())
}

fn stored(number: u64, period: &Arc<Period>, entry: &Entry, file: &File) -> Segment {
    let scale = file.init.track.timescale;
    let content = match entry.place {
        Place::Stored { offset, len, checksum, independent, parts, whole, media, .. } => {
            Content::Stored(Stored {
                init: file.init.clone(),
                file: file.file.clone(),
                offset,
                len,
                checksum,
                independent,
                media,
                only: (!whole).then(|| parts.saturating_sub(1)),
            })
        }
        Place::Silence { .. } => Content::Gap,
    };
    Segment { number, period: period.clone(), start: entry.start, duration: entry.duration, scale, content }
}

fn is_partial(segment: &Segment) -> bool {
    segment.stored().is_some_and(|stored| stored.only.is_some())
}

/// As long as the segment beside it.
fn gap(number: u64, period: &Arc<Period>, (start, duration): (MediaTime, i64)) -> Segment {
    let (start, scale) = (start.ticks, start.scale);
    Segment { number, period: period.clone(), start, duration, scale, content: Content::Gap }
}

/// What is fixed for the whole: the newest session's name, and what holds for the segments of all.
fn session<'a>(sessions: impl Iterator<Item = &'a SessionFacts> + Clone) -> Option<Session> {
    let newest = sessions.clone().last()?;
    let longest = sessions.clone().map(|session| session.target_duration).max()?;
    let part_target = sessions.clone().map(|session| session.part_target).max()?;
    let forever =
        Retention { live: Duration::MAX, dvr: Duration::MAX, dvr_bytes: u64::MAX, max_bytes: u64::MAX };
    Some(Session {
        id: newest.id,
        target_duration: longest,
        part_target: Duration::from_micros(part_target),
        window: Duration::MAX,
        retention: forever,
        low_latency: sessions.into_iter().any(|session| session.low_latency),
        burnt: None,
    })
}

/// The files with what their segments have in common. One whose track cannot be read has no segments to show.
fn files(contents: &Contents, store: &Arc<str>) -> Vec<Option<File>> {
    let mut inits: BTreeMap<(u32, u64), Arc<Init>> = BTreeMap::new();
    let of = |file: &crate::contents::MediaFile| {
        let key = (file.rendition, file.period);
        let init = match inits.get(&key) {
            Some(init) if init.bytes == file.init => init.clone(),
            _ => {
                let track = parse_init(&file.init).ok()?;
                let init = Arc::new(Init { period: file.period, track, bytes: file.init.clone() });
                inits.insert(key, init.clone());
                init
            }
        };
        let file = Arc::new(StoredFile { store: store.clone(), name: file.name.as_str().into() });
        Some(File { init, file })
    };
    contents.files.iter().map(of).collect()
}
