//! The accept loop.

use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures_util::FutureExt;
use stream::Source;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, error, warn};

use crate::connection::{Connections, Error};
use crate::metrics::Metrics;
use crate::problem::Problem;
use crate::route;
use crate::settings::Settings;

/// What a connection beyond the limit is told.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nCache-Control: no-store\r\n\
    Content-Length: 0\r\nConnection: close\r\n\r\n";

/// Serves the playback plane, and whatever else is merged with it.
pub struct Server {
    settings: Settings,
    router: Router,
    metrics: Metrics,
}

impl Server {
    /// A server of what `source` finds.
    pub fn new(settings: Settings, source: Arc<dyn Source>) -> Server {
        let router = route::router(&settings, source);
        Server { settings, router, metrics: Metrics::default() }
    }

    /// Serves `other` too.
    ///
    /// # Panics
    ///
    /// When both have the same route, or `other` has a fallback.
    pub fn merge(self, other: Router) -> Server {
        Server { router: self.router.merge(other), ..self }
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
        while let Some(stream) = shutdown.run_until_cancelled(accept(&listener)).await {
            let Ok(place) = places.clone().try_acquire_owned() else {
                connections.metrics().refuse("too-many-connections");
                shed(&stream);
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

    /// Answers on one connection that somebody else accepted.
    pub async fn serve_connection<Io>(self, io: Io, shutdown: CancellationToken) -> Result<(), Error>
    where
        Io: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        self.connections().serve(io, &shutdown).await
    }

    fn connections(self) -> Connections {
        let router = self.router.fallback(async || Problem::NoSuchPath);
        Connections::new(self.settings, router, self.metrics)
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
    match AssertUnwindSafe(connections.serve(stream, shutdown)).catch_unwind().await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => debug!(?peer, %error, "connection ended"),
        Err(_) => error!(?peer, "connection ended by a panic: a bug of ours"),
    }
}

/// The next connection; waits when there are no more file descriptors (EMFILE, ENFILE) or no memory.
async fn accept(listener: &TcpListener) -> TcpStream {
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
                warn!(%error, "cannot accept a connection; trying again in {pause:?}");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(1));
            }
        }
    }
}

/// Whether a connection failed that was about to be accepted, rather than the accepting.
fn of_the_peer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    )
}

/// Sends a connection away without ever waiting for it.
fn shed(stream: &TcpStream) {
    let _ = stream.try_write(FULL);
}
