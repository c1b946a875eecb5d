//! What happens to recordings, for whoever tells others about it.

use std::sync::Arc;

use archive::contents::Gap;

/// How many a listener may fall behind before it loses the oldest.
pub const BACKLOG: usize = 1024;

/// What happened to a recording.
#[derive(Clone, PartialEq, Debug)]
pub enum Told {
    /// It began, or goes on.
    Began {
        /// Of which entry.
        entry: Arc<str>,
        /// Which.
        recording: Arc<str>,
    },
    /// Its session is over, or it was stopped: everything is in its files.
    Ended {
        /// Of which entry.
        entry: Arc<str>,
        /// Which.
        recording: Arc<str>,
    },
    /// From a segment on, segments of a rendition are lost.
    Lost {
        /// Of which entry.
        entry: Arc<str>,
        /// Which.
        recording: Arc<str>,
        /// Of which rendition.
        rendition: Arc<str>,
        /// The first of them, and why.
        gap: Gap,
    },
    /// They are recorded again.
    Resumed {
        /// Of which entry.
        entry: Arc<str>,
        /// Which.
        recording: Arc<str>,
        /// Of which rendition.
        rendition: Arc<str>,
        /// From this segment on.
        number: u64,
    },
    /// Its files are gone.
    Removed {
        /// Of which entry.
        entry: Arc<str>,
        /// Which.
        recording: Arc<str>,
    },
    /// It is shown no more, and whatever else there is of it stays: clips are made of it, or its folder vanished and there
    /// may be copies.
    Hidden {
        /// Of which entry.
        entry: Arc<str>,
        /// Which.
        recording: Arc<str>,
    },
}
