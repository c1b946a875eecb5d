//! Bytes to structs and back: MP4 boxes, FLV tags and MPEG-TS packets. No I/O, no timeline, no manifest.

pub mod flv;
pub mod mp4;
pub mod ts;
