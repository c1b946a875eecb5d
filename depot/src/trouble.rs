//! What keeps a recording from being in the store.

use std::io;

use tokio::task::JoinError;

/// Why something of a recording is not in the store, or not yet.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The store failed, or refused; it is asked again.
    #[error("object store: {}", brief(.0))]
    Store(#[from] object_store::Error),
    /// The store did not answer in time; it is asked again.
    #[error("object store: no answer in time")]
    Late,
    /// What the store has is not what it was given; it is given it again.
    #[error("object store: {0} is not what was sent")]
    Corrupt(String),
    /// The disk failed.
    #[error("{0}: {1}")]
    Disk(String, io::Error),
    /// The index of the recording cannot be read.
    #[error(transparent)]
    Index(#[from] archive::recover::Error),
    /// A file longer than the parts of an object can be.
    #[error("{0} is too long for an object")]
    TooLong(String),
    /// Reading was given up.
    #[error("reading was given up")]
    GivenUp(#[from] JoinError),
}

/// Longest text of an error that is shown.
const SHOWN: usize = 300;

/// What a store says of a failure; some send whole pages.
pub(crate) fn brief(error: &object_store::Error) -> String {
    let text = error.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
