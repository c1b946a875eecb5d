//! What was recorded, as something to play.
//!
//! [`Library`] finds recordings and makes presentations of them: what an entry shows when it is not live. [`Local`] reads
//! the bytes of recordings on this machine's disk, [`WithClips`] shows what was cut of them.
//!
//! Deliberately absent: HTTP, writing recordings, and what the catalog knows of them.

mod clips;
pub mod library;
mod local;

pub use clips::{ClipPart, Clips, NoClips, WithClips};
pub use library::{Entries, Library};
pub use local::Local;
