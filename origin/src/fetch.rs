//! Answers that are media: initialization segments, segments, parts and fragments, wherever their bytes are.

use axum::response::Response;
use http::{HeaderMap, Method};
use packager::manifest::smooth::{self, Located};
use packager::names::Resource;
use packager::names::smooth::{FragmentName, Zero};
use stream::{Found, Viewer};

use crate::answer;
use crate::immutable::Immutable;
use crate::problem::Problem;
use crate::route::{Origin, why_not};
use crate::{growing, lookup};

/// A request for media.
pub(crate) struct Asked<'a> {
    pub(crate) entry: &'a str,
    pub(crate) viewer: Viewer,
    pub(crate) method: &'a Method,
    pub(crate) headers: &'a HeaderMap,
}

/// Whether it is here that a resource is answered.
pub(crate) fn is_media(resource: &Resource) -> bool {
    matches!(
        resource,
        Resource::Init { .. }
            | Resource::Segment { .. }
            | Resource::Part { .. }
            | Resource::Parts { .. }
            | Resource::Fragment(_)
    )
}

impl Origin {
    pub(crate) async fn fetch(&self, asked: &Asked<'_>, resource: &Resource) -> Result<Response, Problem> {
        let Asked { entry, viewer, method, headers } = *asked;
        if let Some(growing) = growing::find(&self.source, entry, viewer, resource) {
            return Ok(growing.response());
        }
        if let Resource::Fragment(name) = resource {
            return answer::immutable(&self.fragment(asked, name).await?, method, headers);
        }
        let found = self.immutable(entry, resource, viewer)?;
        let selected = answer::selected(&found, method, headers)?;
        if !selected.needs_bytes(method) {
            return Ok(answer::of(&found, selected));
        }
        self.read_ahead(asked, resource, &found);
        Ok(answer::of(&self.in_memory(found).await?, selected))
    }

    async fn in_memory(&self, found: Immutable) -> Result<Immutable, Problem> {
        match found {
            Immutable::Segment { kind, segment } => {
                Ok(Immutable::Segment { kind, segment: self.loading.load(&segment).await? })
            }
            found => Ok(found),
        }
    }

    fn read_ahead(&self, asked: &Asked<'_>, resource: &Resource, found: &Immutable) {
        let Resource::Segment { rendition, number } = resource else { return };
        if !found.is_stored() {
            return;
        }
        if let Some(view) = self.source.sessions(asked.entry, asked.viewer).iter().find(|view| {
            let rendition = view.presentation.rendition(rendition);
            rendition.is_some_and(|rendition| rendition.listed(*number).is_some())
        }) {
            self.loading.ahead(&view.presentation, rendition, *number);
        }
    }

    /// A Smooth fragment. Its length is known only when it is made.
    async fn fragment(&self, asked: &Asked<'_>, name: &FragmentName) -> Result<Immutable, Problem> {
        let mut located = match name.zero {
            None => self.located(asked, name)?,
            Some(zero) => self.located_since(zero, asked, name)?,
        };
        located.segment = self.loading.load(&located.segment).await?;
        // Our own header that cannot be read would be a bug of its writer.
        let fragment = located.fragment().ok_or(Problem::Gone)?;
        Ok(Immutable::Smooth { kind: fragment.kind, fragment, metadata_only: name.metadata_only })
    }

    fn located(&self, asked: &Asked<'_>, name: &FragmentName) -> Result<Located, Problem> {
        let sessions = self.source.sessions(asked.entry, asked.viewer);
        let found = lookup::search(&sessions, |presentation, _| {
            Some(smooth::locate(presentation, name)?.map_err(absent))
        });
        found.unwrap_or_else(|| Err(self.why_no_media(asked.entry, asked.viewer)))
    }

    /// What has its times from zero is of the one session that its name says.
    fn located_since(&self, zero: Zero, asked: &Asked<'_>, name: &FragmentName) -> Result<Located, Problem> {
        let view = match self.source.find(asked.entry, Some(zero.session), asked.viewer) {
            Found::View(view) => view,
            found => return Err(why_not(&found)),
        };
        let located = smooth::locate(&view.presentation, name).ok_or(Problem::NoSuchRendition)?;
        located.map_err(absent)
    }
}

fn absent(absent: smooth::Absent) -> Problem {
    match absent {
        smooth::Absent::NotYet => Problem::NotYet,
        smooth::Absent::Gone => Problem::Gone,
    }
}
