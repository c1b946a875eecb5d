//! Manifests: pure functions of a snapshot and of what the request asked for.

pub mod dash;
pub mod hls;

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
}

impl Default for Options {
    fn default() -> Options {
        Options { pinned: false, low_latency: true, skip: false }
    }
}

impl Options {
    /// These of a request that named a session.
    pub fn pinned(self) -> Options {
        Options { pinned: true, ..self }
    }
}
