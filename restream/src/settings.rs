//! How targets are sent to.

use std::path::PathBuf;
use std::time::Duration;

/// How targets are sent to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Whether addresses may be sent to that only this machine or its network can reach.
    pub allow_private: bool,
    /// Certificate authorities for RTMPS beside those of the system: a file of PEM.
    pub ca: Option<PathBuf>,
    /// For name, connection, TLS and everything until media may be sent.
    pub connect_timeout: Duration,
    /// A target that takes nothing for so long is given up for this time.
    pub stall_timeout: Duration,
    /// A target that is farther behind goes on at the newest keyframe.
    pub max_behind: Duration,
    /// Between the first failure and the next attempt; it doubles with each.
    pub retry_min: Duration,
    /// It grows no longer than that.
    pub retry_max: Duration,
    /// Where this server itself takes publishers: an entry that is sent there under a key of its own would go in circles.
    pub own_ports: Vec<u16>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            allow_private: false,
            ca: None,
            connect_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(10),
            max_behind: Duration::from_secs(5),
            retry_min: Duration::from_secs(1),
            retry_max: Duration::from_secs(60),
            own_ports: Vec::new(),
        }
    }
}
