//! A session as it was on air: what a stream goes on with that is taken up after a restart.
//!
//! Periods have their own discontinuity numbers, anchors and positions. What all renditions lack is not there, and nothing
//! stands for it: who goes on with the session knows which numbers may have been seen.

use std::sync::Arc;
use std::time::Duration;

use container::index::Kind;
use media::WallTime;
use packager::presentation::{Retention, Span};
use packager::{Content, Presentation, Record, Segment, Session};

use super::{File, files, stored};
use crate::contents::{Contents, Entry, Place, SessionFacts, media_kind};

/// What recordings of an entry, oldest first, have of the session whose first period is `session`: whole segments alone,
/// because the number of one that was being made has come to nothing. `None` where there is nothing.
///
/// The name of each recording is what names it in [`StoredFile`](packager::presentation::StoredFile).
pub fn aired(recordings: &[(&Contents, &Arc<str>)], session: u64) -> Option<Presentation> {
    let newest = recordings.iter().rev().find_map(|(contents, _)| contents.sessions.last())?;
    let session_facts = Arc::new(facts(session, newest));
    let mut presentation = Presentation::new(session_facts, WallTime::default());
    for (contents, store) in recordings {
        Aired { contents, files: files(contents, store), session }.read(&mut presentation);
    }
    begin(&mut presentation);
    presentation.playable().then_some(presentation)
}

struct Aired<'a> {
    contents: &'a Contents,
    files: Vec<Option<File>>,
    session: u64,
}

impl Aired<'_> {
    fn read(&self, presentation: &mut Presentation) {
        let newest = presentation.spans.last().map(|span| span.first);
        let spans = self.contents.spans.iter().filter(|span| span.period.number >= self.session);
        for span in spans.filter(|span| newest.is_none_or(|newest| span.first > newest)) {
            presentation.spans.push(span.clone());
        }
        for recorded in &self.contents.renditions {
            let Some(kind) = media_kind(recorded.kind) else { continue };
            let last =
                presentation.rendition(&recorded.name).and_then(|it| it.last()).map(|last| last.number);
            let newer = recorded.segments.iter().filter(|entry| last.is_none_or(|last| entry.number > last));
            for segment in newer.filter_map(|entry| self.segment(entry)) {
                presentation.restore(&recorded.name, kind, Arc::new(segment));
            }
        }
        self.facts(presentation);
    }

    fn segment(&self, entry: &Entry) -> Option<Segment> {
        let Entry { number, start, duration, place } = *entry;
        match place {
            Place::Stored { file, whole: true, .. } => {
                let file = self.files.get(file as usize)?.as_ref()?;
                let period = self.contents.periods.get(&file.init.period)?;
                (period.number >= self.session).then(|| stored(number, period, entry, file))
            }
            Place::Stored { .. } => None,
            Place::Silence { period, timescale: scale } => {
                let period = self.contents.periods.get(&period)?.clone();
                let content = Content::Gap;
                let silence = Segment { number, period, start, duration, scale, content };
                (silence.period.number >= self.session).then_some(silence)
            }
        }
    }

    fn facts(&self, presentation: &mut Presentation) {
        let at = WallTime::default();
        for (id, recorded) in (0..).zip(&self.contents.renditions) {
            let (rendition, kind) = (recorded.name.clone(), media_kind(recorded.kind));
            let Some(kind) = kind.filter(|_| presentation.rendition(&rendition).is_some()) else { continue };
            if let Some(bitrate) = recorded.bitrate {
                presentation.apply(Record::Bitrate { rendition: rendition.clone(), kind, bitrate }, at);
            }
            if recorded.kind == Kind::Video {
                let captions = self.contents.captions(id);
                presentation.apply(Record::Captions { rendition: rendition.clone(), captions }, at);
                let rate = recorded.frame_rate;
                let rate = rate.map(|frame_rate| Record::FrameRate { rendition, frame_rate });
                rate.into_iter().for_each(|rate| presentation.apply(rate, at));
            }
        }
    }
}

/// Where the recording that has the beginning of a span is gone, one begins with what is there.
fn begin(presentation: &mut Presentation) {
    let firsts = presentation.renditions.iter().filter_map(|rendition| rendition.shown().next());
    let Some(first) = firsts.min_by_key(|segment| segment.number).cloned() else { return };
    let covers = |span: &Arc<Span>| span.first <= first.number && span.period.number == first.period.number;
    if presentation.spans.iter().any(covers) {
        return;
    }
    let renditions = presentation.renditions.iter().map(|it| (it.kind, it.name.clone())).collect();
    let (period, start) = (first.period.clone(), first.start_time());
    presentation.spans.insert(0, Arc::new(Span { period, first: first.number, start, renditions }));
}

fn facts(id: u64, newest: &SessionFacts) -> Session {
    let forever =
        Retention { live: Duration::MAX, dvr: Duration::MAX, dvr_bytes: u64::MAX, max_bytes: u64::MAX };
    Session {
        id,
        target_duration: newest.target_duration,
        part_target: Duration::from_micros(newest.part_target),
        window: Duration::MAX,
        retention: forever,
        low_latency: newest.low_latency,
        burnt: None,
    }
}
