//! What of a stream is in storage, on its way to the owner.
//!
//! Nobody waits and nobody is woken: whoever stores leaves word, and the owner looks when it takes something next.

use std::sync::{Arc, Mutex, PoisonError};

use packager::presentation::Stored;

/// Words that wait for an owner: more than a stream has segments in memory. Of further ones the oldest are forgotten, and
/// their segments stay in memory as if they were not stored.
const WAITING: usize = 4096;

/// A finished segment that can be read from storage.
#[derive(Clone, PartialEq, Debug)]
pub struct Settled {
    /// Which rendition.
    pub rendition: Arc<str>,
    /// N.
    pub number: u64,
    /// Where.
    pub stored: Stored,
}

/// Where word is left.
#[derive(Debug, Default)]
pub(crate) struct Inbox(Mutex<Vec<Settled>>);

impl Inbox {
    pub(crate) fn put(&self, settled: Vec<Settled>) {
        // A list is whole at every step: a panic elsewhere cannot have broken it.
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.extend(settled);
        let over = waiting.len().saturating_sub(WAITING);
        waiting.drain(..over);
    }

    pub(crate) fn take(&self) -> Vec<Settled> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
