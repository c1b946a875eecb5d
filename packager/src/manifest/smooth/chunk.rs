//! Segments as Smooth knows them: chunks on one absolute timeline.

use std::sync::Arc;

use media::{MediaTime, Timescale};

use crate::presentation::{Rendition, Segment};

/// Units a second of every time in manifests, fragments and URLs.
pub const TIMESCALE: u64 = 10_000_000;

/// How many of those that follow it a fragment tells of ([MS-SSTR] §2.2.2.1, LookaheadCount).
///
/// Each costs the viewer a segment of latency, and clients are known to use one.
pub const LOOKAHEAD: usize = 1;

/// Times are multiples of so many units: those of today are beyond 2^53, and clients in JavaScript have doubles.
const GRAIN: i64 = 8;
/// What is counted in [`GRAIN`]s.
const GRAINS: Timescale = Timescale::new(1_250_000).expect("not zero");

/// A segment on the absolute timeline.
#[derive(Clone, Debug)]
pub(super) struct Chunk<'a> {
    pub(super) segment: &'a Arc<Segment>,
    /// Of its beginning, in units of [`TIMESCALE`] since the Unix epoch.
    pub(super) time: u64,
    /// Of all its samples ([MS-SSTR] §2.2.4.4).
    pub(super) duration: u64,
}

impl<'a> Chunk<'a> {
    pub(super) fn of(segment: &'a Arc<Segment>) -> Chunk<'a> {
        // Of a track that broke off the last sample may be longer than its segment is said to be.
        let media = segment.parts().last().map(|last| last.start + last.duration);
        let end = media.unwrap_or(segment.start + segment.duration);
        let (time, end) = (at(segment, segment.start), at(segment, end));
        Chunk { segment, time, duration: end.saturating_sub(time) }
    }

    pub(super) fn end(&self) -> u64 {
        self.time + self.duration
    }
}

/// A tick of a segment's timeline on the absolute one.
///
/// A period begins at a whole millisecond, which is a multiple of [`GRAIN`]; so what is the same tick of a track is
/// the same time here, and durations that follow one another leave no hole.
pub(super) fn at(segment: &Segment, ticks: i64) -> u64 {
    let start = segment.period.start.micros() / 1000 * 1000 * 10;
    let since = MediaTime::new(ticks, segment.scale).to(GRAINS) * GRAIN;
    u64::try_from(start + since).unwrap_or(0)
}

/// What a client manifest lists of a rendition: of what is in its window and can be fetched, the newest with one
/// codec configuration.
pub(super) fn listed(rendition: &Rendition) -> Vec<Chunk<'_>> {
    let window: Vec<&Arc<Segment>> = rendition.window().filter(|segment| !segment.is_gap()).collect();
    let ready = window.iter().rposition(|segment| following(rendition, segment).is_some());
    let ready = &window[..ready.map_or(0, |last| last + 1)];
    let Some(last) = ready.last() else { return Vec::new() };
    let run = ready.iter().rev().take_while(|segment| same_configuration(segment, last)).count();
    ready[ready.len() - run..].iter().map(|segment| Chunk::of(segment)).collect()
}

/// Whether anything of a rendition can be listed.
pub(super) fn is_ready(rendition: &Rendition) -> bool {
    let newest = held(rendition, 0).rev().filter(|segment| !segment.is_gap());
    newest.take(LOOKAHEAD + 1).any(|segment| following(rendition, segment).is_some())
}

/// Those that follow a segment with the same codec configuration, as many as its fragment tells of; `None` while that
/// is not settled. What is settled stays: the segments of a rendition come in order and never change.
pub(super) fn following<'a>(rendition: &'a Rendition, segment: &Segment) -> Option<Vec<Chunk<'a>>> {
    let mut following = Vec::with_capacity(LOOKAHEAD);
    for later in rendition.later(segment.number).filter(|later| !later.is_gap()) {
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

fn same_configuration(one: &Segment, other: &Segment) -> bool {
    let codec = |segment: &Segment| segment.init().map(|init| init.track.codec.clone());
    one.init().zip(other.init()).is_some_and(|(one, other)| Arc::ptr_eq(one, other))
        || codec(one) == codec(other)
}
