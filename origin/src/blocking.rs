//! Requests that wait: for a playlist to list what they name (RFC 8216bis §6.2.5.2), or for the resource that a playlist
//! hinted at (§6.2.6).
//!
//! Whoever waits hears the bell of one rendition and looks again; between two looks he holds no snapshot. He waits for
//! three target durations at most, and only so many wait at a time. What is rendered for him then is rendered once for
//! all.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::metrics::gauge::Gauge;
use stream::{Source, Viewer};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::yield_now;
use tokio::time::{Instant, timeout_at};

use crate::problem::Problem;

/// How long a request is held, in target durations (RFC 8216bis §6.2.5.2).
const PATIENCE: u32 = 3;

/// The places of those who wait.
pub(crate) struct Blocking {
    places: Arc<Semaphore>,
    blocked: Gauge,
}

/// Whose bell to listen to.
pub(crate) struct Bell<'a> {
    pub(crate) source: &'a dyn Source,
    pub(crate) entry: &'a str,
    pub(crate) session: Option<u64>,
    pub(crate) viewer: Viewer,
    pub(crate) rendition: &'a str,
}

/// What a look at the stream says.
#[derive(Debug)]
pub(crate) enum Look {
    /// There is nothing to wait for, or no use in it.
    Done(Result<(), Problem>),
    /// It may come with another version of the rendition.
    Wait { version: u64, target_duration: u32 },
}

/// A place among those who wait, until it is dropped.
struct Place {
    blocked: Gauge,
    _permit: OwnedSemaphorePermit,
}

impl Blocking {
    /// Lets `places` wait at a time and counts them in `blocked`.
    pub(crate) fn new(places: usize, blocked: Gauge) -> Blocking {
        let places = Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS)));
        Blocking { places, blocked }
    }

    /// Waits until `look`, which is told whether it is not the first time, has seen enough.
    pub(crate) async fn until(&self, bell: Bell<'_>, look: impl Fn(bool) -> Look) -> Result<(), Problem> {
        let begun = Instant::now();
        let mut place = None;
        let mut seen = None;
        loop {
            let (version, target_duration) = match look(place.is_some()) {
                Look::Done(done) => return done,
                Look::Wait { version, target_duration } => (version, target_duration),
            };
            if place.is_none() {
                place = Some(self.enter(target_duration)?);
            }
            // A bell may ring for nothing, but must not keep others from their work.
            if seen.replace(version) == Some(version) {
                yield_now().await;
            }
            let Bell { source, entry, session, viewer, rendition } = bell;
            let end = begun + Duration::from_secs(target_duration.into()) * PATIENCE;
            let changed = source.changed(entry, session, viewer, rendition, version);
            timeout_at(end, changed).await.map_err(|_| Problem::NotInTime { target_duration })?;
        }
    }

    fn enter(&self, target_duration: u32) -> Result<Place, Problem> {
        let full = |_| Problem::TooManyWaiting { target_duration };
        let permit = self.places.clone().try_acquire_owned().map_err(full)?;
        self.blocked.inc();
        Ok(Place { blocked: self.blocked.clone(), _permit: permit })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.blocked.dec();
    }
}
