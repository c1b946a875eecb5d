//! The accept loop.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use stream::{Audience, Refusals, Source, Storage, isolated};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::debug;

use crate::connection::{Connections, Error};
use crate::cut;
use crate::doors::Doors;
use crate::guard::Guard;
use crate::metrics::Metrics;
use crate::problem::Problem;
use crate::route;
use crate::settings::Settings;
use crate::still::Stills;

/// What a connection beyond the limit is told.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nCache-Control: no-store\r\n\
    Content-Length: 0\r\nConnection: close\r\n\r\n";

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

    /// Answers on `listener` until `shutdown` is cancelled and the running answers are finished or out of time.
    pub async fn serve(self, listener: TcpListener, shutdown: CancellationToken) {
        let connections = Arc::new(self.connections());
        let places = Arc::new(Semaphore::new(connections.settings().max_connections));
        let running = TaskTracker::new();
        while let Some(stream) = shutdown.run_until_cancelled(accept(&listener, &connections)).await {
            let Ok(place) = places.clone().try_acquire_owned() else {
                shed(&stream, &connections);
                continue;
            };
            let (connections, shutdown) = (connections.clone(), shutdown.clone());
            running.spawn(async move {
                serve_counted(&connections, stream, &shutdown).await;
                drop(place);
            });
        }
        drop(listener);
        running.close();
        running.wait().await;
    }

    /// Answers on one connection that somebody else accepted, from a peer that has no address.
    pub async fn serve_connection<Io>(self, io: Io, shutdown: CancellationToken) -> Result<(), Error>
    where
        Io: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        self.connections().serve(io, None, &shutdown).await
    }

    fn connections(self) -> Connections {
        let ours = route::counted(&self.settings, self.source, self.storage, &self.metrics);
        let ours = ours.layer(Extension(self.stills));
        let router = ours.merge(self.others).fallback(async || Problem::NoSuchPath);
        Connections::new(self.settings, router, self.metrics, self.guard)
    }
}

async fn serve_counted(connections: &Connections, stream: TcpStream, shutdown: &CancellationToken) {
    let metrics = connections.metrics();
    metrics.accepted.inc();
    metrics.connections.inc();
    serve_isolated(connections, stream, shutdown).await;
    metrics.connections.dec();
}

/// A panic ends its own connection and no other.
async fn serve_isolated(connections: &Connections, stream: TcpStream, shutdown: &CancellationToken) {
    let peer = stream.peer_addr().ok();
    let whose = peer.map_or_else(String::new, |peer| peer.to_string());
    let ended = isolated("HTTP connection", whose, connections.serve(stream, peer, shutdown)).await;
    if let Ok(Err(error)) = ended {
        report(&connections.metrics().refusals, peer, &*error);
    }
}

/// Who was cut is told of; who left is not.
fn report(refusals: &Refusals, peer: Option<SocketAddr>, error: &(dyn std::error::Error + 'static)) {
    match cut::reason(error) {
        Some(reason) => refusals.note(peer, reason, &cut::innermost(error)),
        None => debug!(?peer, %error, "HTTP connection ended"),
    }
}

/// The next connection; waits when there are no more file descriptors (EMFILE, ENFILE) or no memory.
async fn accept(listener: &TcpListener, connections: &Connections) -> TcpStream {
    let mut pause = Duration::from_millis(5);
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Without it a small last piece would wait for an acknowledgement. Failing is no reason to go.
                let _ = stream.set_nodelay(true);
                return stream;
            }
            Err(error) if of_the_peer(&error) => {}
            Err(error) => {
                cannot_accept(connections, &error);
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(1));
            }
        }
    }
}

fn cannot_accept(connections: &Connections, error: &io::Error) {
    let why = format_args!("cannot accept connections, trying again: {error}");
    connections.metrics().refusals.warn(None, "accept", &why);
}

/// Whether a connection failed that was about to be accepted, rather than the accepting.
fn of_the_peer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    )
}

/// Sends a connection away without ever waiting for it.
fn shed(stream: &TcpStream, connections: &Connections) {
    let why = format_args!(
        "{} connections are open (http.max_connections)",
        connections.settings().max_connections
    );
    connections.metrics().refusals.warn(stream.peer_addr().ok(), "full", &why);
    let _ = stream.try_write(FULL);
}
