//! A TCP listener, with TLS or without.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use tokio::net::{TcpListener, TcpStream};

use crate::acceptor::Acceptor;

/// A TCP listener, and what makes TLS of its connections where it is one for TLS.
pub struct Listener {
    socket: TcpListener,
    acceptor: Option<Acceptor>,
}

impl Listener {
    /// Connections are as they come.
    pub fn plain(socket: TcpListener) -> Listener {
        Listener { socket, acceptor: None }
    }

    /// Connections have to become TLS.
    pub fn tls(socket: TcpListener, acceptor: Acceptor) -> Listener {
        Listener { socket, acceptor: Some(acceptor) }
    }

    /// What makes TLS of its connections; `None` where they are plain.
    pub fn acceptor(&self) -> Option<&Acceptor> {
        self.acceptor.as_ref()
    }

    /// The next TCP connection; no handshake has begun.
    ///
    /// # Errors
    /// Those of `accept(2)`.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        self.socket.accept().await
    }

    /// The same for who waits for several; of several tasks only the last one is woken.
    ///
    /// # Errors
    /// Those of `accept(2)`.
    pub fn poll_accept(&self, context: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        self.socket.poll_accept(context)
    }
}
