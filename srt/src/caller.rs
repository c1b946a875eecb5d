//! Calling a listener.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::timeout;

use crate::connection::Connection;
use crate::error::{ConnectError, Error};
use crate::ffi::{self, Opt, State, Text};
use crate::passphrase::{KeyLength, Passphrase};
use crate::reactor::Socket;
use crate::rejection::Rejection;
use crate::settings::{MAX_STREAM_ID, Settings, milliseconds};

/// How to call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// What is asked for; at most [`MAX_STREAM_ID`] bytes, none for nothing.
    pub stream_id: String,
    /// What is encrypted with, if anything.
    pub passphrase: Option<Passphrase>,
    /// How long the key is; the caller chooses.
    pub key_length: KeyLength,
    /// How long the listener may take to answer.
    pub timeout: Duration,
    /// How the socket behaves. What is of listeners alone has no meaning.
    pub settings: Settings,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            stream_id: String::new(),
            passphrase: None,
            key_length: KeyLength::default(),
            timeout: Duration::from_secs(3),
            settings: Settings::default(),
        }
    }
}

/// Connects to a listener, or says why it does not want to. Dropped before it is done, it gives up.
pub async fn connect(peer: SocketAddr, options: &Options) -> Result<Connection, ConnectError> {
    /// libsrt looks at its own timeout a few times a second.
    const SLACK: Duration = Duration::from_secs(1);
    let socket = prepare(options)?;
    ffi::connect(socket.id, peer)?;
    if timeout(options.timeout + SLACK, connected(&socket)).await.is_err() {
        return Err(ConnectError::Timeout);
    }
    if ffi::state(socket.id) != State::Connected {
        return Err(match Rejection::of_code(ffi::reject_reason(socket.id)) {
            Rejection::TIMEOUT => ConnectError::Timeout,
            rejection => ConnectError::Rejected(rejection),
        });
    }
    let Settings { payload, peer_idle, .. } = options.settings;
    Ok(Connection::new(socket, peer, options.stream_id.clone().into_bytes(), payload, peer_idle))
}

/// Resolves when the handshake is over, one way or the other.
async fn connected(socket: &Socket) {
    while ffi::state(socket.id) == State::Connecting {
        socket.wake.writable.notified().await;
    }
}

fn prepare(options: &Options) -> Result<Socket, Error> {
    let socket = Socket::new()?;
    options.settings.apply(socket.id)?;
    ffi::set(socket.id, Opt::ConnectTimeout, milliseconds(options.timeout))?;
    if !options.stream_id.is_empty() {
        let stream_id = options.stream_id.as_bytes();
        ffi::set_text(socket.id, Text::StreamId, &stream_id[..stream_id.len().min(MAX_STREAM_ID)])?;
    }
    if let Some(passphrase) = &options.passphrase {
        ffi::set_text(socket.id, Text::Passphrase, passphrase.expose())?;
        ffi::set(socket.id, Opt::KeyLength, i32::from(options.key_length.bytes()))?;
    }
    socket.watch()?;
    Ok(socket)
}
