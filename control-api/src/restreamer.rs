//! What the control API asks of whoever sends entries on to targets.

use std::sync::Arc;
use std::time::Duration;

use media::WallTime;

/// Sends live entries on to their targets, as the catalog has them.
pub trait Restreamer: Send + Sync {
    /// How a target does.
    fn status(&self, target: &str) -> TargetStatus;
}

/// How a target does.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TargetStatus {
    /// Where it stands.
    pub state: TargetState,
    /// Since when; `None` while nothing is done for it.
    pub since: Option<WallTime>,
    /// What went wrong last.
    pub error: Option<String>,
    /// Attempts to connect since it was switched on.
    pub attempts: u64,
    /// When it is tried again.
    pub next_attempt: Option<WallTime>,
    /// What it is sent.
    pub renditions: Vec<Arc<str>>,
    /// Bytes that it took.
    pub bytes: u64,
    /// Frames that it was sent.
    pub frames: u64,
    /// Frames that were left out because it was too slow.
    pub skipped: u64,
    /// How far it is behind.
    pub behind: Duration,
    /// Bits per second that it takes.
    pub bitrate: u64,
}

/// Where a target stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TargetState {
    /// Nothing is sent there.
    #[default]
    Off,
    /// The entry is not live.
    Waiting,
    /// It is being connected to.
    Connecting,
    /// It is sent the entry.
    Sending,
    /// It could not be reached, or was lost.
    Retrying,
    /// It said no, or must not be sent to.
    Refused,
}

/// Nobody sends.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRestreamer;

impl Restreamer for NoRestreamer {
    fn status(&self, _: &str) -> TargetStatus {
        TargetStatus::default()
    }
}
