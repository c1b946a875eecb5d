//! Manifests: pure functions of a snapshot and of what the request asked for.

pub mod dash;
pub mod hls;
