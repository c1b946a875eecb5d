//! What flows through Headwater: time, codecs, tracks, samples and the payload they point into.
//!
//! Everything above speaks these types. There is no I/O here, no clock, no container and no protocol:
//! a sample is the same thing whether RTMP brought it or a file did.

pub mod captions;
pub mod codec;
pub mod language;
pub mod payload;
pub mod sample;
pub mod time;
pub mod track;

pub use captions::Captions;
pub use codec::Codec;
pub use language::Language;
pub use payload::Slice;
pub use sample::{Sample, Sync};
pub use time::{MediaTime, Timescale, WallTime};
pub use track::{Kind, Track, TrackId};
