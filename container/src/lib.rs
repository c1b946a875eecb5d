//! Bytes to structs and back: MP4 boxes, FLV tags, MPEG-TS packets and the index of a recording. No I/O, no timeline, no
//! manifest.

pub mod flv;
pub mod index;
pub mod mp4;
pub mod ts;
