//! What goes wrong, and whose fault it is.

use std::io;

use crate::rejection::Rejection;

/// Something of this machine: libsrt, a socket, a thread.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// libsrt says no.
    #[error("libsrt: {text} ({code})")]
    Library {
        /// Its number (`SRT_ERRNO`).
        code: i32,
        /// Its words.
        text: String,
    },
    /// The UDP socket cannot be made or bound.
    #[error("{0}")]
    Socket(#[from] io::Error),
}

/// Why a caller is not connected.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The peer refused.
    #[error("refused: {0}")]
    Rejected(Rejection),
    /// The peer did not answer in time.
    #[error("no answer in time")]
    Timeout,
    /// This end could not even try.
    #[error(transparent)]
    Failed(#[from] Error),
}

/// Why a connection is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Disconnected {
    /// The peer said goodbye.
    #[error("connection closed by peer")]
    ByPeer,
    /// The peer has not been heard for as long as it may be silent.
    #[error("connection lost: peer is silent")]
    Lost,
    /// libsrt broke it off.
    #[error("connection broken ({code})")]
    Broken {
        /// libsrt's number (`SRT_ERRNO`).
        code: i32,
    },
}
