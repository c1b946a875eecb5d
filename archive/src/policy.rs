//! How a recording is written, and what is told of it.

use std::sync::Arc;
use std::time::Duration;

use packager::presentation::Stored;

use crate::contents::Gap;

/// When what was written is made safe from a power cut. The death of the process alone loses nothing that was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sync {
    /// After each part: a power cut costs the part being made.
    Part,
    /// After each segment, once all renditions have it and a quarter of a second after the first of them at the latest: a
    /// power cut costs the segment being made.
    Segment,
    /// So often: a power cut costs what came since.
    Interval(Duration),
}

/// How a recording is written.
#[derive(Clone, Debug)]
pub struct Policy {
    /// When what was written is made safe.
    pub sync: Sync,
    /// Bytes that stay free on the file system: below, nothing is written.
    pub keep_free: u64,
}

/// What came of what a writer was given.
#[derive(Clone, PartialEq, Debug)]
pub enum Outcome {
    /// A segment can be read from its file.
    Stored {
        /// Which rendition.
        rendition: Arc<str>,
        /// N.
        number: u64,
        /// Where.
        stored: Stored,
    },
    /// From segment `gap.first` on, segments of a rendition are lost.
    Lost {
        /// Which rendition.
        rendition: Arc<str>,
        /// The first of them, why, and in words.
        gap: Gap,
    },
    /// They are recorded again, from segment `number` on.
    Resumed {
        /// Which rendition.
        rendition: Arc<str>,
        /// N.
        number: u64,
    },
}
