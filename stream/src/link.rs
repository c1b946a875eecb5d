//! How the network between an encoder and this server does, as the protocol itself measures it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A link's statistics at one instant. Counters count from the connection's beginning.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Link {
    /// Round trip time.
    pub rtt: Duration,
    /// What it seems to be able to carry, in bits per second.
    pub bandwidth: u64,
    /// What arrives, in bits per second.
    pub rate: u64,
    /// The delay that was agreed on, in which lost packets are sent again.
    pub latency: Duration,
    /// The time that what waits for its delivery spans.
    pub buffer: Duration,
    /// Packets received, those that were sent again included.
    pub packets: u64,
    /// Packets that were missing when their successors came.
    pub lost: u64,
    /// Packets that came again.
    pub retransmitted: u64,
    /// Packets that were given up, because they came too late or never.
    pub dropped: u64,
    /// Packets that could not be decrypted.
    pub undecrypted: u64,
    /// How it is encrypted, in a word: `none`, `aes-128`, `aes-192`, `aes-256`.
    pub encryption: &'static str,
}

/// Where a publisher's edge writes it, and whoever looks after the stream reads it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Board(Arc<Mutex<Option<Arc<Link>>>>);

impl Board {
    pub(crate) fn write(&self, link: Link) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(link));
    }

    pub(crate) fn read(&self) -> Option<Arc<Link>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
