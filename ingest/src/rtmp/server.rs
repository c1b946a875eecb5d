//! The tokio skin: a listener, and a task for each connection.
//!
//! No connection can take the listener down: a panic stays in its task, and running out of file descriptors means
//! waiting, not ending.

mod connection;
mod connections;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use stream::{Admit, Directory};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::{Limits, Metrics};
use connection::Connection;
use connections::Connections;

/// How the RTMP listener behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Settings {
    /// What one peer may cost.
    pub limits: Limits,
}

/// Takes publishers by RTMP.
pub struct Server {
    settings: Settings,
    admit: Arc<dyn Admit>,
    directory: Directory,
    metrics: Metrics,
}

/// How long to wait before accepting again when that fails, at first and at most.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));

impl Server {
    /// A server that asks `admit` about publishers and puts them on air in `directory`.
    pub fn new(settings: Settings, admit: Arc<dyn Admit>, directory: Directory) -> Server {
        Server { settings, admit, directory, metrics: Metrics::default() }
    }

    /// Counts in `metrics`.
    pub fn measured(self, metrics: &Metrics) -> Server {
        Server { metrics: metrics.clone(), ..self }
    }

    /// Serves until `shutdown`, then tells publishers, and returns when they are gone or
    /// [`Limits::drain`] is over.
    pub async fn serve(self, listener: TcpListener, shutdown: CancellationToken) {
        let limits = self.settings.limits;
        let server = Arc::new(self);
        let mut connections = Connections::new(limits.connections, server.metrics.refusals.clone());
        let mut backoff = BACKOFF.0;
        loop {
            let accepted = tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                () = connections.ended() => {
                    server.metrics.connections.set(connections.len() as i64);
                    continue;
                }
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((socket, peer)) => {
                    backoff = BACKOFF.0;
                    server.begin(&mut connections, socket, peer, &shutdown);
                }
                Err(error) => backoff = server.wait(&error, backoff).await,
            }
        }
        drop(listener);
        connections.drain(limits.drain).await;
    }

    fn begin(
        self: &Arc<Self>,
        connections: &mut Connections,
        socket: TcpStream,
        peer: SocketAddr,
        shutdown: &CancellationToken,
    ) {
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        let (server, shutdown) = (self.clone(), shutdown.clone());
        let begun = connections.begin(peer, async move {
            Connection::new(server, socket, peer).run(&shutdown).await;
        });
        if begun {
            self.metrics.accepted.inc();
        }
        self.metrics.connections.set(connections.len() as i64);
    }

    /// Waits before accepting again, and gives the time to wait after the next failure.
    async fn wait(&self, error: &io::Error, backoff: Duration) -> Duration {
        if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted) {
            return backoff;
        }
        self.metrics.refusals.warn(
            None,
            "accept",
            &format_args!("cannot accept connections, trying again: {error}"),
        );
        tokio::time::sleep(backoff).await;
        (backoff * 2).min(BACKOFF.1)
    }
}
