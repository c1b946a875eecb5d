//! Which spans become Periods, where they begin and end, and which segments they list.

use std::sync::Arc;

use media::MediaTime;

use super::Form;
use super::low_latency::Opened;
use crate::presentation::{Presentation, Rendition, Segment, Span};

/// A span with what of it is listed.
pub(super) struct Listed<'a> {
    pub(super) span: &'a Span,
    pub(super) id: String,
    /// Media time of its first listed segment (static) or of its first segment (dynamic).
    pub(super) origin: MediaTime,
    /// Media time of its end, once that is known.
    pub(super) end: Option<MediaTime>,
    pub(super) renditions: Vec<Run<'a>>,
}

/// A rendition with what of it is listed.
pub(super) type Run<'a> = (&'a Rendition, Vec<&'a Segment>);

impl Listed<'_> {
    pub(super) fn length(&self) -> i64 {
        self.end.map_or(0, |end| end.micros() - self.origin.micros())
    }
}

/// What of each span is in the window, with what of `opened` goes on from there.
pub(super) fn list<'a>(presentation: &'a Presentation, form: Form, opened: &'a [Opened]) -> Vec<Listed<'a>> {
    let mut periods: Vec<Listed<'a>> = Vec::new();
    for (at, span) in presentation.spans.iter().enumerate() {
        let next = presentation.spans.get(at + 1);
        let renditions: Vec<_> = presentation
            .renditions
            .iter()
            .filter_map(|rendition| {
                let open = Opened::of(opened, rendition);
                let run = run(rendition, span, next.map(|next| next.first), open);
                (!run.is_empty()).then_some((&**rendition, run))
            })
            .collect();
        if next.is_none() && begins(presentation, span, &renditions) {
            continue;
        }
        if next.is_some_and(|next| leaves(presentation, span, next.first, &renditions)) {
            continue;
        }
        let first = renditions.iter().filter_map(|(_, run)| run.first()).map(|s| s.start_time()).min();
        let Some(first) = first else {
            continue;
        };
        let last = renditions.iter().filter_map(|(_, run)| run.last());
        let ends = last.map(|s| MediaTime::new(s.start + s.duration, s.scale));
        // A Period of which players know how long it is keeps that.
        let rebased_end = form == Form::Static && next.is_none();
        let reached = if rebased_end { common_end(ends) } else { ends.max() };
        let over = next.is_some()
            || presentation.ended
            || presentation.closed.is_some_and(|closed| closed >= span.period.number);
        // A span that another one follows in the same period ends where that begins.
        let end = match next.filter(|next| next.period == span.period) {
            Some(next) => Some(next.start),
            None => reached.filter(|_| over),
        };
        let id = match span.start == MediaTime::ZERO {
            true => span.period.number.to_string(),
            false => format!("{}-{}", span.period.number, span.first),
        };
        let origin = if form == Form::Static { first } else { span.start };
        periods.push(Listed { span, id, origin, end, renditions });
    }
    // dash.js 5.2 goes to the end of a Period that it knows to be over, and where its tracks end a little apart it never
    // goes on from there to a Period that comes later: the end is told together with what follows at once.
    let waits =
        |last: &Listed<'_>| presentation.renewed && presentation.closed == Some(last.span.period.number);
    if form == Form::Live && periods.last().is_some_and(waits) {
        periods.last_mut().into_iter().for_each(|last| last.end = None);
    }
    periods
}

/// Where a presentation ends whose tracks end a little apart: a player that waits for every track at the end must
/// find them all there.
fn common_end(ends: impl Iterator<Item = MediaTime> + Clone) -> Option<MediaTime> {
    const LITTLE_MICROS: i64 = 500_000;
    let (first, last) = (ends.clone().min()?, ends.max()?);
    Some(if last.micros() - first.micros() <= LITTLE_MICROS { first } else { last })
}

/// Whether a rendition still makes its first segment of a span in which others have one. The Period is not shown
/// yet then, because the AdaptationSets of a Period do not change once it is.
fn begins(presentation: &Presentation, span: &Span, listed: &[(&Rendition, Vec<&Segment>)]) -> bool {
    let makes_first = |rendition: &&Arc<Rendition>| {
        let open = rendition.open.as_ref().filter(|open| open.number >= span.first);
        open.is_some() && !listed.iter().any(|(other, _)| other.name == rendition.name)
    };
    let just_begun = listed.iter().all(|(_, run)| run.len() <= 1);
    just_begun && presentation.renditions.iter().any(|rendition| makes_first(&rendition))
}

/// Whether the window has left all that a rendition has of a span in which others still have something. The Period goes
/// then, because its AdaptationSets do not go one by one.
fn leaves(presentation: &Presentation, span: &Span, until: u64, listed: &[Run<'_>]) -> bool {
    let has_media = |rendition: &Rendition| {
        let in_span = rendition.shown_from(span.first).take_while(|segment| segment.number < until);
        in_span.into_iter().any(|segment| !segment.is_gap())
    };
    let absent = |rendition: &Rendition| !listed.iter().any(|(other, _)| other.name == rendition.name);
    presentation.renditions.iter().any(|rendition| absent(rendition) && has_media(rendition))
}

/// The segments of a rendition that a span lists: an unbroken run, because `$Number$` counts on.
fn run<'a>(
    rendition: &'a Rendition,
    span: &Span,
    until: Option<u64>,
    open: Option<&'a Segment>,
) -> Vec<&'a Segment> {
    let mut run: Vec<&Segment> = Vec::new();
    let in_span = |number: u64| number >= span.first && until.is_none_or(|until| number < until);
    for segment in rendition.window().filter(|segment| in_span(segment.number)) {
        let follows = run.last().is_none_or(|last| last.number + 1 == segment.number);
        if segment.is_gap() || !follows {
            // What comes after a gap within a span is a sliver; before it is what was on air.
            if !run.is_empty() {
                break;
            }
            continue;
        }
        run.push(segment);
    }
    let goes_on = |open: &&Segment| run.last().is_some_and(|last| last.number + 1 == open.number);
    run.extend(open.filter(|open| in_span(open.number)).filter(goes_on));
    run
}
