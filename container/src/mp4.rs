//! Fragmented MP4 as CMAF wants it (ISO/IEC 14496-12, ISO/IEC 23000-19): one track a file.
//!
//! Sample entries and the rest of `moov` come from mp4-atom; the fragment header is our own, because it is
//! written apart from the payload, for every part, and other dialects put their own boxes into it.

mod entry;
mod fragment;
mod init;
mod parse;
mod parse_init;
mod progressive;
mod smooth;
mod walk;

pub use fragment::{Fragment, FragmentSample, fragment_header};
pub use init::{Unencodable, init_segment};
pub use parse::{Malformed, ParsedFragment, parse_fragment};
pub use parse_init::parse_init;
pub use progressive::{SampleTable, Unlike, progressive_header};
pub use smooth::{SmoothFragment, Stretch, smooth_header};
pub use walk::{Extent, InitExtent, MAX_HEADER, WalkError, fragment_extent, init_extent};

/// Every file has one track, and this is its id.
pub const TRACK_ID: u32 = 1;
