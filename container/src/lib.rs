//! Bytes to structs and back: MP4 boxes and FLV tags. No I/O, no timeline, no manifest.

pub mod flv;
pub mod mp4;
