//! HLS playlists (RFC 8216bis), pure functions of a snapshot.
//!
//! Not here yet: the low-latency tags; the parts they would list stand in the snapshot.

mod media;
mod multivariant;

pub use self::media::media;
pub use multivariant::multivariant;

/// EXT-X-GAP asks for version 8 (RFC 8216bis §8).
const VERSION: u32 = 8;
