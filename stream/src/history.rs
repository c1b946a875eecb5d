//! What was on air before the process began.

use packager::Presentation;

/// Knows what was on air of sessions that are not over. Calls may take as long as reading the index of a recording.
pub trait History: Send + Sync {
    /// What can still be fetched of the session of an entry whose first period is `session`, with periods, numbers and
    /// names as they were on air; `None` where there is nothing.
    fn session(&self, entry: &str, session: u64) -> Option<Presentation>;
}

/// A history of nothing; for servers that record nothing, and for tests.
#[derive(Debug)]
pub struct NoHistory;

impl History for NoHistory {
    fn session(&self, _: &str, _: u64) -> Option<Presentation> {
        None
    }
}
