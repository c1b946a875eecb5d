//! Where a reader of a stream is: from snapshot to snapshot it says what came since, in the order of the log.
//!
//! A cursor needs no queue. What is not written yet is in the snapshot anyway, for as long as the stream keeps it; a
//! reader that is slower than that misses segments, and is told which.

use std::collections::BTreeMap;
use std::sync::Arc;

use media::Captions;
use packager::presentation::{FrameRate, Rendition};
use packager::{Content, Presentation, Record, Segment, Session};

/// What a recording is told, one thing at a time.
#[derive(Clone, PartialEq, Debug)]
pub enum Step {
    /// From here on it is this session.
    Session(Arc<Session>),
    /// The packager made something.
    Made(Record),
    /// Segments were on air and are out of reach.
    Missed {
        /// Which rendition.
        rendition: Arc<str>,
        /// N of the first.
        first: u64,
        /// N of the last.
        last: u64,
    },
}

/// What of one session was seen.
#[derive(Debug, Default)]
pub struct Cursor {
    /// N of the first segment that is of interest.
    from: u64,
    session: Option<u64>,
    span: Option<u64>,
    closed: Option<u64>,
    ended: bool,
    renditions: BTreeMap<Arc<str>, Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// The newest finished segment.
    number: Option<u64>,
    /// Whether there was one: nothing was missed before the first.
    began: bool,
    /// Parts of the one after it.
    parts: usize,
    frame_rate: Option<FrameRate>,
    bitrate: Option<u32>,
    captions: Captions,
}

impl Cursor {
    /// A cursor that begins with segment `from`: what was on air before is not told.
    pub fn new(from: u64) -> Cursor {
        Cursor { from, ..Cursor::default() }
    }

    /// The session that was followed last.
    pub fn session(&self) -> Option<u64> {
        self.session
    }

    /// What is new in this snapshot. Another session than the last begins anew.
    pub fn follow(&mut self, presentation: &Presentation) -> Vec<Step> {
        let mut steps = Vec::new();
        if self.session != Some(presentation.session.id) {
            *self = Cursor { session: Some(presentation.session.id), ..Cursor::new(self.from) };
            steps.push(Step::Session(presentation.session.clone()));
        }
        self.spans(presentation, &mut steps);
        for rendition in &presentation.renditions {
            let before = Seen { number: self.from.checked_sub(1), ..Seen::default() };
            let seen = self.renditions.entry(rendition.name.clone()).or_insert(before);
            seen.follow(rendition, &mut steps);
        }
        self.rest(presentation, &mut steps);
        steps
    }

    /// What is new in the sessions of an entry, newest first: of the one that was followed last, and of those after it.
    pub fn follow_all<'a>(
        &mut self,
        newest_first: impl DoubleEndedIterator<Item = &'a Presentation>,
    ) -> Vec<Step> {
        let mut steps = Vec::new();
        for presentation in newest_first.rev() {
            if self.session.is_none_or(|session| presentation.session.id >= session) {
                steps.extend(self.follow(presentation));
            }
        }
        steps
    }

    fn spans(&mut self, presentation: &Presentation, steps: &mut Vec<Step>) {
        let seen = self.span;
        for span in presentation.spans.iter().filter(|span| seen.is_none_or(|seen| span.first > seen)) {
            self.span = Some(span.first);
            steps.push(Step::Made(Record::Span(span.clone())));
        }
    }

    fn rest(&mut self, presentation: &Presentation, steps: &mut Vec<Step>) {
        if let Some(period) = presentation.closed
            && self.closed < Some(period)
        {
            self.closed = Some(period);
            for (rendition, gap) in presentation.silence_at_close() {
                let seen = self.renditions.entry(rendition.name.clone()).or_default();
                if seen.number < Some(gap.number) {
                    seen.finished(rendition, &Arc::new(gap), steps);
                }
            }
            steps.push(Step::Made(Record::Closed { period, renewed: false }));
        }
        if presentation.ended && !self.ended {
            self.ended = true;
            steps.push(Step::Made(Record::End));
        }
    }
}

impl Seen {
    fn follow(&mut self, rendition: &Rendition, steps: &mut Vec<Step>) {
        self.facts(rendition, steps);
        self.segments(rendition, steps);
        let next = self.number.map_or(0, |number| number + 1);
        if let Some(open) = rendition.open.as_ref().filter(|open| open.number >= next) {
            for part in open.parts.iter().skip(self.parts) {
                steps.push(Step::Made(Record::Part {
                    rendition: rendition.name.clone(),
                    number: open.number,
                    period: open.period.clone(),
                    init: open.init.clone(),
                    part: part.clone(),
                }));
            }
            self.parts = open.parts.len();
        }
        if let Some(frame_rate) = rendition.frame_rate.filter(|&rate| self.frame_rate != Some(rate)) {
            self.frame_rate = Some(frame_rate);
            steps.push(Step::Made(Record::FrameRate { rendition: rendition.name.clone(), frame_rate }));
        }
    }

    /// What a segment of its may need to be named right, before it.
    fn facts(&mut self, rendition: &Rendition, steps: &mut Vec<Step>) {
        let name = || rendition.name.clone();
        if let Some(bitrate) = rendition.named_bitrate.filter(|&bitrate| self.bitrate != Some(bitrate)) {
            self.bitrate = Some(bitrate);
            steps.push(Step::Made(Record::Bitrate { rendition: name(), kind: rendition.kind, bitrate }));
        }
        if rendition.captions != self.captions {
            self.captions = rendition.captions;
            steps.push(Step::Made(Record::Captions { rendition: name(), captions: rendition.captions }));
        }
    }

    fn segments(&mut self, rendition: &Rendition, steps: &mut Vec<Step>) {
        let from = self.number.map_or(0, |number| number + 1);
        for segment in rendition.shown_from(from) {
            let number = segment.number;
            if segment.stored().is_some() {
                // It was recorded before: the session was taken up after a restart.
                (self.number, self.parts) = (Some(number), 0);
                continue;
            }
            self.finished(rendition, segment, steps);
        }
    }

    fn finished(&mut self, rendition: &Rendition, segment: &Arc<Segment>, steps: &mut Vec<Step>) {
        let number = segment.number;
        self.missed(rendition, number, steps);
        self.began = true;
        if let Content::Media { init, parts } = &segment.content {
            for part in parts.iter().skip(self.parts) {
                steps.push(Step::Made(Record::Part {
                    rendition: rendition.name.clone(),
                    number,
                    period: segment.period.clone(),
                    init: init.clone(),
                    part: part.clone(),
                }));
            }
        }
        self.parts = 0;
        self.number = Some(number);
        let (rendition, kind) = (rendition.name.clone(), rendition.kind);
        steps.push(Step::Made(Record::Segment { rendition, kind, segment: segment.clone() }));
    }

    /// What lies between the last one seen and `number` went while nobody looked.
    fn missed(&mut self, rendition: &Rendition, number: u64, steps: &mut Vec<Step>) {
        let Some(first) = self.number.map(|last| last + 1).filter(|&first| first < number) else { return };
        self.parts = 0;
        if !std::mem::replace(&mut self.began, true) {
            return;
        }
        steps.push(Step::Missed { rendition: rendition.name.clone(), first, last: number - 1 });
    }
}
