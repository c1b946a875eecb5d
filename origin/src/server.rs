//! What the origin is made of, and where it listens.

use std::sync::Arc;

use axum::{Extension, Router};
use futures_util::future::join_all;
use stream::{Audience, Source, Storage};
use tls::Listener;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::accept::Entrance;
use crate::connection::{Connections, Error, Via};
use crate::doors::Doors;
use crate::guard::Guard;
use crate::metrics::Metrics;
use crate::problem::Problem;
use crate::route;
use crate::settings::Settings;
use crate::still::Stills;

/// Serves the playback plane, and whatever else is merged with it.
pub struct Server {
    settings: Settings,
    source: Arc<dyn Source>,
    storage: Arc<dyn Storage>,
    others: Router,
    metrics: Metrics,
    guard: Guard,
    stills: Option<Arc<dyn Stills>>,
}

impl Server {
    /// A server of what `source` finds, whose segments are in memory or in `storage`.
    pub fn new(settings: Settings, source: Arc<dyn Source>, storage: Arc<dyn Storage>) -> Server {
        let guard = Guard::new(settings.trusted_proxies.clone());
        let (others, metrics) = (Router::new(), Metrics::default());
        Server { settings, source, storage, others, metrics, guard, stills: None }
    }

    /// Asks `stills` for images of pictures; without, there are none.
    pub fn stills(self, stills: Arc<dyn Stills>) -> Server {
        Server { stills: Some(stills), ..self }
    }

    /// Serves `other` too.
    ///
    /// # Panics
    ///
    /// When two of them have the same route, or `other` has a fallback; where it has one of ours, when serving begins.
    pub fn merge(self, other: Router) -> Server {
        Server { others: self.others.merge(other), ..self }
    }

    /// Asks `doors` who may watch; without, everybody may watch everything, and no token is good.
    pub fn guarded(self, doors: Arc<dyn Doors>) -> Server {
        Server { guard: self.guard.asking(doors), ..self }
    }

    /// Notes in `audience` who watches.
    pub fn seen_by(self, audience: Arc<Audience>) -> Server {
        Server { guard: self.guard.seen_by(audience), ..self }
    }

    /// Counts in `metrics`.
    pub fn measured(self, metrics: &Metrics) -> Server {
        Server { metrics: metrics.clone(), ..self }
    }

    /// Answers on `listener`, in clear, until `shutdown` is cancelled and the running answers are finished or out of
    /// time.
    pub async fn serve(self, listener: TcpListener, shutdown: CancellationToken) {
        self.serve_all([Listener::plain(listener)], shutdown).await;
    }

    /// The same on several listeners, each in clear or over TLS, with one limit of connections for all.
    pub async fn serve_all(self, listeners: impl IntoIterator<Item = Listener>, shutdown: CancellationToken) {
        let entrance = Entrance::new(self.connections(), shutdown);
        join_all(listeners.into_iter().map(|listener| entrance.take(listener))).await;
        entrance.drained().await;
    }

    /// Answers on one connection that somebody else accepted, from a peer that has no address.
    pub async fn serve_connection<Io>(self, io: Io, shutdown: CancellationToken) -> Result<(), Error>
    where
        Io: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        self.connections().serve(io, Via::PROCESS, &shutdown).await
    }

    fn connections(self) -> Connections {
        let ours = route::counted(&self.settings, self.source, self.storage, &self.metrics);
        let ours = ours.layer(Extension(self.stills));
        let router = ours.merge(self.others).fallback(async || Problem::NoSuchPath);
        Connections::new(self.settings, router, self.metrics, self.guard)
    }
}
