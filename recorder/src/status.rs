//! What the recorder does for an entry, for whoever looks after it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use archive::contents::Gap;
use archive::{Outcome, Step};
use container::index::Reason;
use packager::Record;

use crate::about::Extent;
use crate::metrics::Metrics;

/// The most gaps that a status lists; the oldest go first.
pub const GAPS: usize = 100;

/// What the recorder does for an entry.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Status {
    /// What it does.
    pub activity: Activity,
    /// Which recording: the one that is written to, or was last.
    pub recording: Option<Arc<str>>,
    /// Bytes of media in it.
    pub bytes: u64,
    /// Its length.
    pub length: Duration,
    /// What was lost since it was taken up, the newest last; at most [`GAPS`].
    pub gaps: Vec<Missing>,
    /// Why nothing is recorded, where it should be.
    pub reason: Option<String>,
}

/// What the recorder does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Activity {
    /// Nothing.
    #[default]
    Off,
    /// It records.
    Recording,
    /// It lets segments go by.
    Paused,
    /// It should record and cannot.
    Failed,
}

/// Segments that were on air and are not in a recording.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Missing {
    /// Which rendition.
    pub rendition: Arc<str>,
    /// N of the first.
    pub first: u64,
    /// N of the last; `None` while more are lost.
    pub last: Option<u64>,
    /// Why.
    pub reason: Reason,
    /// The same in words.
    pub note: String,
}

impl Activity {
    /// In a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Activity::Off => "off",
            Activity::Recording => "recording",
            Activity::Paused => "paused",
            Activity::Failed => "failed",
        }
    }
}

/// Counts what a recording has, as it grows.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// N of the first segment that belongs to it.
    first: u64,
    bytes: u64,
    lengths: BTreeMap<Arc<str>, Duration>,
    taken_up: Duration,
    /// Why each rendition loses segments now.
    losing: BTreeMap<Arc<str>, Reason>,
}

impl Tally {
    /// Of a recording that has so much.
    pub fn new(extent: &Extent) -> Tally {
        Tally { bytes: extent.bytes, taken_up: extent.length, ..Tally::default() }
    }

    /// Of the recording that goes on behind one that became too long, with segment `first`.
    pub fn rolled(&mut self, first: u64) {
        *self = Tally { first, losing: std::mem::take(&mut self.losing), ..Tally::default() };
    }

    /// Takes what was written, and what came of it.
    pub fn take(&mut self, steps: &[Step], outcomes: &[Outcome], status: &mut Status, metrics: &Metrics) {
        for outcome in outcomes {
            match outcome {
                Outcome::Stored { rendition, number, stored } => {
                    metrics.bytes.inc_by(stored.len);
                    if *number >= self.first {
                        self.bytes += stored.len;
                        let length = self.lengths.entry(rendition.clone()).or_insert(self.taken_up);
                        *length += length_of(steps, rendition, *number);
                    }
                }
                Outcome::Lost { rendition, gap } => {
                    self.losing.insert(rendition.clone(), gap.reason);
                    status.lost(rendition, gap);
                }
                Outcome::Resumed { rendition, number } => {
                    self.losing.remove(rendition);
                    status.resumed(rendition, *number);
                }
            }
        }
        self.count_lost(steps, outcomes, metrics);
        status.bytes = self.bytes;
        status.length = self.lengths.values().max().copied().unwrap_or(self.taken_up);
    }

    fn count_lost(&self, steps: &[Step], outcomes: &[Outcome], metrics: &Metrics) {
        for (name, segment) in segments(steps).filter(|(_, segment)| !segment.is_gap()) {
            let is_it = |outcome: &Outcome| match outcome {
                Outcome::Stored { rendition, number, .. } => rendition == name && *number == segment.number,
                _ => false,
            };
            if !outcomes.iter().any(is_it) {
                metrics.lost(self.losing.get(name).copied().unwrap_or(Reason::Behind));
            }
        }
    }
}

impl Status {
    fn lost(&mut self, rendition: &Arc<str>, gap: &Gap) {
        self.resumed(rendition, gap.first);
        if self.gaps.len() >= GAPS {
            self.gaps.remove(0);
        }
        let Gap { first, reason, note, .. } = gap.clone();
        self.gaps.push(Missing { rendition: rendition.clone(), first, last: None, reason, note });
    }

    fn resumed(&mut self, rendition: &Arc<str>, number: u64) {
        let of_it = |gap: &&mut Missing| gap.rendition == *rendition && gap.last.is_none();
        if let Some(gap) = self.gaps.iter_mut().find(of_it) {
            gap.last = Some(number.saturating_sub(1).max(gap.first));
        }
    }
}

fn segments(steps: &[Step]) -> impl Iterator<Item = (&Arc<str>, &packager::presentation::Segment)> {
    steps.iter().filter_map(|step| match step {
        Step::Made(Record::Segment { rendition, segment, .. }) => Some((rendition, &**segment)),
        _ => None,
    })
}

fn length_of(steps: &[Step], rendition: &Arc<str>, number: u64) -> Duration {
    let mut of_it = segments(steps).filter(|(name, segment)| *name == rendition && segment.number == number);
    of_it.next().and_then(|(_, segment)| segment.span().duration()).unwrap_or_default()
}
