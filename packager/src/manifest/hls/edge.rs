//! Where a rendition ends for players that wait for more: which parts it lists, what they may ask for, what comes next.

use std::sync::Arc;
use std::time::Duration;

use media::{MediaTime, Timescale};

use super::low_latency;
use crate::presentation::{Lookup, Part, Presentation, Rendition, Segment};

/// What `_HLS_msn` and `_HLS_part` ask for (RFC 8216bis §6.2.5.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Directives {
    /// M: the media sequence number that the playlist has to list.
    pub msn: u64,
    /// N: the part of it; without, the whole segment.
    pub part: Option<u64>,
}

/// Whether a playlist can be given to who asked for it with [`Directives`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reload {
    /// It lists what was asked for, or is the last one.
    Ready,
    /// What was asked for is about to come.
    Wait,
    /// That is more than two segments, or more than the Advance Part Limit, beyond what there is.
    TooFar,
}

/// Whether the playlist lists what was asked for. One without parts, because they are not `wanted` or not made, is asked
/// for whole segments alone. One that has ended is what it is whatever is asked for (RFC 8216bis §6.2.5.2).
pub fn reload(rendition: &Rendition, wanted: bool, asked: Directives) -> Reload {
    let Some(last) = rendition.last().filter(|_| !rendition.ended) else { return Reload::Ready };
    let part = asked.part.filter(|_| applies(rendition, wanted));
    match part {
        _ if asked.msn > last.number.saturating_add(2) => Reload::TooFar,
        _ if asked.msn < last.number => Reload::Ready,
        Some(part) if asked.msn == last.number => past(rendition, last, part),
        Some(part) => ahead(rendition, asked.msn, part),
        None if asked.msn == last.number => Reload::Ready,
        None => Reload::Wait,
    }
}

/// The same of a part of the last segment: one past its end is part 0 of the next.
fn past(rendition: &Rendition, last: &Segment, part: u64) -> Reload {
    let parts = count(last, rendition.session.part_target);
    match part {
        // A segment that is listed without parts can only be had whole.
        _ if parts == 0 || part < parts => Reload::Ready,
        _ if part - parts >= advance_part_limit(rendition.session.part_target) => Reload::TooFar,
        _ => ahead(rendition, last.number + 1, 0),
    }
}

/// The same of a part of what comes behind the last segment.
fn ahead(rendition: &Rendition, msn: u64, part: u64) -> Reload {
    let next = next(rendition);
    let beyond = match msn == next.msn {
        true => part.saturating_add(1).saturating_sub(next.part),
        false => part.saturating_add(1),
    };
    match beyond {
        _ if msn < next.msn || beyond == 0 => Reload::Ready,
        _ if beyond > advance_part_limit(rendition.session.part_target) => Reload::TooFar,
        _ => Reload::Wait,
    }
}

/// How many parts beyond the last one may be waited for (RFC 8216bis §6.2.5.2).
fn advance_part_limit(part_target: Duration) -> u64 {
    match part_target.as_millis() as u64 {
        millis @ 1..1000 => 3000u64.div_ceil(millis),
        _ => 3,
    }
}

/// Whether a playlist says anything of parts: one that has ended never does.
pub(super) fn applies(rendition: &Rendition, wanted: bool) -> bool {
    wanted && rendition.session.low_latency && !rendition.ended
}

/// Where the next part goes: M and the index in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Next {
    pub(super) msn: u64,
    pub(super) part: u64,
}

/// Behind the last part that is listed.
pub(super) fn next(rendition: &Rendition) -> Next {
    match &rendition.open {
        Some(open) => Next { msn: open.number, part: open_parts(rendition).len() as u64 },
        None => Next { msn: rendition.last().map_or(0, |last| last.number + 1), part: 0 },
    }
}

/// The parts of the open segment that are listed: none from the first that is longer than the target on.
pub(super) fn open_parts(rendition: &Rendition) -> &[Arc<Part>] {
    let Some(open) = &rendition.open else { return &[] };
    let scale = open.init.track.timescale;
    let target = rendition.session.part_target;
    let short = open.parts.iter().take_while(|part| !too_long(part, scale, target)).count();
    open.parts.get(..short).unwrap_or_default()
}

/// How much of the open segment is listed.
pub(super) fn open_duration(rendition: &Rendition) -> Duration {
    let ticks: i64 = open_parts(rendition).iter().map(|part| part.duration).sum();
    let scale = rendition.open.as_ref().map(|open| open.init.track.timescale);
    scale.and_then(|scale| MediaTime::new(ticks, scale).duration()).unwrap_or_default()
}

/// The last part that is listed: M and its index in it, where segments have parts.
pub(super) fn last(rendition: &Rendition) -> (u64, Option<u64>) {
    let next = next(rendition);
    match rendition.last() {
        Some(last) if next.part == 0 => {
            (last.number, count(last, rendition.session.part_target).checked_sub(1))
        }
        _ => (next.msn, next.part.checked_sub(1)),
    }
}

/// A part of a finished segment as a playlist lists it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listed<'a> {
    pub(super) index: u64,
    pub(super) duration: MediaTime,
    /// `None` for a stretch in which the rendition was off (GAP=YES).
    pub(super) part: Option<&'a Part>,
}

/// The parts that a finished segment is listed with: what was published, and where the rendition went off, stretches
/// without media up to the end (RFC 8216bis §6.2.1). None where a part is longer than the target, or they are in storage.
pub(super) fn parts(segment: &Segment, target: Duration) -> impl Iterator<Item = Listed<'_>> {
    let published = segment.parts().iter().map(|part| Listed {
        index: part.index.into(),
        duration: MediaTime::new(part.duration, segment.scale),
        part: Some(part),
    });
    let gaps = gaps(segment, target);
    published.chain(gaps).take(count(segment, target) as usize)
}

/// How many these are. Of a segment in storage the parts are not known.
fn count(segment: &Segment, target: Duration) -> u64 {
    let listable = segment.stored().is_none()
        && segment.parts().iter().all(|part| !too_long(part, segment.scale, target));
    match listable {
        true => segment.parts().len() as u64 + gap_count(segment, target),
        false => 0,
    }
}

fn gaps(segment: &Segment, target: Duration) -> impl Iterator<Item = Listed<'_>> {
    let (whole, missing) = (segment.scale.ticks(target).max(1), missing(segment));
    (0..gap_count(segment, target)).map(move |at| Listed {
        index: segment.parts().len() as u64 + at,
        duration: MediaTime::new(whole.min(missing - at as i64 * whole), segment.scale),
        part: None,
    })
}

fn gap_count(segment: &Segment, target: Duration) -> u64 {
    let whole = segment.scale.ticks(target).max(1) as u64;
    u64::try_from(missing(segment)).unwrap_or(0).div_ceil(whole)
}

/// Ticks at the end of a segment for which the rendition has nothing.
fn missing(segment: &Segment) -> i64 {
    segment.duration - segment.parts().iter().map(|part| part.duration).sum::<i64>()
}

fn too_long(part: &Part, scale: Timescale, target: Duration) -> bool {
    MediaTime::new(part.duration, scale).micros() > target.as_micros() as i64
}

/// The part that the playlist hints at (RFC 8216bis §4.4.5.3): the next one, unless the rendition is off or its encoder
/// away. Nothing is hinted at that may never come: players ask for it again and again, and do not see the end.
pub(super) fn hint(presentation: &Presentation, rendition: &Rendition) -> Option<Next> {
    let next = next(rendition);
    match &rendition.open {
        Some(open) if open.parts.len() as u64 > next.part => Some(Next { msn: open.number + 1, part: 0 }),
        Some(_) => Some(next),
        None => rendition.last().filter(|last| goes_on(presentation, last)).map(|_| next),
    }
}

fn goes_on(presentation: &Presentation, last: &Segment) -> bool {
    !last.is_gap() && presentation.closed != Some(last.period.number)
}

/// Whether the parts of segment `number` can be had by themselves: while they are listed, and as long again (RFC 8216bis
/// §6.2.2). Their segment stays for longer.
pub fn parts_stay(rendition: &Rendition, number: u64) -> bool {
    let stay = low_latency::parts_listed(&rendition.session) * 2;
    let mut behind = open_duration(rendition);
    let newer = rendition.shown_from(number.saturating_add(1));
    newer.map(|segment| segment.span().duration().unwrap_or_default()).all(|duration| {
        behind += duration;
        behind <= stay
    })
}

/// Whether part `index` of segment `number` is the one that comes next, or the first of the segment after it: who asks
/// for it may wait (RFC 8216bis §6.2.6).
pub fn awaits_part(rendition: &Rendition, number: u64, index: u32) -> bool {
    let Some(last) = rendition.last().filter(|_| applies(rendition, true)) else { return false };
    let made = rendition.open.as_ref().map_or(0, |open| open.parts.len() as u64);
    let open = rendition.open.as_ref().map_or(last.number + 1, |open| open.number);
    let next = (number, u64::from(index)) == (open, made);
    let after = made > 0 && (number, index) == (open + 1, 0);
    (next || after) && matches!(rendition.part(number, index), Lookup::NotYet)
}
