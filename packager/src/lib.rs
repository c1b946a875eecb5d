//! The heart: samples become parts, segments and a [`Presentation`]; headers and manifests are made of it.
//!
//! Samples go in ([`Packager::push`]), an ordered log of what was made comes out ([`Record`]), and a
//! [`Presentation`] is the fold of that log: an immutable snapshot from which every manifest is a pure function.
//! No socket, file, task or clock is known here; time is an argument.

mod align;
mod bitrates;
mod clock;
mod drift;
mod feed;
#[cfg(test)]
mod fixture;
mod gather;
mod lane;
pub mod manifest;
pub mod names;
mod notice;
pub mod numbers;
#[allow(clippy::module_inception)]
mod packager;
pub mod presentation;
pub mod progressive;
mod roster;
pub mod samples;
pub mod settings;
pub mod still;
pub mod storyboard;
mod timeline;
pub mod ts;
pub mod window;

pub use feed::FeedId;
pub use notice::Notice;
pub use numbers::Numbers;
pub use packager::{Now, Packager, Place};
pub use presentation::{
    Content, FrameRate, Init, Lookup, Part, Period, Presentation, Record, Rendition, Segment, Session, Span,
};
pub use settings::{Limits, Settings};
pub use timeline::Counts;
