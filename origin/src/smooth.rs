//! Smooth Streaming: what its manifest waits for, and finding its fragments.

use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use http::{HeaderMap, Uri};
use packager::Presentation;
use packager::manifest::smooth;
use packager::names::Resource;
use packager::names::smooth::FragmentName;
use stream::{Found, Source, View, Viewer};
use tokio::time::timeout;

use crate::immutable::Immutable;
use crate::manifest::{Key, Which};
use crate::problem::Problem;
use crate::route::{Origin, Wanted, timely};
use crate::{answer, target};

/// A manifest of a stream that has something to play, but not for Smooth yet, is waited for: a client that gets none
/// gives up.
pub(crate) async fn await_start(source: &dyn Source, hold: Duration, uri: &Uri, viewer: Viewer) {
    if let (Ok((entry, Resource::Smooth)), Ok(query)) =
        (target::parse(uri.path()), target::query(uri.query()))
    {
        // Started or not, the answer says.
        let _ = timeout(hold, started(source, entry, query.session, viewer)).await;
    }
}

async fn started(source: &dyn Source, entry: &str, session: Option<u64>, viewer: Viewer) {
    while let Found::View(view) = source.find(entry, session, viewer) {
        let Some((rendition, version)) = lacking(&view) else { return };
        source.changed(entry, session, viewer, &rendition, version).await;
    }
}

/// The rendition that has to go on before there is a manifest, with its version.
fn lacking(view: &View) -> Option<(Arc<str>, u64)> {
    if view.presentation.ended || smooth::playable(&view.presentation) {
        return None;
    }
    let newest = |rendition: &&Arc<packager::Rendition>| rendition.last().map(|last| last.number);
    let slowest =
        view.presentation.renditions.iter().filter(|rendition| rendition.alive()).min_by_key(newest)?;
    view.rendition(&slowest.name).map(|(rendition, version)| (rendition.name.clone(), version))
}

impl Origin {
    /// The client manifest. That there is none yet is found out once for all who ask, too.
    pub(crate) fn smooth(&self, wanted: &Wanted<'_>, headers: &HeaderMap) -> Result<Response, Problem> {
        let view = self.view(wanted)?;
        let presentation = &view.presentation;
        let key = Key { version: view.version, which: Which::Smooth, options: wanted.query.options };
        let write = || smooth::manifest(presentation, &key.options).unwrap_or_default();
        let rendered = self.renderings.get(key, write);
        if rendered.plain().body.is_empty() {
            return Err(Problem::Starting);
        }
        Ok(answer::manifest(&rendered, answer::SMOOTH, timely(presentation.ended, &view), headers))
    }
}

/// The fragment in one session. `None` when that session has no such stream or quality.
pub(crate) fn find(presentation: &Presentation, name: &FragmentName) -> Option<Result<Immutable, Problem>> {
    let FragmentName { bitrate, stream, time, metadata_only } = name;
    let found = smooth::fragment(presentation, stream, *bitrate, *time)?;
    Some(match found {
        Ok(fragment) => {
            Ok(Immutable::Smooth { kind: fragment.kind, fragment, metadata_only: *metadata_only })
        }
        Err(smooth::Absent::NotYet) => Err(Problem::NotYet),
        Err(smooth::Absent::Gone) => Err(Problem::Gone),
    })
}
