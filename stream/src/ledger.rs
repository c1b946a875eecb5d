//! What must outlive the process so that no number is used twice.

use std::io;
use std::time::Duration;

use media::WallTime;

/// The numbering state of an entry. Stored before anything with these numbers becomes visible.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Numbers {
    /// The session that is on or was last.
    pub session: u64,
    /// Whether that session was ended; otherwise a restart may find it inside its reconnect window.
    pub ended: bool,
    /// The largest segment number that may have been visible.
    pub segment: u64,
    /// Whether segment number `segment` was finished; if not, it is burnt after an unclean start.
    pub closed: bool,
    /// The largest period number that may have been visible.
    pub period: u64,
    /// When this was written.
    pub at: WallTime,
    /// Media time up to which wall-clock fields were published: a new period starts no earlier.
    pub until: WallTime,
    /// EXT-X-TARGETDURATION of the session in seconds, once fixed.
    pub target_duration: Option<u32>,
    /// PART-TARGET of the session, once fixed.
    pub part_target: Option<Duration>,
    /// The longest GOP seen in the session.
    pub longest_gop: Duration,
}

/// Keeps the numbers of each entry. Calls may block for as long as a small file write does.
pub trait Ledger: Send + Sync {
    /// What was stored last, or `None` when there is nothing readable.
    fn load(&self, entry: &str) -> io::Result<Option<Numbers>>;
    /// Stores the numbers; survives the death of the process when this returns.
    fn store(&self, entry: &str, numbers: &Numbers) -> io::Result<()>;
}

/// A ledger that forgets everything with the process; for tests and embedding.
#[derive(Default)]
pub struct Forgetful;

impl Ledger for Forgetful {
    fn load(&self, _: &str) -> io::Result<Option<Numbers>> {
        Ok(None)
    }

    fn store(&self, _: &str, _: &Numbers) -> io::Result<()> {
        Ok(())
    }
}
