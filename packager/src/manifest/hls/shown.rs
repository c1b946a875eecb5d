//! Which segments a media playlist shows, and what it says of those before them. Finding the end of a long window costs
//! nothing of its length.

use std::sync::Arc;
use std::time::Duration;

use super::edge;
use super::low_latency::{parts_listed, skip_boundary};
use crate::presentation::{Rendition, Segment};

/// What a media playlist shows of a rendition.
#[derive(Debug)]
pub(super) struct Shown<'a> {
    /// EXT-X-MEDIA-SEQUENCE, which leaving out segments does not change.
    pub(super) sequence: u64,
    /// EXT-X-DISCONTINUITY-SEQUENCE, which leaving out segments does not change either (RFC 8216bis §4.4.5.2).
    pub(super) discontinuity: u64,
    /// The number at the beginning that nobody can have.
    pub(super) burnt: Option<u64>,
    /// The newest of the segments that are left out.
    pub(super) skipped: Option<&'a Arc<Segment>>,
    /// The others, oldest first.
    pub(super) segments: Vec<&'a Arc<Segment>>,
    /// The first of them that is listed with its parts.
    pub(super) parts_from: u64,
}

impl<'a> Shown<'a> {
    /// All of the window, or with `delta` what is not beyond the skip boundary.
    pub(super) fn of(rendition: &'a Rendition, delta: bool) -> Shown<'a> {
        let first = rendition.window().next();
        let burnt = first.and_then(|first| rendition.burnt_before(first.number));
        let hidden = u64::from(burnt.is_some());
        let (skipped, segments) =
            if delta { recent(rendition) } else { (None, rendition.window().collect()) };
        Shown {
            sequence: first.map_or(0, |first| first.number) - hidden,
            discontinuity: first.map_or(0, |first| first.period.discontinuity).saturating_sub(hidden),
            burnt,
            skipped,
            segments,
            parts_from: parts_from(rendition),
        }
    }

    /// How many segments are left out.
    pub(super) fn skipped_segments(&self) -> u64 {
        self.skipped.map_or(0, |skipped| skipped.number + 1 - self.sequence)
    }
}

/// The newest segment that ends before the skip boundary, and those after it.
fn recent(rendition: &Rendition) -> (Option<&Arc<Segment>>, Vec<&Arc<Segment>>) {
    let boundary = skip_boundary(&rendition.session);
    let mut behind = Duration::ZERO;
    let mut segments = Vec::new();
    for segment in rendition.window().rev() {
        if behind >= boundary {
            segments.reverse();
            return (Some(segment), segments);
        }
        behind += duration(segment);
        segments.push(segment);
    }
    segments.reverse();
    (None, segments)
}

/// The oldest segment that lies near enough to the end as a whole.
fn parts_from(rendition: &Rendition) -> u64 {
    let listed = parts_listed(&rendition.session);
    let mut behind = edge::open_duration(rendition);
    let mut from = u64::MAX;
    for segment in rendition.window().rev() {
        behind += duration(segment);
        if behind > listed {
            break;
        }
        from = segment.number;
    }
    from
}

fn duration(segment: &Segment) -> Duration {
    segment.span().duration().unwrap_or_default()
}
