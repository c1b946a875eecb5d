//! What the origin asks before it lets somebody watch.

use std::sync::Arc;

use access::{Rules, Signer};

/// Who may watch what. Asked on each request and answered from memory.
pub trait Doors: Send + Sync {
    /// The rules of an entry; `None` where everybody may watch it, and where it is unknown.
    fn rules(&self, entry: &str) -> Option<Arc<Rules>>;

    /// The entry that an id in a path is of, where that is another than itself: a recording is watched by the rules and
    /// tokens of its entry.
    fn entry_of(&self, _id: &str) -> Option<Arc<str>> {
        None
    }

    /// Reads tokens; `None` where none are made, and then none is good.
    fn signer(&self) -> Option<&Signer>;
}

/// Everything is open to everybody.
#[derive(Debug)]
pub(crate) struct Open;

impl Doors for Open {
    fn rules(&self, _: &str) -> Option<Arc<Rules>> {
        None
    }

    fn signer(&self) -> Option<&Signer> {
        None
    }
}
