//! The index being written.
//!
//! What is not synced yet is kept in memory, so that after a failure it can be written again: a file system that failed
//! to sync may have thrown away what it was given.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use container::index::{self, Record};

use crate::files::{Append, Files};

/// Bytes of records that wait for a sync at most. An index that has so many takes no more media.
const MAX_WAITING: usize = 4 << 20;

pub(crate) struct IndexFile {
    files: Arc<dyn Files>,
    path: PathBuf,
    /// `None` after a failure.
    file: Option<Box<dyn Append>>,
    /// Bytes of the file that are safe.
    safe: u64,
    /// Records behind these.
    waiting: Vec<u8>,
    /// How many bytes of them are written.
    written: usize,
    /// Whether there is more among them than the mark of the last sync.
    dirty: bool,
}

impl IndexFile {
    /// Goes on with a file of `len` bytes, all of them safe.
    pub fn new(files: Arc<dyn Files>, path: PathBuf, len: u64) -> IndexFile {
        IndexFile { files, path, file: None, safe: len, waiting: Vec::new(), written: 0, dirty: false }
    }

    /// Begins a file: nothing may be written of a recording before its index is there for good.
    pub fn begin(&mut self) -> io::Result<()> {
        index::begin(&mut self.waiting);
        self.sync()
    }

    /// Takes a record, which is written with the next [`flush`](IndexFile::flush).
    pub fn push(&mut self, record: &Record) -> Result<(), index::TooLong> {
        self.dirty = true;
        index::write(&mut self.waiting, record)
    }

    /// Says that everything so far is safe, with the next [`flush`](IndexFile::flush).
    pub fn mark(&mut self) -> io::Result<()> {
        index::write(&mut self.waiting, &Record::Synced).map_err(io::Error::other)
    }

    /// Whether so much waits that nothing more should be taken up.
    pub fn is_full(&self) -> bool {
        self.waiting.len() > MAX_WAITING
    }

    /// Whether every record is safe.
    pub fn is_safe(&self) -> bool {
        !self.dirty
    }

    /// Whether the file could not be written to, or was not written to yet.
    pub fn has_failed(&self) -> bool {
        self.file.is_none()
    }

    /// Writes what waits.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.file.is_some() && self.written == self.waiting.len() {
            return Ok(());
        }
        let mut file = match self.file.take() {
            Some(file) => file,
            None => self.reopen()?,
        };
        file.append(&[&self.waiting[self.written..]])?;
        self.written = self.waiting.len();
        self.file = Some(file);
        Ok(())
    }

    /// Makes everything safe.
    pub fn sync(&mut self) -> io::Result<()> {
        self.flush()?;
        if let Some(mut file) = self.file.take() {
            file.sync()?;
            self.file = Some(file);
        }
        self.safe += self.waiting.len() as u64;
        self.waiting.clear();
        self.written = 0;
        self.dirty = false;
        Ok(())
    }

    fn reopen(&mut self) -> io::Result<Box<dyn Append>> {
        self.written = 0;
        let file = self.files.append(&self.path)?;
        self.files.cut(&self.path, self.safe)?;
        Ok(file)
    }
}
