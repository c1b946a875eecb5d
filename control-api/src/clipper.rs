//! What finds segments of a recording by time; the server has one.

use std::pin::Pin;

use catalog::{EntryId, RecordingId};
use packager::window::Asked;

/// A stretch of a recording, cut at segments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cut {
    /// Number of its first segment.
    pub first: u64,
    /// Number of its last.
    pub last: u64,
    /// Where it begins, in microseconds since the start of the recording.
    pub start: i64,
    /// Where it ends.
    pub end: i64,
}

/// Why there is no such stretch.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Uncut {
    /// It ends where it begins, or before.
    #[error("ends where it begins, or before")]
    Empty,
    /// The recording has nothing there.
    #[error("lies outside of the recording")]
    Outside,
    /// It is not recorded yet.
    #[error("is not recorded yet")]
    NotYet,
    /// The recording could not be read; later may be better.
    #[error("cannot be looked up: {0}")]
    Unreadable(String),
}

/// Which recording, and whether it grows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Source<'a> {
    /// Of which entry.
    pub entry: &'a EntryId,
    /// Which.
    pub recording: &'a RecordingId,
    /// Whether it grows.
    pub grows: bool,
}

/// What a [`Clipper`] answers: a stretch for each that was asked for, or which of them there is not, and why.
pub type Cutting<'a> = Pin<Box<dyn Future<Output = Result<Vec<Cut>, (usize, Uncut)>> + Send + 'a>>;

/// Finds segments by time.
pub trait Clipper: Send + Sync {
    /// What of a recording lies between these points, from the segment that holds the first to the one that holds the
    /// last. What is not recorded yet is waited for, for a few seconds.
    fn cut<'a>(&'a self, source: Source<'a>, asked: Vec<Asked>) -> Cutting<'a>;
}

/// Where nothing is recorded.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoClipper;

impl Clipper for NoClipper {
    fn cut<'a>(&'a self, _: Source<'a>, _: Vec<Asked>) -> Cutting<'a> {
        Box::pin(std::future::ready(Err((0, Uncut::Outside))))
    }
}
