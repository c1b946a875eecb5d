//! RTMP as a publisher speaks it: the client's side of handshake, commands and chunks (Adobe RTMP 1.0).
//!
//! [`Session`] is sans-IO: bytes in, bytes and [`Event`]s out. What the server sends is bounded and never trusted: it is an
//! operator's choice whom to send to, and not his fault what that one answers.
//!
//! Deliberately not here: playing, digests in the handshake (no server that takes publishers asks for them), sockets.

pub mod amf;
pub mod reader;
pub mod session;
pub mod tag;
pub mod writer;

pub use session::{Event, Session, Where};

/// Message types (5.4, 7.1).
pub(crate) mod kind {
    pub(crate) const SET_CHUNK_SIZE: u8 = 1;
    pub(crate) const ABORT: u8 = 2;
    pub(crate) const ACKNOWLEDGEMENT: u8 = 3;
    pub(crate) const USER_CONTROL: u8 = 4;
    pub(crate) const WINDOW_SIZE: u8 = 5;
    pub(crate) const PEER_BANDWIDTH: u8 = 6;
    pub(crate) const AUDIO: u8 = 8;
    pub(crate) const VIDEO: u8 = 9;
    pub(crate) const COMMAND_AMF3: u8 = 17;
    pub(crate) const DATA: u8 = 18;
    pub(crate) const COMMAND: u8 = 20;
}

/// Chunks carry so many bytes until a peer says otherwise (5.4.1).
pub(crate) const INITIAL_CHUNK_SIZE: usize = 128;

/// A server that cannot be published to, or no longer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Fault {
    /// It does not speak RTMP.
    #[error("the server does not speak RTMP: {0}")]
    Protocol(&'static str),
    /// It does not take the publication, in its own words.
    #[error("the server refuses: {text} ({code})")]
    Refused {
        /// Its code, as `NetStream.Publish.BadName`.
        code: String,
        /// What it says, shortened.
        text: String,
    },
    /// It ended a publication that it had taken.
    #[error("the server ended the publication: {text} ({code})")]
    Ended {
        /// Its code.
        code: String,
        /// What it says, shortened.
        text: String,
    },
}
