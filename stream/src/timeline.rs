//! Named timelines: stretches of a stream that are shown under a name of their own.

use std::sync::Arc;

use media::WallTime;

use crate::Air;

/// A named timeline of an entry, as whoever keeps them says. What of the session that is on lies in it is shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Timeline {
    /// Its name: what `?timeline=` says.
    pub name: Arc<str>,
    /// The first segment is the one that is on air then, or the oldest that is held.
    pub start: WallTime,
    /// The last segment is the one that is on air then.
    pub end: Option<WallTime>,
    /// Whom it is for. One that is for everybody shows what lies in it also where the stream was in preview.
    pub air: Air,
}
