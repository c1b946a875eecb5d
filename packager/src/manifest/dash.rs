//! DASH MPD (ISO/IEC 23009-1), a pure function of a snapshot.

use crate::presentation::Presentation;

/// The MPD. `pinned` is whether the request named a session: its MPD keeps its timeline after the end.
pub fn mpd(presentation: &Presentation, pinned: bool) -> String {
    let _ = (presentation, pinned);
    String::new()
}
