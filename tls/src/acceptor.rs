//! From a TCP connection to a TLS one, within a bounded time.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::aws_lc_rs;
use rustls::{Error, ServerConfig, ServerConnection};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::identity::Identity;

/// A TLS connection over TCP.
pub type Stream = tokio_rustls::server::TlsStream<TcpStream>;

/// The first byte of a TLS connection: a record of the handshake (RFC 8446 §5.1).
const HANDSHAKE: u8 = 22;

/// Bytes that a connection takes over beyond what the kernel does: two records. What is here counts as taken by the peer,
/// so that more would keep who takes nothing.
const UNSENT: usize = 32 << 10;

/// Makes TLS of TCP connections. Cloning shares everything.
#[derive(Clone)]
pub struct Acceptor {
    rustls: TlsAcceptor,
    patience: Duration,
}

/// Why there is no TLS connection.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The peer left without a word.
    #[error("left before its TLS handshake")]
    Left,
    /// The peer took too long.
    #[error("no TLS handshake within {0:?}")]
    Slow(Duration),
    /// The peer speaks something else. Nothing was read: what it says can be, and it can be told so.
    #[error("speaks no TLS: its first byte is {first}")]
    NotTls {
        /// What it began with.
        first: u8,
        /// The connection as it came.
        socket: TcpStream,
    },
    /// The handshake failed; the peer was told by an alert.
    #[error("TLS handshake: {0}")]
    Handshake(io::Error),
}

impl Failed {
    /// A short word where the peer was cut for what it did; `None` where it left.
    pub fn word(&self) -> Option<&'static str> {
        match self {
            Failed::Left => None,
            Failed::Slow(_) => Some("slow-handshake"),
            Failed::NotTls { .. } => Some("not-tls"),
            // A connection that was lost is nobody's fault.
            Failed::Handshake(error) => is_of_tls(error).then_some("tls-handshake"),
        }
    }
}

fn is_of_tls(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Error>())
}

impl Acceptor {
    /// Shows `identity`, agrees on one of the protocols `alpn` (none where it is empty), and gives up on a handshake
    /// after `patience`.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn new(identity: &Identity, alpn: &[&[u8]], patience: Duration) -> Result<Acceptor, Error> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let mut config = config.with_no_client_auth().with_cert_resolver(identity.resolver());
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        // Sessions are resumed from what the client keeps, so that a crowd that comes back costs no memory.
        config.ticketer = aws_lc_rs::Ticketer::new()?;
        Ok(Acceptor { rustls: TlsAcceptor::from(Arc::new(config)), patience })
    }

    /// The TLS connection over `socket`, once the handshake is done.
    ///
    /// # Errors
    /// When the peer speaks no TLS, or not with us, or keeps us waiting. What is no TLS is noticed with the first byte,
    /// before anything is read or any memory taken.
    pub async fn accept(&self, socket: TcpStream) -> Result<Stream, Failed> {
        let done = timeout(self.patience, self.handshake(socket)).await;
        done.unwrap_or(Err(Failed::Slow(self.patience)))
    }

    async fn handshake(&self, socket: TcpStream) -> Result<Stream, Failed> {
        let mut first = [0];
        match socket.peek(&mut first).await {
            Ok(0) | Err(_) => return Err(Failed::Left),
            Ok(_) if first != [HANDSHAKE] => return Err(Failed::NotTls { first: first[0], socket }),
            Ok(_) => {}
        }
        let limited = |connection: &mut ServerConnection| connection.set_buffer_limit(Some(UNSENT));
        self.rustls.accept_with(socket, limited).await.map_err(Failed::Handshake)
    }
}
