//! The few things that a recording asks of a file system, so that tests can put one under it that fails.
//!
//! Calls block for as long as the file system does; whoever must not wait calls them where that is allowed. Paths are
//! made of names that this crate chose.

mod disk;

use std::io;
use std::path::Path;

use bytes::Bytes;

pub use disk::Disk;

/// A file system.
pub trait Files: Send + Sync {
    /// Names the time since the machine started, where that can be told: what was written in it is there, whether it
    /// was synced or not.
    fn boot(&self) -> Option<String>;

    /// Creates a folder and those above it, where they are missing.
    fn create_folder(&self, folder: &Path) -> io::Result<()>;

    /// The files of a folder, in no order.
    fn list(&self, folder: &Path) -> io::Result<Vec<Listed>>;

    /// The folders in a folder, by name, in no order.
    fn folders(&self, folder: &Path) -> io::Result<Vec<String>>;

    /// Opens a file for writing at its end, which is created where it is missing.
    fn append(&self, path: &Path) -> io::Result<Box<dyn Append>>;

    /// Up to `len` bytes from `offset` on; fewer only where the file ends.
    fn read(&self, path: &Path, offset: u64, len: usize) -> io::Result<Bytes>;

    /// Makes a file shorter.
    fn cut(&self, path: &Path, len: u64) -> io::Result<()>;

    /// Gives a file another name, in one step, in place of what has that name; or a folder, with all that is in it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Removes a folder in which nothing is.
    fn remove_folder(&self, folder: &Path) -> io::Result<()>;

    /// When this returns, the names in a folder survive a power cut.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;

    /// How much room there is where a folder is.
    fn space(&self, folder: &Path) -> io::Result<Space>;
}

/// A file being written at its end.
pub trait Append: Send {
    /// Writes the pieces one after another. After an error some of their bytes may be there.
    fn append(&mut self, pieces: &[&[u8]]) -> io::Result<()>;

    /// When this returns, what was written survives a power cut.
    fn sync(&mut self) -> io::Result<()>;
}

/// A file of a folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Bytes.
    pub len: u64,
    /// When it was last written, in microseconds since the Unix epoch.
    pub modified: i64,
}

/// Room on a file system, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Space {
    /// What can still be written.
    pub free: u64,
    /// Of how much.
    pub total: u64,
}
