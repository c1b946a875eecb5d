//! HLS playlists (RFC 8216bis), pure functions of a snapshot.

use crate::presentation::{Presentation, Rendition};

/// The multivariant playlist (RFC 8216bis §4.4.6). While live, children are named with their session.
pub fn multivariant(presentation: &Presentation) -> String {
    let _ = presentation;
    String::new()
}

/// The media playlist of a rendition (RFC 8216bis §4.4.3).
pub fn media(rendition: &Rendition) -> String {
    let _ = rendition;
    String::new()
}
