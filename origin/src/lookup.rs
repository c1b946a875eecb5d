//! Finding media among the sessions of an entry.
//!
//! Names are burnt: a number means one thing in all sessions together, so that whichever session holds it
//! answers. A session that is not the newest knows nothing of numbers beyond its end.

use std::sync::Arc;

use packager::manifest::hls;
use packager::names::Resource;
use packager::presentation::{Lookup, Presentation, Rendition};
use stream::View;

use crate::immutable::Immutable;
use crate::problem::Problem;

/// What `resource` names in `sessions`, newest first. `None` when no session knows its rendition, or when
/// `resource` is not media.
pub(crate) fn find(sessions: &[Arc<View>], resource: &Resource) -> Option<Result<Immutable, Problem>> {
    search(sessions, |presentation, newest| in_session(presentation, resource, newest))
}

/// What `look` finds in `sessions`, newest first; it is told whether a session is the newest one.
pub(crate) fn search<T>(
    sessions: &[Arc<View>],
    look: impl Fn(&Presentation, bool) -> Option<Result<T, Problem>>,
) -> Option<Result<T, Problem>> {
    let mut absent = None;
    for (age, view) in sessions.iter().enumerate() {
        match look(&view.presentation, age == 0) {
            Some(Ok(found)) => return Some(Ok(found)),
            // "Gone" is certain; "not yet" is what a session says of anything it has not seen.
            Some(Err(Problem::Gone)) => absent = Some(Err(Problem::Gone)),
            Some(problem) => absent = absent.or(Some(problem)),
            None => {}
        }
    }
    absent
}

fn in_session(
    presentation: &Presentation,
    resource: &Resource,
    newest: bool,
) -> Option<Result<Immutable, Problem>> {
    match resource {
        Resource::Init { rendition, period } => Some(init(presentation.rendition(rendition)?, *period)),
        Resource::Segment { rendition, number } => {
            let rendition = presentation.rendition(rendition)?;
            within(rendition, *number, newest).then(|| segment(rendition, *number, None))
        }
        Resource::Parts { rendition, number, last } => {
            let rendition = presentation.rendition(rendition)?;
            within(rendition, *number, newest).then(|| segment(rendition, *number, Some(*last)))
        }
        Resource::Part { rendition, number, index } => {
            let rendition = presentation.rendition(rendition)?;
            within(rendition, *number, newest).then(|| part(rendition, *number, *index))
        }
        _ => None,
    }
}

/// Whether this session can say anything about `number`.
pub(crate) fn within(rendition: &Rendition, number: u64, newest: bool) -> bool {
    newest || rendition.last().is_some_and(|last| number <= last.number)
}

fn init(rendition: &Rendition, period: u64) -> Result<Immutable, Problem> {
    match rendition.init_of(period) {
        Some(init) => Ok(Immutable::Init(init.clone())),
        None if rendition.init().is_some_and(|newest| period < newest.period) => Err(Problem::Gone),
        None => Err(Problem::NotYet),
    }
}

/// A segment; with `only`, the one that lost its tail after that part. Each has its own name, and nothing under the
/// other one's.
fn segment(rendition: &Rendition, number: u64, only: Option<u32>) -> Result<Immutable, Problem> {
    let segment = found(rendition.segment(number))?;
    match segment.stored().and_then(|stored| stored.only) == only {
        true => Ok(Immutable::Segment { kind: rendition.kind, segment }),
        false => Err(Problem::Gone),
    }
}

fn part(rendition: &Rendition, number: u64, index: u32) -> Result<Immutable, Problem> {
    if !hls::parts_stay(rendition, number) {
        return Err(Problem::Gone);
    }
    let part = found(rendition.part(number, index))?;
    let open = rendition.open.as_ref().filter(|open| open.number == number);
    let period = open.map(|open| &open.period).or_else(|| Some(&rendition.listed(number)?.period));
    let period = period.ok_or(Problem::Gone)?.number;
    Ok(Immutable::Part { kind: rendition.kind, period, number, part })
}

fn found<T>(lookup: Lookup<'_, Arc<T>>) -> Result<Arc<T>, Problem> {
    match lookup {
        Lookup::Found(found) => Ok(found.clone()),
        Lookup::NotYet => Err(Problem::NotYet),
        Lookup::Gone => Err(Problem::Gone),
    }
}
