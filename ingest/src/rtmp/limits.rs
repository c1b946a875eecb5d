//! What one peer may make the server hold, and for how long.

use std::time::Duration;

/// The largest chunk size that has a meaning: no message is longer (5.4.1).
pub const MAX_CHUNK_SIZE: usize = 0xff_ffff;

/// Every bound on a peer, by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Connections at once; more are closed at once.
    pub connections: usize,
    /// Chunk streams of one connection. Encoders use about six.
    pub chunk_streams: usize,
    /// Names that one connection publishes at once.
    pub publications: usize,
    /// Tracks of each kind in one name; what comes with higher numbers is skipped.
    pub tracks: u8,
    /// Bytes of one audio or video message.
    pub media_message: usize,
    /// Bytes of one aggregate message; all that is in it is handed over at once.
    pub aggregate_message: usize,
    /// Bytes of one command, metadata or control message.
    pub command_message: usize,
    /// Declared bytes of all messages of a connection that are not complete.
    pub partial_bytes: usize,
    /// How deep AMF values may nest.
    pub amf_depth: usize,
    /// How many values one AMF message may have, nested ones included.
    pub amf_values: usize,
    /// Bytes of answers not yet taken to the socket.
    pub answers: usize,
    /// From accepting the connection, or from the end of publishing, until publishing.
    pub setup: Duration,
    /// Silence of a publisher.
    pub idle: Duration,
    /// How long a peer may take to read one batch of answers.
    pub write: Duration,
    /// For publishers that were asked to connect again, because the server shuts down, to leave by themselves; their media
    /// is taken until then.
    pub reconnect: Duration,
    /// How long connections may take to end when the server shuts down, after [`Limits::reconnect`] where somebody was asked.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connections: 1000,
            chunk_streams: 64,
            publications: 8,
            tracks: 8,
            media_message: 8 << 20,
            aggregate_message: 1 << 20,
            command_message: 256 << 10,
            partial_bytes: 16 << 20,
            amf_depth: 32,
            amf_values: 4096,
            answers: 1 << 20,
            setup: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            write: Duration::from_secs(10),
            reconnect: Duration::from_secs(3),
            drain: Duration::from_secs(3),
        }
    }
}
