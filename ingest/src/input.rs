//! Inputs: media that the server takes by itself, from datagrams, TCP peers and SRT listeners, for entries that somebody
//! named. All of it is MPEG-TS.
//!
//! ```text
//!  Definition ─▶ Inputs (one task each) ─▶ open or call ─▶ bytes ─▶ ts::Intake ─▶ Feed ─▶ stream::Publication
//!                     ▲                          │                                │
//!                     └── tried again, Backoff ──┴── silent, lost, ended ─────────┘
//! ```
//!
//! An input is on air like a publisher that was admitted, from the first track on that its stream brings; before that,
//! and while its source is silent, it is nobody. [`Permit`] says each time whether it may, in place of a stream key.
//!
//! Deliberately absent: which inputs there are and who may make them, what their URLs mean ([`address::input`]).

mod backoff;
mod board;
mod connect;
mod feed;
mod metrics;
mod rtp;
mod srt;
mod supervisor;
mod task;
mod tcp;
mod udp;

use std::sync::Arc;
use std::time::Duration;

use address::InputUrl;
use stream::{Grant, Refusal};

pub use board::{Datagrams, State, Status};
pub use metrics::Metrics;
pub use supervisor::{Inputs, News, What};

use crate::ts;

/// What an input is to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Definition {
    /// Its id: unique among inputs.
    pub id: Arc<str>,
    /// The entry that it feeds.
    pub entry: Arc<str>,
    /// Where its media comes from.
    pub url: InputUrl,
    /// The rendition of a switching set that it brings.
    pub rendition: Option<String>,
    /// Whether it runs.
    pub enabled: bool,
    /// Whether it may do whatever the server can: who runs the server wrote it down himself.
    pub trusted: bool,
}

/// How inputs run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Whether any runs (`input.enabled`).
    pub enabled: bool,
    /// At once (`input.max_running`).
    pub max_running: usize,
    /// Whether those that are not trusted may open ports (`input.allow_listen`).
    pub allow_listen: bool,
    /// Whether those that are not trusted may call addresses that are not the public's (`input.allow_private`).
    pub allow_private: bool,
    /// For a name to be found and a peer to answer (`input.connect_timeout`).
    pub connect_timeout: Duration,
    /// Datagrams that stay away so long are a sender that is gone (`input.silence`).
    pub silence: Duration,
    /// The same of a connection (`input.idle_timeout`).
    pub idle: Duration,
    /// The longest pause between two tries (`input.retry_max`).
    pub retry_max: Duration,
    /// What the kernel is asked to hold of datagrams, in bytes (`input.udp_buffer`).
    pub udp_buffer: usize,
    /// What one transport stream may cost.
    pub ts: ts::Limits,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            enabled: true,
            max_running: 100,
            allow_listen: true,
            allow_private: true,
            connect_timeout: Duration::from_secs(5),
            silence: Duration::from_secs(1),
            idle: Duration::from_secs(10),
            retry_max: Duration::from_secs(30),
            udp_buffer: 8 << 20,
            ts: ts::Limits::default(),
        }
    }
}

/// Says whether an input may bring media for its entry now.
pub trait Permit: Send + Sync {
    /// Yes with what it may do, or no with the reason. Asked before each try and when media comes; must not wait.
    fn permit(&self, entry: &str, rendition: Option<&str>) -> Result<Grant, Refusal>;
}
