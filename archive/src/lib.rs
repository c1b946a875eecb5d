//! Recordings at rest: written while a stream is on, taken up after a crash, read as presentations, looked at for damage.
//!
//! ```text
//! FOLDER/index                       what is where …
//! FOLDER/RENDITION.P.N.mp4           … and exactly the bytes that were on air, ordinary fragmented MP4
//! ```
//!
//! A recording is written by a [`Writer`], which is told [`Step`]s: what the packager made, as a [`Cursor`] finds it in
//! the snapshots of a stream. [`recover`] takes a recording up whose writer died, [`reading`] makes a presentation of
//! what it holds, [`integrity`] says what is missing and whether the rest is what was written, a [`Shelf`] reads the bytes
//! of its segments, [`removal`] takes it away. All of that is plain blocking code over [`files::Files`].
//!
//! Deliberately absent: tasks, streams, the catalog; which entries are recorded and what folders are called.

pub mod contents;
mod cursor;
pub mod files;
mod index_file;
pub mod integrity;
mod lane;
pub mod layout;
pub mod moved;
mod policy;
pub mod reading;
pub mod recover;
pub mod removal;
mod roll;
mod shelf;
pub mod times;
mod writer;

pub use contents::Contents;
pub use cursor::{Cursor, Step};
pub use policy::{Outcome, Policy, Sync};
pub use roll::Roll;
pub use shelf::{Shelf, Unreadable};
pub use writer::Writer;
