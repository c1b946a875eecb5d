//! HLS playlists (RFC 8216bis), pure functions of a snapshot.
//!
//! [`multivariant`] says which renditions there are, [`media`] what one of them has; [`reload`] and its kin say what a
//! request may wait for. Waiting itself is not here.

mod edge;
mod groups;
mod low_latency;
mod media;
mod multivariant;
mod shown;
mod text;

pub use self::media::media;
pub use edge::{Directives, Reload, awaits_part, parts_stay, reload};
pub use multivariant::multivariant;

/// The multivariant playlist uses nothing newer (RFC 8216bis §8).
const VERSION: u32 = 8;
