//! What is asked of recordings that can be played.

/// Knows what can be played of what was live. Answered from memory.
pub trait OnDemand: Send + Sync {
    /// Whether an entry has a recording.
    fn has_recording(&self, entry: &str) -> bool;
}

/// Where nothing is recorded.
#[derive(Debug)]
pub struct Nothing;

impl OnDemand for Nothing {
    fn has_recording(&self, _: &str) -> bool {
        false
    }
}
