//! Whether a hinted part has come (RFC 8216bis §6.2.6).

use std::sync::Arc;

use packager::manifest::hls;
use packager::names::Resource;
use stream::View;

use crate::blocking::Look;
use crate::lookup;
use crate::problem::Problem;

/// Looks for `resource` among the sessions of its entry, newest first. Only what comes next is waited for; what was
/// waited for and is not made is not found.
pub(crate) fn look(sessions: &[Arc<View>], resource: &Resource, again: bool) -> Look {
    match lookup::find(sessions, resource) {
        Some(Ok(_)) => Look::Done(Ok(())),
        Some(Err(Problem::NotYet)) if let Some(wait) = expected(sessions, resource) => wait,
        _ if again => Look::Done(Err(Problem::NeverMade)),
        // The answer says why not.
        _ => Look::Done(Ok(())),
    }
}

/// Whom to listen to, where the newest session is about to make `resource`.
fn expected(sessions: &[Arc<View>], resource: &Resource) -> Option<Look> {
    let view = sessions.first()?;
    let presentation = &view.presentation;
    let Resource::Part { rendition: name, number, index } = resource else { return None };
    let next = hls::awaits_part(presentation.rendition(name)?, *number, *index);
    let (_, version) = view.rendition(name).filter(|_| next)?;
    Some(Look::Wait { version, target_duration: presentation.session.target_duration })
}
