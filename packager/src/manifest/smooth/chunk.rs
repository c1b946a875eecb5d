//! Segments as Smooth knows them: chunks on one timeline.

use std::sync::Arc;

use media::{MediaTime, Timescale};

use crate::presentation::{Period, Rendition, Segment};

/// Units a second of every time in manifests, fragments and URLs.
pub const TIMESCALE: u64 = 10_000_000;

/// How many of those that follow it a fragment tells of ([MS-SSTR] §2.2.2.1, LookaheadCount).
///
/// Each costs the viewer a segment of latency, and clients are known to use one.
pub const LOOKAHEAD: usize = 1;

/// Times are multiples of so many units: Unix times of today are beyond 2^53, and clients in JavaScript have doubles.
const GRAIN: i64 = 8;
/// What is counted in [`GRAIN`]s.
const GRAINS: Timescale = Timescale::new(1_250_000).expect("not zero");

/// A segment on a timeline.
#[derive(Clone, Debug)]
pub(super) struct Chunk<'a> {
    pub(super) segment: &'a Arc<Segment>,
    /// Of its beginning, in units of [`TIMESCALE`].
    pub(super) time: u64,
    /// Of all its samples ([MS-SSTR] §2.2.4.4).
    pub(super) duration: u64,
}

impl<'a> Chunk<'a> {
    /// On the absolute timeline.
    pub(super) fn of(segment: &'a Arc<Segment>) -> Chunk<'a> {
        Timeline::Unix.chunk(segment)
    }

    pub(super) fn end(&self) -> u64 {
        self.time + self.duration
    }
}

/// What times count from.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Timeline {
    /// The Unix epoch: the absolute timeline.
    Unix,
    /// This position, in units of [`TIMESCALE`]: what lies between periods is left out.
    From(i64),
}

impl Timeline {
    /// The one on which a segment begins at zero.
    pub(super) fn beginning(segment: &Segment) -> Timeline {
        Timeline::From(position(&segment.period).saturating_add(since(segment, segment.start)))
    }

    pub(super) fn chunk(self, segment: &Arc<Segment>) -> Chunk<'_> {
        let end = segment.start + if segment.is_gap() { segment.duration } else { segment.media() };
        let (time, end) = (self.at(segment, segment.start), self.at(segment, end));
        Chunk { segment, time, duration: end.saturating_sub(time) }
    }

    /// A tick of a segment's own timeline on this one; what comes before zero is at zero.
    pub(super) fn at(self, segment: &Segment, ticks: i64) -> u64 {
        u64::try_from(self.signed(segment, ticks)).unwrap_or(0)
    }

    /// When a segment begins, which may be before zero: more is held than is listed.
    pub(super) fn begin(self, segment: &Segment) -> i64 {
        self.signed(segment, segment.start)
    }

    /// Here a period begins at a multiple of [`GRAIN`], so what is the same tick of a track is the same time, and
    /// durations that follow one another leave no hole.
    fn signed(self, segment: &Segment, ticks: i64) -> i64 {
        let start = match self {
            // A whole millisecond.
            Timeline::Unix => segment.period.start.micros() / 1000 * 1000 * 10,
            Timeline::From(zero) => position(&segment.period).saturating_sub(zero),
        };
        start.saturating_add(since(segment, ticks))
    }
}

/// How long the session had gone on before a period, in whole [`GRAIN`]s.
fn position(period: &Period) -> i64 {
    period.position(MediaTime::ZERO).saturating_mul(10) / GRAIN * GRAIN
}

fn since(segment: &Segment, ticks: i64) -> i64 {
    MediaTime::new(ticks, segment.scale).to(GRAINS) * GRAIN
}

/// What a client manifest lists of a rendition: of what is in its window and can be fetched, the newest with one
/// codec configuration.
pub(super) fn listed(rendition: &Rendition) -> Vec<Chunk<'_>> {
    let window: Vec<&Arc<Segment>> = rendition.window().filter(|segment| is_whole(segment)).collect();
    let ready = window.iter().rposition(|segment| following(rendition, segment).is_some());
    let ready = &window[..ready.map_or(0, |last| last + 1)];
    let Some(last) = ready.last() else { return Vec::new() };
    let run = ready.iter().rev().take_while(|segment| same_configuration(segment, last)).count();
    ready[ready.len() - run..].iter().map(|segment| Chunk::of(segment)).collect()
}

/// Whether anything of a rendition can be listed.
pub(super) fn is_ready(rendition: &Rendition) -> bool {
    let newest = held(rendition, 0).rev().filter(|segment| is_whole(segment));
    newest.take(LOOKAHEAD + 1).any(|segment| following(rendition, segment).is_some())
}

/// Those that follow a segment with the same codec configuration, as many as its fragment tells of; `None` while that
/// is not settled. What is settled stays: the segments of a rendition come in order and never change.
pub(super) fn following<'a>(rendition: &'a Rendition, segment: &Segment) -> Option<Vec<Chunk<'a>>> {
    let mut following = Vec::with_capacity(LOOKAHEAD);
    for later in rendition.later(segment.number).filter(|later| is_whole(later)) {
        if !same_configuration(later, segment) {
            return Some(following);
        }
        following.push(Chunk::of(later));
        if following.len() == LOOKAHEAD {
            return Some(following);
        }
    }
    // Where a timeline ends and the session goes on, what follows is not settled.
    rendition.is_over().then_some(following)
}

/// What can be fetched of a rendition from a number on, oldest first: what is listed and what follows that.
pub(super) fn held(rendition: &Rendition, from: u64) -> impl DoubleEndedIterator<Item = &Arc<Segment>> {
    rendition.shown_from(from)
}

/// Whether there is a fragment of a segment: of one that lost its tail somebody may have had all under the same name.
pub(super) fn is_whole(segment: &Segment) -> bool {
    !segment.is_gap() && !segment.is_partial()
}

fn same_configuration(one: &Segment, other: &Segment) -> bool {
    let codec = |segment: &Segment| segment.init().map(|init| init.track.codec.clone());
    one.init().zip(other.init()).is_some_and(|(one, other)| Arc::ptr_eq(one, other))
        || codec(one) == codec(other)
}
