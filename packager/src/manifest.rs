//! Manifests: pure functions of a snapshot and of what the request asked for.

mod captions;
pub mod dash;
pub mod hls;
pub mod hls_ts;
pub mod smooth;

use crate::presentation::Presentation;
use crate::window::Window;

/// What a request asks of a manifest beside its name. Equal options of one snapshot give equal bytes, so they are part
/// of the key under which a rendering is kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Options {
    /// Whether the request named a session (`?s=`): its manifests keep their timeline after the end.
    pub pinned: bool,
    /// Whether what is not a whole segment yet may be shown (`?ll=0` says no).
    pub low_latency: bool,
    /// Whether the player knows what is older than the skip boundary (`_HLS_skip`, RFC 8216bis §6.2.5.1); media
    /// playlists alone can leave it out.
    pub skip: bool,
    /// What of the timeline is shown (`?start=&end=`): the presentation that is written is its slice already. Never with
    /// `low_latency`: who looks back is not at the edge.
    pub window: Option<Window>,
    /// Whether the Smooth manifest of what is over counts its times from the first chunk that it lists, and not from the
    /// Unix epoch; others have their own way to begin at zero.
    pub from_zero: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options { pinned: false, low_latency: true, skip: false, window: None, from_zero: false }
    }
}

impl Options {
    /// These of a request that named a session.
    pub fn pinned(self) -> Options {
        Options { pinned: true, ..self }
    }

    /// The query of a child, beginning with `?`: it names the session, so that an open player stays on its timeline
    /// whatever the entry shows when it asks for another child, and the window.
    pub(crate) fn inherited(&self, presentation: &Presentation) -> String {
        format!("?{}", self.location(presentation))
    }

    /// The query by which the manifest itself is asked for again.
    pub(crate) fn location(&self, presentation: &Presentation) -> String {
        let session = presentation.session.id;
        match self.window {
            Some(window) => format!("s={session}&{window}"),
            None if self.low_latency => format!("s={session}"),
            None => format!("s={session}&ll=0"),
        }
    }
}
