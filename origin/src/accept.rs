//! The accept loop: how many connections there are, and how each ends.
//!
//! A TLS handshake is part of its connection: it takes a place, has its time, and what goes wrong in it ends nothing else.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use stream::{Refusals, isolated};
use tls::{Acceptor, Failed, Listener};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::debug;

use crate::connection::{Connections, Error, Via};
use crate::cut;

/// What a connection beyond the limit is told.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nCache-Control: no-store\r\n\
    Content-Length: 0\r\nConnection: close\r\n\r\n";

/// What somebody is told who speaks HTTP in clear where TLS is spoken.
const NOT_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Cache-Control: no-store\r\nContent-Length: 51\r\nConnection: close\r\n\r\n\
    This port speaks HTTPS: ask again with https://...\n";

/// How long, and for how many bytes, somebody who was told so is heard out; else a reset would take the answer away.
const LINGER: (Duration, u64) = (Duration::from_secs(1), 16 << 10);

/// Where all connections come in, whichever listener they come to.
pub(crate) struct Entrance {
    connections: Arc<Connections>,
    places: Arc<Semaphore>,
    running: TaskTracker,
    shutdown: CancellationToken,
}

impl Entrance {
    pub(crate) fn new(connections: Connections, shutdown: CancellationToken) -> Entrance {
        let places = Arc::new(Semaphore::new(connections.settings().max_connections));
        Entrance { connections: Arc::new(connections), places, running: TaskTracker::new(), shutdown }
    }

    /// Takes connections until the shutdown.
    pub(crate) async fn take(&self, listener: Listener) {
        let next = || accept(&listener, &self.connections);
        while let Some((stream, peer)) = self.shutdown.run_until_cancelled(next()).await {
            let Ok(place) = self.places.clone().try_acquire_owned() else {
                shed(&stream, peer, listener.acceptor().is_some(), &self.connections);
                continue;
            };
            let (connections, shutdown) = (self.connections.clone(), self.shutdown.clone());
            let acceptor = listener.acceptor().cloned();
            self.running.spawn(async move {
                serve_counted(&connections, stream, peer, acceptor, &shutdown).await;
                drop(place);
            });
        }
    }

    /// Returns when all connections have ended.
    pub(crate) async fn drained(self) {
        self.running.close();
        self.running.wait().await;
    }
}

async fn serve_counted(
    connections: &Connections,
    stream: TcpStream,
    peer: SocketAddr,
    acceptor: Option<Acceptor>,
    shutdown: &CancellationToken,
) {
    let metrics = connections.metrics();
    metrics.accepted.inc();
    metrics.connections.inc();
    // A panic ends its own connection and no other.
    let served = serve(connections, stream, peer, acceptor, shutdown);
    if let Ok(Err(error)) = isolated("HTTP connection", peer, served).await {
        report(&metrics.refusals, peer, &*error);
    }
    metrics.connections.dec();
}

async fn serve(
    connections: &Connections,
    stream: TcpStream,
    peer: SocketAddr,
    acceptor: Option<Acceptor>,
    shutdown: &CancellationToken,
) -> Result<(), Error> {
    let via = Via { peer: Some(peer), tls: acceptor.is_some() };
    let Some(acceptor) = acceptor else { return connections.serve(stream, via, shutdown).await };
    // In a place of its own: a handshake takes several times what a connection does, and is over soon.
    match shutdown.run_until_cancelled(Box::pin(acceptor.accept(stream))).await {
        Some(Ok(stream)) => connections.serve(stream, via, shutdown).await,
        Some(Err(failed)) => Err(told(failed).await.into()),
        None => Ok(()),
    }
}

/// Tells a client that speaks HTTP in clear what this port is for.
async fn told(mut failed: Failed) -> Failed {
    if let Failed::NotTls { first, socket } = &mut failed
        && first.is_ascii_uppercase()
    {
        let tell = async {
            socket.write_all(NOT_TLS).await?;
            socket.shutdown().await?;
            tokio::io::copy(&mut socket.take(LINGER.1), &mut tokio::io::sink()).await
        };
        let _ = timeout(LINGER.0, tell).await;
    }
    failed
}

/// Who was cut is told of; who left is not.
fn report(refusals: &Refusals, peer: SocketAddr, error: &(dyn std::error::Error + 'static)) {
    match cut::reason(error) {
        Some(reason) => refusals.note(Some(peer), reason, &cut::innermost(error)),
        None => debug!(%peer, %error, "HTTP connection ended"),
    }
}

/// The next connection; waits when there are no more file descriptors (EMFILE, ENFILE) or no memory.
async fn accept(listener: &Listener, connections: &Connections) -> (TcpStream, SocketAddr) {
    let mut pause = Duration::from_millis(5);
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Without it a small last piece would wait for an acknowledgement. Failing is no reason to go.
                let _ = stream.set_nodelay(true);
                return (stream, peer);
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

/// Sends a connection away without ever waiting for it. Over TLS there are no words for it that cost nothing.
fn shed(stream: &TcpStream, peer: SocketAddr, tls: bool, connections: &Connections) {
    let why = format_args!(
        "{} connections are open (http.max_connections)",
        connections.settings().max_connections
    );
    connections.metrics().refusals.warn(Some(peer), "full", &why);
    if !tls {
        let _ = stream.try_write(FULL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_in_clear_has_the_length_that_it_says() {
        let text = std::str::from_utf8(NOT_TLS).expect("text");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{}", body.len());
    }
}
