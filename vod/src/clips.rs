//! Clips: what they are made of, and how they are played.

mod shown;

use std::ops::RangeInclusive;
use std::sync::Arc;

pub use shown::WithClips;

/// What a clip shows of one recording.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClipPart {
    /// Names the recording among all: `ENTRY/RECORDING`.
    pub recording: Arc<str>,
    /// Segment numbers, growing.
    pub ranges: Vec<RangeInclusive<u64>>,
}

/// Who knows which entries are clips.
pub trait Clips: Send + Sync {
    /// What an entry is made of, in the order in which it is shown; `None` for one that is no clip. From memory: it is
    /// asked with each request.
    fn of(&self, entry: &str) -> Option<Vec<ClipPart>>;
}

/// Where there are no clips.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoClips;

impl Clips for NoClips {
    fn of(&self, _: &str) -> Option<Vec<ClipPart>> {
        None
    }
}
