//! The servers that are measured, each with a folder and ports of its own.

pub mod control;
mod headwater;
mod nginx;

pub use headwater::{Headwater, NOT_RECORDED, binary};
pub use nginx::{Nginx, Package};

use crate::fleet::Target;
use crate::usage::Family;

/// A server that takes RTMP and serves HLS.
pub trait Server {
    /// How it is called in tables.
    fn name(&self) -> &str;
    /// Where to publish to.
    fn target(&self) -> Target;
    /// HOST:PORT of its HTTP listener.
    fn http(&self) -> String;
    /// Path of the HLS media playlist of a stream.
    fn playlist(&self, stream: usize) -> String;
    /// Its processes.
    fn family(&self) -> &Family;
    /// Bytes of media that it keeps in files on tmpfs rather than in its own memory.
    fn files(&self) -> u64;
}
