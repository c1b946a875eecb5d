//! Everything that an entry shows as one MP4 to keep: `download.mp4`.
//!
//! Its head is made of the headers of all fragments, which are read once however many ask, and is kept within a limit.
//! The rest is payload where it lies, read while it is sent: an answer holds a few pieces of it and never the file.

mod body;
mod layouts;

use std::sync::Arc;

use axum::response::Response;
use http::{HeaderMap, Method, Uri};
use packager::progressive::Plan;
use stream::{Storage, Viewer};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::answer;
use crate::etag;
use crate::problem::Problem;
use crate::range::{self, Selection};
use crate::route::{Origin, timely};
use crate::settings::Settings;
use crate::target;
use layouts::{Key, Layouts};

/// A request for a file.
pub(crate) struct Asked<'a> {
    pub(crate) entry: &'a str,
    pub(crate) viewer: Viewer,
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
}

/// The files that are made and sent.
pub(crate) struct Downloads {
    layouts: Layouts,
    storage: Arc<dyn Storage>,
    places: Arc<Semaphore>,
}

impl Downloads {
    pub(crate) fn new(settings: &Settings, storage: Arc<dyn Storage>) -> Downloads {
        let layouts = Layouts::new(settings, storage.clone());
        Downloads { layouts, storage, places: Arc::new(Semaphore::new(settings.max_downloads)) }
    }

    fn place(&self) -> Result<OwnedSemaphorePermit, Problem> {
        self.places.clone().try_acquire_owned().map_err(|_| Problem::TooManyDownloads)
    }
}

impl Origin {
    pub(crate) async fn download(&self, asked: &Asked<'_>) -> Result<Response, Problem> {
        let wanted = self.wanted(asked.entry, asked.uri, false, asked.viewer)?;
        let view = self.view(&wanted)?;
        if !view.presentation.ended {
            return Err(Problem::StillOnAir);
        }
        let query = asked.uri.query().unwrap_or_default();
        let rendition = target::only(query, "rendition").map_err(|()| Problem::BadRendition)?;
        let key = Key::new(&view, wanted.query.options.window, rendition);
        let plan = || Plan::new(&view.presentation, rendition).map_err(|unfit| layouts::problem(&unfit));
        let made = self.downloads.layouts.get(key, plan).await?;
        let (etag, class) = (etag::quoted(&made.tag), timely(true, &view));
        if etag::not_modified(asked.headers, &etag) {
            return Ok(answer::not_modified(class, &etag));
        }
        let len = made.layout.len;
        // Range means something with GET alone (RFC 9110 §14.2).
        let ranged = asked.method == Method::GET && etag::range_applies(asked.headers, &etag);
        let (range, partial) =
            match if ranged { range::selection(asked.headers, len) } else { Selection::Whole } {
                Selection::Whole => (0..len, false),
                Selection::Bytes(range) => (range, true),
                Selection::Unsatisfiable => return Err(Problem::Unsatisfiable { len }),
            };
        let body = if asked.method == Method::HEAD {
            axum::body::Body::empty()
        } else {
            body::of(made, range.clone(), self.downloads.storage.clone(), self.downloads.place()?)
        };
        let whole = answer::Whole { len, range, partial };
        Ok(answer::download(body, &whole, asked.entry, class, &etag))
    }
}
