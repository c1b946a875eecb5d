//! Recordings in an object store: uploaded while they grow, verified, read back.
//!
//! ```text
//! DATA/recordings/ENTRY/RECORDING/              s3://BUCKET/PREFIX/ENTRY/RECORDING/
//!     RENDITION.P.N.mp4        ── parts ──▶         RENDITION.P.N.mp4     one object, an ordinary fragmented MP4
//!     index                    ── last  ──▶         index
//!     uploads                  how far that is
//!     moved                    what is there alone
//! ```
//!
//! A [`Depot`] copies what recorders write, file by file, and looks at nothing but those files: an outage of the store
//! costs no memory, and a restart goes on where it was. A file goes up as a multipart upload, a part as soon as so many
//! bytes of it are final ([`part`]); what is not a whole part yet follows when the file is closed. Copies are verified,
//! then the index follows, then, where the store is to be their home, the media here is removed. The index stays here
//! always, so that nothing but the bytes of segments is ever asked of the store: by [`Remote`].
//!
//! Deliberately absent: which recordings there are and who may delete them, HTTP, settings as they are written.

mod backoff;
mod book;
mod bucket;
mod check;
mod connect;
mod digest;
mod end;
mod gone;
mod handle;
mod journal;
pub mod part;
mod remote;
mod restore;
mod survey;
mod tend;
mod trouble;
mod upload;
mod verify;

pub use book::{Progress, Stage, Totals};
pub use bucket::{Bucket, Store};
pub use connect::{BadAddress, S3};
pub use handle::{Depot, Settings};
pub use remote::Remote;
pub use trouble::Trouble;
