//! One rendition on its way out: which part comes next, and what was read and not sent yet.

use std::collections::VecDeque;
use std::sync::Arc;

use container::mp4::parse_fragment;
use media::{Kind, MediaTime};
use packager::samples::{self, Error};
use packager::{Content, Init, Part, Period, Rendition};

use super::{Frame, Item, Track};

/// So much is read before what was read is sent. Microseconds.
const AHEAD: i64 = 3_000_000;

/// A rendition that is followed.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) name: Arc<str>,
    kind: Kind,
    /// The segment that is read, and which of its parts comes next.
    number: u64,
    part: usize,
    /// What is decoded earlier is left out.
    from: i64,
    /// What was read, and where that ends.
    pub(super) queue: VecDeque<Item>,
    end: i64,
    init: Option<Arc<Init>>,
    /// How much earlier pictures are decoded than fragments say, so that none is decoded after it is shown.
    lead: i64,
    last: i64,
}

/// A part with what it stands in.
struct At<'a> {
    period: &'a Arc<Period>,
    init: &'a Arc<Init>,
    part: &'a Arc<Part>,
}

impl Lane {
    /// From the newest keyframe on that is not decoded before `from`.
    pub(super) fn newest(rendition: &Rendition, from: i64) -> Option<Lane> {
        let (number, part, at) = newest_start(rendition)?;
        let start = at.start();
        (start >= from).then(|| Lane::at(rendition, (number, part), start, start))
    }

    /// What goes with another rendition from where that one begins.
    pub(super) fn beside(rendition: &Rendition, other: &Lane) -> Option<Lane> {
        let held = rendition.listed(other.number).is_some()
            || rendition.open.as_ref().is_some_and(|open| open.number == other.number);
        let newest = || newest_start(rendition).map(|(number, ..)| number);
        let number = if held { Some(other.number) } else { newest() }?;
        Some(Lane::at(rendition, (number, 0), other.from, other.from))
    }

    fn at(rendition: &Rendition, (number, part): (u64, usize), from: i64, end: i64) -> Lane {
        let (name, kind) = (rendition.name.clone(), rendition.kind);
        let (queue, init) = (VecDeque::new(), None);
        Lane { name, kind, number, part, from, queue, end, init, lead: 0, last: i64::MIN }
    }

    /// The same place, after another has sent what it has.
    pub(super) fn like(self, old: &Lane) -> Lane {
        // A configuration that was read and not sent is to be read again.
        let told = old.queue.iter().all(|item| matches!(item, Item::Frame(_)));
        let init = old.init.clone().filter(|_| told);
        Lane { init, lead: old.lead, last: old.sent(), ..self }
    }

    /// When what it gave out last is decoded, or earlier.
    fn sent(&self) -> i64 {
        if self.queue.is_empty() { self.last } else { self.position().saturating_sub(1) }
    }

    /// Where it began.
    pub(super) fn from(&self) -> i64 {
        self.from
    }

    /// Where what was read ends.
    pub(super) fn end(&self) -> i64 {
        self.end
    }

    /// Before when nothing is decoded that was not read yet.
    pub(super) fn reaches(&self) -> i64 {
        self.end.saturating_sub(self.lead)
    }

    /// Where what comes next begins.
    pub(super) fn position(&self) -> i64 {
        let first = self.queue.iter().find_map(|item| match item {
            Item::Frame(frame) => Some(frame.dts),
            Item::Track(_) => None,
        });
        first.unwrap_or(self.end)
    }

    /// Whether so much was read that nothing more should be.
    pub(super) fn is_full(&self) -> bool {
        self.end.saturating_sub(self.position()) >= AHEAD
    }

    /// Reads the next part; says whether there was one.
    pub(super) fn read(&mut self, rendition: &Rendition) -> Result<bool, Error> {
        let Some(at) = self.next(rendition) else { return Ok(false) };
        if self.init.as_ref().is_none_or(|init| init.track != at.init.track) {
            let frame_rate = rendition.frame_rate.map(|rate| rate.per_second());
            self.queue.push_back(Item::Track(Track { codec: at.init.track.codec.clone(), frame_rate }));
        }
        self.init = Some(at.init.clone());
        let frames = samples::of_part(at.part)?;
        let before = self.queue.len();
        for frame in frames {
            let dts = at.time(frame.dts);
            let pts = at.time(frame.dts + i64::from(frame.sample.composition_offset));
            let duration = at.time(frame.dts + i64::from(frame.sample.duration)) - dts;
            self.lead = self.lead.max(dts - pts);
            if dts >= self.from {
                let (kind, sync, data) = (self.kind, frame.sample.sync, frame.data);
                self.queue.push_back(Item::Frame(Frame { kind, dts, pts, duration, sync, data }));
            }
        }
        self.end = at.end();
        self.part += 1;
        self.order(before);
        Ok(true)
    }

    /// What is decoded when: no later than it is shown, nor than what follows it, nor before what went out.
    fn order(&mut self, from: usize) {
        let mut latest = i64::MAX;
        for item in self.queue.range_mut(from..).rev() {
            if let Item::Frame(frame) = item {
                frame.dts = (frame.dts - self.lead).min(frame.pts).min(latest);
                latest = frame.dts;
            }
        }
        for item in self.queue.range_mut(from..) {
            if let Item::Frame(frame) = item {
                frame.dts = frame.dts.max(self.last).min(frame.pts.max(self.last));
                self.last = frame.dts;
            }
        }
    }

    fn next<'a>(&mut self, rendition: &'a Rendition) -> Option<At<'a>> {
        loop {
            if let Some(open) = rendition.open.as_ref().filter(|open| open.number <= self.number) {
                let part = open.parts.get(self.part).filter(|_| open.number == self.number)?;
                return Some(At { period: &open.period, init: &open.init, part });
            }
            let segment = rendition.listed(self.number);
            if let Some(segment) = segment
                && let Content::Media { init, parts } = &segment.content
                && let Some(part) = parts.get(self.part)
            {
                return Some(At { period: &segment.period, init, part });
            }
            let listed = rendition.shown_from(self.number.saturating_add(1)).next().map(|it| it.number);
            let next = listed.or(rendition.open.as_ref().map(|open| open.number))?;
            (self.number, self.part) = (next, 0);
        }
    }

    /// How many frames are left out that lie between this and another place.
    pub(super) fn skipped_until(&self, rendition: &Rendition, other: &Lane) -> u64 {
        let queued = self.queue.iter().filter(|item| matches!(item, Item::Frame(_))).count() as u64;
        let mut place = Lane::at(rendition, (self.number, self.part), self.from, self.end);
        let mut skipped = queued;
        while (place.number, place.part) < (other.number, other.part) {
            let Some(at) = place.next(rendition).filter(|at| at.start() < other.from) else { break };
            skipped += parse_fragment(&at.part.header).map_or(0, |fragment| fragment.samples.len() as u64);
            place.part += 1;
        }
        skipped
    }
}

impl At<'_> {
    fn time(&self, ticks: i64) -> i64 {
        self.period.position(MediaTime::new(ticks, self.init.track.timescale))
    }

    fn start(&self) -> i64 {
        self.time(self.part.start)
    }

    fn end(&self) -> i64 {
        self.time(self.part.start + self.part.duration)
    }
}

/// The newest part where decoding may begin.
fn newest_start(rendition: &Rendition) -> Option<(u64, usize, At<'_>)> {
    if let Some(open) = &rendition.open
        && let Some(index) = open.parts.iter().rposition(|part| part.independent)
    {
        let at = At { period: &open.period, init: &open.init, part: &open.parts[index] };
        return Some((open.number, index, at));
    }
    rendition.shown().rev().find_map(|segment| {
        let Content::Media { init, parts } = &segment.content else { return None };
        let index = parts.iter().rposition(|part| part.independent)?;
        Some((segment.number, index, At { period: &segment.period, init, part: &parts[index] }))
    })
}

/// Where the newest part ends.
pub(super) fn newest_end(rendition: &Rendition) -> Option<i64> {
    let open = rendition.open.as_ref().and_then(|open| {
        let part = open.parts.last()?;
        Some(At { period: &open.period, init: &open.init, part }.end())
    });
    open.or_else(|| rendition.last().map(|last| last.end_position()))
}
