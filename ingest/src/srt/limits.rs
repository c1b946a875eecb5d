//! What one caller may make the server hold, and for how long.

use std::time::Duration;

/// Every bound on a caller that is not of the socket ([`srt::Settings`]), by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// No sample for so long: whoever sends something else than media, or nothing, is cut.
    pub idle: Duration,
    /// How long a decision may hold up the port. What is not decided by then is decided when the connection stands.
    pub decision: Duration,
    /// For so long an address that had too many wrong keys is refused without being looked at.
    pub hold: Duration,
    /// Addresses that are remembered for that.
    pub holds: usize,
    /// How long connections may take to end when the server shuts down.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            idle: Duration::from_secs(30),
            decision: Duration::from_millis(300),
            hold: Duration::from_secs(3),
            holds: 10_000,
            drain: Duration::from_secs(3),
        }
    }
}
