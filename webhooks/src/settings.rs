//! How calls are made.

use std::time::Duration;

/// How calls are made, tried again and given up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Whether addresses may be called that only this machine or its network can reach.
    pub allow_private: bool,
    /// For name, connection and TLS together.
    pub connect_timeout: Duration,
    /// For a whole call, until the answer has been read as far as it is read.
    pub timeout: Duration,
    /// What was not delivered within this time of its event is given up.
    pub give_up: Duration,
    /// A webhook to which nothing was delivered for so long is disabled when another call fails.
    pub disable_after: Duration,
    /// Calls at once.
    pub concurrency: usize,
    /// Calls at once to one webhook.
    pub per_webhook: usize,
    /// How long after each failure the next try comes, each up to a fifth longer; the last one repeats.
    pub schedule: Vec<Duration>,
}

impl Default for Settings {
    fn default() -> Settings {
        let (minute, hour) = (60, 3600);
        let schedule =
            [5, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour];
        Settings {
            allow_private: false,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(20),
            give_up: Duration::from_secs(3 * 24 * hour),
            disable_after: Duration::from_secs(5 * 24 * hour),
            concurrency: 64,
            per_webhook: 4,
            schedule: schedule.map(Duration::from_secs).to_vec(),
        }
    }
}
