//! The tokio skin: a listener, and a task for each connection.
//!
//! No connection can take the listener down: a panic stays in its task, and running out of file descriptors means
//! waiting, not ending. RTMPS is the same over TLS, whose handshake is part of its connection.

mod connection;
mod connections;

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use stream::{Admit, Directory, Protocol};
use tls::{Acceptor, Failed, Listener};
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

/// What a client begins with in clear: C0, the version (5.2.2).
const VERSION: u8 = 3;

/// A connection that came.
struct Accepted {
    socket: TcpStream,
    peer: SocketAddr,
    /// What makes TLS of it, where it came to a listener for that.
    acceptor: Option<Acceptor>,
}

impl Server {
    /// A server that asks `admit` about publishers and puts them on air in `directory`.
    pub fn new(settings: Settings, admit: Arc<dyn Admit>, directory: Directory) -> Server {
        Server { settings, admit, directory, metrics: Metrics::default() }
    }

    /// Counts in `metrics`.
    pub fn measured(self, metrics: &Metrics) -> Server {
        Server { metrics: metrics.clone(), ..self }
    }

    /// Serves on `listener`, in clear, until `shutdown`, then tells publishers, and returns when they are gone or
    /// [`Limits::reconnect`] and [`Limits::drain`] are over. Nobody is accepted meanwhile.
    pub async fn serve(self, listener: TcpListener, shutdown: CancellationToken) {
        self.serve_all(vec![Listener::plain(listener)], shutdown).await;
    }

    /// The same on several listeners, each in clear or over TLS, with one limit of connections for all.
    pub async fn serve_all(self, listeners: Vec<Listener>, shutdown: CancellationToken) {
        let limits = self.settings.limits;
        let server = Arc::new(self);
        let mut connections = Connections::new(limits.connections, server.metrics.refusals.clone());
        let mut backoff = BACKOFF.0;
        let mut turn = 0;
        loop {
            let accepted = tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                () = connections.ended() => {
                    server.metrics.connections.set(connections.len() as i64);
                    continue;
                }
                accepted = accept(&listeners, &mut turn) => accepted,
            };
            match accepted {
                Ok(accepted) => {
                    backoff = BACKOFF.0;
                    server.begin(&mut connections, accepted, &shutdown);
                }
                Err(error) => backoff = server.wait(&error, backoff).await,
            }
        }
        drop(listeners);
        connections.drain(limits.reconnect + limits.drain).await;
    }

    fn begin(
        self: &Arc<Self>,
        connections: &mut Connections,
        Accepted { socket, peer, acceptor }: Accepted,
        shutdown: &CancellationToken,
    ) {
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        let (server, shutdown) = (self.clone(), shutdown.clone());
        let begun = connections.begin(peer, async move {
            // Who went already is noticed soon enough.
            let _ = socket.set_nodelay(true);
            match acceptor {
                None => Connection::new(server, socket, Protocol::Rtmp, peer).run(&shutdown).await,
                Some(acceptor) => server.over_tls(&acceptor, socket, peer, &shutdown).await,
            }
        });
        if begun {
            self.metrics.accepted.inc();
        }
        self.metrics.connections.set(connections.len() as i64);
    }

    async fn over_tls(
        self: Arc<Self>,
        acceptor: &Acceptor,
        socket: TcpStream,
        peer: SocketAddr,
        shutdown: &CancellationToken,
    ) {
        // In a place of its own: a handshake takes several times what a connection does, and is over soon.
        match shutdown.run_until_cancelled(Box::pin(acceptor.accept(socket))).await {
            Some(Ok(socket)) => Connection::new(self, socket, Protocol::Rtmps, peer).run(shutdown).await,
            Some(Err(failed)) => self.report(peer, &failed),
            None => {}
        }
    }

    fn report(&self, peer: SocketAddr, failed: &Failed) {
        let refusals = &self.metrics.refusals;
        match (failed, failed.word()) {
            (Failed::NotTls { first: VERSION, .. }, _) => {
                let why = "speaks RTMP in clear where RTMPS is spoken: rtmps:// instead of rtmp://";
                refusals.warn(Some(peer), "not-tls", &why);
            }
            (_, Some(word)) => refusals.note(Some(peer), word, failed),
            (_, None) => tracing::debug!(%peer, "RTMPS connection ends: {failed}"),
        }
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

/// The next connection of any listener. They take turns at being asked first, so that a flood of one is not the end of
/// the others.
async fn accept(listeners: &[Listener], turn: &mut usize) -> io::Result<Accepted> {
    let (at, accepted) = poll_fn(|context| {
        let order = (0..listeners.len()).map(|step| (*turn + step) % listeners.len());
        for at in order {
            if let Poll::Ready(accepted) = listeners[at].poll_accept(context) {
                return Poll::Ready((at, accepted));
            }
        }
        Poll::Pending
    })
    .await;
    *turn = at + 1;
    let (socket, peer) = accepted?;
    Ok(Accepted { socket, peer, acceptor: listeners[at].acceptor().cloned() })
}
