//! The chunk stream (5.3): messages cut into chunks and interleaved.
//!
//! ```text
//! +--------------+----------------+--------------------+-----------+
//! | basic header | message header | extended timestamp | data      |
//! | 1, 2, 3      | 11, 7, 3, 0    | 0, 4               | ≤ chunk   |
//! +--------------+----------------+--------------------+-----------+
//! ```

mod assemble;
mod decode;
mod encode;
mod header;

pub use decode::Decoder;
pub use encode::Encoder;

/// The chunk size of both sides until they say otherwise (5.4.1).
pub const INITIAL_CHUNK_SIZE: usize = 128;

/// A chunk stream that cannot be read further; the peer's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A chunk stream began with a header that refers to one before it.
    #[error("chunk stream {csid} begins with a header of type {format}")]
    NoHeader {
        /// The chunk stream.
        csid: u32,
        /// The type of the chunk header.
        format: u8,
    },
    /// More than [`super::Limits::chunk_streams`].
    #[error("more than {limit} chunk streams")]
    TooManyStreams {
        /// The limit.
        limit: usize,
    },
    /// Longer than the limit for messages of its type, such as [`super::Limits::media_message`].
    #[error("message of type {kind} declares {len} bytes, more than {limit}")]
    MessageTooLong {
        /// The type of the message.
        kind: u8,
        /// Its declared length.
        len: usize,
        /// The limit.
        limit: usize,
    },
    /// More than [`super::Limits::partial_bytes`].
    #[error("messages in progress declare more than {limit} bytes")]
    TooMuchInProgress {
        /// The limit.
        limit: usize,
    },
    /// Zero, or bit 31 is set (5.4.1).
    #[error("chunk size {0} is not valid")]
    ChunkSize(u32),
}
