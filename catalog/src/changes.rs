//! What changed, for whoever keeps something of the catalog in memory or tells others about it.

use tokio::sync::broadcast;

use crate::entry::Entry;
use crate::id::{AccountId, EntryId};

/// How many changes a listener may fall behind before it loses the oldest.
pub const BACKLOG: usize = 1024;

/// One change, told after it is committed, in the order of the commits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Whose; `None` where it concerns the whole server.
    pub account: Option<AccountId>,
    /// Of which entry, where it is of one.
    pub entry: Option<EntryId>,
    /// What.
    pub kind: Kind,
}

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// An account was created, changed or deleted; its quotas may be others now.
    Account,
    /// An entry was created.
    EntryCreated,
    /// Name, description, settings or schedule of an entry changed.
    EntryUpdated,
    /// An entry is gone.
    EntryDeleted,
    /// An entry went from preview to live or back.
    AirSwitched,
    /// A named timeline of an entry was added, changed or removed.
    TimelinesChanged,
    /// An input of an entry was added, changed or removed.
    InputsChanged,
    /// A target of an entry was added, changed or removed.
    TargetsChanged,
    /// A stream key was rotated, set or revoked: a session with the old one is to be cut.
    KeysChanged,
    /// An API token was created or revoked.
    Token,
    /// An asset of an entry was added or removed.
    Asset,
    /// A recording of an entry began, grew, ended or was removed.
    Recording,
    /// A job was added or changed its state.
    Job,
    /// A webhook was created, changed or deleted.
    Webhook,
    /// Somebody asked for a delivery to a webhook, now.
    Delivery,
}

/// A listener. One that lags more than [`BACKLOG`] behind is told how many it missed, and reads anew what it keeps.
pub type Changes = broadcast::Receiver<Change>;

impl Change {
    pub(crate) fn of(entry: &Entry, kind: Kind) -> Change {
        Change { account: Some(entry.account.clone()), entry: Some(entry.id.clone()), kind }
    }
}
