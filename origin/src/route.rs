//! From a request to an answer.

use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http::{HeaderMap, Method, Uri};
use media::WallTime;
use packager::manifest::{dash, hls};
use packager::names::Resource;
use stream::{Found, Source, View};

use crate::cache_control::Class;
use crate::freshness::Freshness;
use crate::immutable::Immutable;
use crate::manifest::{Key, Renderings, Which};
use crate::problem::Problem;
use crate::settings::Settings;
use crate::{answer, cors, lookup, target};

/// The playback plane: `/play/ENTRY/…`. Other routers may be merged with it; it has no fallback of its own.
pub fn router(settings: &Settings, source: Arc<dyn Source>) -> Router {
    let origin = Arc::new(Origin::new(settings, source));
    Router::new().route("/play/{*below}", any(play)).with_state(origin)
}

async fn play(State(origin): State<Arc<Origin>>, request: Request) -> Response {
    match *request.method() {
        Method::GET | Method::HEAD => origin
            .answer(request.method(), request.uri(), request.headers())
            .unwrap_or_else(Problem::into_response),
        Method::OPTIONS => cors::preflight(),
        _ => Problem::Method.into_response(),
    }
}

struct Origin {
    source: Arc<dyn Source>,
    renderings: Renderings,
    freshness: Freshness,
}

impl Origin {
    fn new(settings: &Settings, source: Arc<dyn Source>) -> Origin {
        let freshness = Freshness::new(settings.max_tracked_entries);
        Origin { source, renderings: Renderings::new(settings), freshness }
    }

    fn answer(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<Response, Problem> {
        let (entry, resource) = target::parse(uri.path())?;
        let session = || target::session(uri.query());
        match resource {
            Resource::Time => Ok(answer::clock(now())),
            Resource::Multivariant => self.multivariant(entry, session()?, headers),
            Resource::Mpd => self.mpd(entry, session()?, headers),
            Resource::Playlist { rendition } => self.playlist(entry, &rendition, session()?, headers),
            resource => answer::immutable(&self.immutable(entry, &resource)?, method, headers),
        }
    }

    fn multivariant(
        &self,
        entry: &str,
        session: Option<u64>,
        headers: &HeaderMap,
    ) -> Result<Response, Problem> {
        let view = self.view(entry, session)?;
        let presentation = &view.presentation;
        let key = Key { version: view.version, which: Which::Multivariant, pinned: session.is_some() };
        let rendered = self.renderings.get(key, || hls::multivariant(presentation));
        let etag = &rendered.plain().etag;
        let unsettled = self.freshness.unsettled(entry, presentation.session.id, etag, Instant::now());
        let class = if presentation.ended { Class::Ended } else { Class::Multivariant { unsettled } };
        Ok(answer::manifest(&rendered, answer::HLS, class, headers))
    }

    fn playlist(
        &self,
        entry: &str,
        name: &str,
        session: Option<u64>,
        headers: &HeaderMap,
    ) -> Result<Response, Problem> {
        let view = self.view(entry, session)?;
        let (rendition, version) = view.rendition(name).ok_or(Problem::NoSuchRendition)?;
        if rendition.segments.is_empty() {
            return Err(Problem::Starting);
        }
        let key = Key { version, which: Which::Playlist, pinned: session.is_some() };
        let rendered = self.renderings.get(key, || hls::media(rendition));
        Ok(answer::manifest(&rendered, answer::HLS, timely(rendition.ended, &view), headers))
    }

    fn mpd(&self, entry: &str, session: Option<u64>, headers: &HeaderMap) -> Result<Response, Problem> {
        let view = self.view(entry, session)?;
        let pinned = session.is_some();
        let key = Key { version: view.version, which: Which::Mpd, pinned };
        let rendered = self.renderings.get(key, || dash::mpd(&view.presentation, pinned));
        Ok(answer::manifest(&rendered, answer::DASH, timely(view.presentation.ended, &view), headers))
    }

    fn view(&self, entry: &str, session: Option<u64>) -> Result<Arc<View>, Problem> {
        match self.source.find(entry, session) {
            Found::View(view) if view.presentation.playable() => Ok(view),
            found => Err(why_not(&found)),
        }
    }

    fn immutable(&self, entry: &str, resource: &Resource) -> Result<Immutable, Problem> {
        match lookup::find(&self.source.sessions(entry), resource) {
            Some(answer) => answer,
            None => Err(match self.source.find(entry, None) {
                Found::View(view) if view.presentation.playable() => Problem::NoSuchRendition,
                found => why_not(&found),
            }),
        }
    }
}

fn why_not(found: &Found) -> Problem {
    match found {
        Found::Unknown => Problem::UnknownEntry,
        Found::Offline => Problem::NotLive,
        Found::Starting | Found::View(_) => Problem::Starting,
    }
}

fn timely(ended: bool, view: &View) -> Class {
    match ended {
        true => Class::Ended,
        false => Class::Live { target_duration: view.presentation.session.target_duration },
    }
}

fn now() -> WallTime {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    WallTime::from_micros(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
}
