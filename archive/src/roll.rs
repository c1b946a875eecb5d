//! A recording that becomes too long goes on in a new one, at a segment that is the first of all renditions there.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::mem::Discriminant;
use std::sync::Arc;
use std::time::{Duration, Instant};

use packager::presentation::Segment;
use packager::{Record, Session};

use crate::cursor::Step;
use crate::policy::{Outcome, Sync};
use crate::recover::Error;
use crate::writer::Writer;

/// Opens the recording that begins with segment N.
type Open = Box<dyn FnMut(u64) -> Result<Writer, Error> + Send>;

/// Writes recordings of a limited length, one after another.
pub struct Roll {
    max_length: Duration,
    open: Open,
    writer: Writer,
    /// The recording before, and the number with which this one began: renditions end there one after another.
    before: Option<(Writer, u64)>,
    session: Option<Arc<Session>>,
    /// What was said once of renditions and holds for the next recording too.
    facts: HashMap<(Arc<str>, Discriminant<Record>), Step>,
    newest: u64,
    /// How long the recording was when it was taken up.
    recorded: Duration,
    lengths: BTreeMap<Arc<str>, Duration>,
    /// Opening the next one failed; the last one goes on meanwhile.
    failed: Option<Error>,
}

impl Roll {
    /// Writes with `writer` up to `max_length` of media, then with what `open` gives for the segment to begin with.
    pub fn new(writer: Writer, max_length: Duration, open: Open) -> Roll {
        Roll {
            max_length,
            open,
            writer,
            before: None,
            session: None,
            facts: HashMap::new(),
            newest: 0,
            recorded: Duration::ZERO,
            lengths: BTreeMap::new(),
            failed: None,
        }
    }

    /// The same of a recording that has so much already.
    pub fn recorded(self, recorded: Duration) -> Roll {
        Roll { recorded, ..self }
    }

    /// Whether the recording before is still being written to.
    pub fn is_rolling(&self) -> bool {
        self.before.is_some()
    }

    /// Writes what is new, and says what came of it.
    pub fn take(&mut self, steps: &[Step], now: Instant) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        let mut from = 0;
        for (at, step) in steps.iter().enumerate() {
            let number = number(step);
            self.newest = self.newest.max(number.unwrap_or(0));
            self.note(step);
            let old = self.before.as_mut().filter(|(_, first)| number.is_some_and(|number| number < *first));
            if let Some((before, _)) = old {
                outcomes.extend(self.writer.take(&steps[from..at], now));
                outcomes.extend(before.take(std::slice::from_ref(step), now));
                from = at + 1;
            }
            if let Step::Made(Record::Segment { rendition, segment, .. }) = step
                && self.is_over(rendition, segment)
            {
                outcomes.extend(self.writer.take(&steps[from..=at], now));
                from = at + 1;
                outcomes.extend(self.roll(now));
            }
        }
        outcomes.extend(self.writer.take(&steps[from..], now));
        outcomes.extend(self.leave(now));
        outcomes
    }

    /// Lets segments go by from the next one on, or records them again.
    pub fn pause(&mut self, paused: bool) {
        self.writer.pause(paused);
    }

    /// When what is written is made safe.
    pub fn sync_policy(&self) -> Sync {
        self.writer.sync_policy()
    }

    /// When [`tick`](Roll::tick) has something to do, if nothing is taken before.
    pub fn deadline(&self) -> Option<Instant> {
        self.writer.deadline()
    }

    /// Does what is due by the clock alone.
    pub fn tick(&mut self, now: Instant) -> Vec<Outcome> {
        self.writer.tick(now)
    }

    /// Makes everything safe.
    pub fn finish(&mut self, now: Instant) -> io::Result<Vec<Outcome>> {
        let mut outcomes = match self.before.take() {
            Some((mut before, _)) => before.finish(now)?,
            None => Vec::new(),
        };
        outcomes.extend(self.writer.finish(now)?);
        Ok(outcomes)
    }

    /// Why the next recording could not be opened, if so; told once.
    pub fn take_failure(&mut self) -> Option<Error> {
        self.failed.take()
    }

    fn note(&mut self, step: &Step) {
        match step {
            Step::Session(session) => self.session = Some(session.clone()),
            Step::Made(
                Record::FrameRate { rendition, .. }
                | Record::Bitrate { rendition, .. }
                | Record::Captions { rendition, .. },
            ) => {
                let Step::Made(record) = step else { return };
                let fact = (rendition.clone(), std::mem::discriminant(record));
                self.facts.insert(fact, step.clone());
            }
            _ => {}
        }
    }

    fn is_over(&mut self, rendition: &Arc<str>, segment: &Segment) -> bool {
        if self.before.as_ref().is_some_and(|(_, first)| segment.number < *first) {
            return false;
        }
        let length = self.lengths.entry(rendition.clone()).or_insert(self.recorded);
        *length = length.saturating_add(segment.span().duration().unwrap_or_default());
        *length >= self.max_length
    }

    fn roll(&mut self, now: Instant) -> Vec<Outcome> {
        let first = self.newest + 1;
        match (self.open)(first) {
            Ok(mut next) => {
                let session = self.session.clone().map(Step::Session);
                let known: Vec<Step> = session.into_iter().chain(self.facts.values().cloned()).collect();
                let outcomes = next.take(&known, now);
                let before = std::mem::replace(&mut self.writer, next);
                self.before = Some((before, first));
                self.lengths.clear();
                self.recorded = Duration::ZERO;
                outcomes
            }
            Err(error) => {
                self.failed = Some(error);
                Vec::new()
            }
        }
    }

    /// Lets the recording before go, once this one has a part of something that comes well behind it.
    fn leave(&mut self, now: Instant) -> Vec<Outcome> {
        let newest = self.newest;
        let done = self.before.take_if(|(_, first)| newest > *first);
        // What could not be made safe was said to be lost where that is known; there is nobody left to try again.
        done.and_then(|(mut before, _)| before.finish(now).ok()).unwrap_or_default()
    }
}

/// N of the segment that a step is about.
fn number(step: &Step) -> Option<u64> {
    match step {
        Step::Made(Record::Part { number, .. }) => Some(*number),
        Step::Made(Record::Segment { segment, .. }) => Some(segment.number),
        Step::Missed { last, .. } => Some(*last),
        _ => None,
    }
}
