//! Which entries are recorded, and how.

use std::sync::Arc;
use std::time::Duration;

use archive::Sync;

/// Says what is to be recorded.
pub trait Plan: Send + std::marker::Sync {
    /// How an entry is recorded; `None` of one that is not.
    fn of(&self, entry: &str) -> Option<Mode>;

    /// A name for a new recording: of letters, digits, `_` and `-`, never given before. `None` where there is no
    /// randomness to be had.
    fn name(&self) -> Option<Arc<str>>;
}

/// What becomes of what is on air.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Recorded behind what was recorded before.
    Append,
    /// A recording of its own for each session.
    PerSession,
}

/// How recordings are written.
#[derive(Clone, PartialEq, Debug)]
pub struct Settings {
    /// When what was written is made safe from a power cut (`recorder.sync`).
    pub sync: Sync,
    /// What stays free on the file system (`storage.keep_free`).
    pub keep_free: KeepFree,
    /// A recording that is longer goes on in a new one (`recorder.max_length`).
    pub max_length: Duration,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            sync: Sync::Segment,
            keep_free: KeepFree::Percent(10),
            max_length: Duration::from_secs(24 * 3600),
        }
    }
}

/// What stays free on a file system.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeepFree {
    /// So many bytes.
    Bytes(u64),
    /// So much of it; 0 to 100.
    Percent(u8),
}

impl KeepFree {
    /// In bytes, of a file system of `total` bytes.
    pub fn bytes(self, total: u64) -> u64 {
        match self {
            KeepFree::Bytes(bytes) => bytes,
            KeepFree::Percent(percent) => (u128::from(total) * u128::from(percent) / 100) as u64,
        }
    }
}
