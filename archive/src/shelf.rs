//! The bytes of stored segments, for whoever serves them.

use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use container::index::Checksum;
use packager::Segment;
use packager::presentation::StoredFile;

use crate::files::Files;
use crate::layout::MediaName;

/// A stored segment that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The file system failed.
    #[error("{file}: {source}")]
    Io {
        /// Which file.
        file: String,
        /// How.
        source: io::Error,
    },
    /// What is there is not what was written.
    #[error("{file}: segment {number} is not what was written")]
    Damaged {
        /// Which file.
        file: String,
        /// N.
        number: u64,
    },
}

/// Recordings below a folder; a store is named by its path from there. Calls block as long as a file system does.
#[derive(Clone)]
pub struct Shelf {
    files: Arc<dyn Files>,
    root: PathBuf,
}

impl Shelf {
    /// What lies below `root`.
    pub fn new(files: Arc<dyn Files>, root: PathBuf) -> Shelf {
        Shelf { files, root }
    }

    /// Bytes of a file; all of them, or an error.
    pub fn read(&self, file: &StoredFile, range: Range<u64>) -> Result<Bytes, Unreadable> {
        let wrong = |source| Unreadable::Io { file: shown(file), source };
        let path = self.path(file).ok_or_else(|| wrong(io::ErrorKind::InvalidInput.into()))?;
        let len = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX);
        let bytes = self.files.read(&path, range.start, len).map_err(wrong)?;
        if bytes.len() < len { Err(wrong(io::ErrorKind::UnexpectedEof.into())) } else { Ok(bytes) }
    }

    /// A segment with its parts in memory, looked at for damage. One that is in memory already is given as it is.
    pub fn load(&self, segment: &Segment) -> Result<Segment, Unreadable> {
        let Some(stored) = segment.stored() else { return Ok(segment.clone()) };
        let bytes = self.read(&stored.file, stored.offset..stored.offset + stored.len)?;
        let damaged = || Unreadable::Damaged { file: shown(&stored.file), number: segment.number };
        if Checksum::of([&bytes[..]]) != stored.checksum {
            return Err(damaged());
        }
        segment.loaded(&bytes).map_err(|_| damaged())
    }

    /// Names that are not ours lead nowhere.
    fn path(&self, file: &StoredFile) -> Option<PathBuf> {
        MediaName::parse(&file.name)?;
        let plain = |word: &str| {
            !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
        };
        file.store.split('/').all(plain).then(|| self.root.join(&*file.store).join(&*file.name))
    }
}

fn shown(file: &StoredFile) -> String {
    format!("{}/{}", file.store, file.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Disk;

    #[test]
    fn names_do_not_leave_their_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let shelf = Shelf::new(Arc::new(Disk), folder.path().join("inside"));
        std::fs::create_dir_all(folder.path().join("inside/a/b")).expect("created");
        for path in ["inside/a/b/video-1.1.1.mp4", "inside/a/b/index", "video-1.1.1.mp4"] {
            std::fs::write(folder.path().join(path), b"bytes").expect("written");
        }
        let read = |store: &str, name: &str| {
            shelf
                .read(&StoredFile { store: store.into(), name: name.into() }, 1..3)
                .map_err(|it| it.to_string())
        };
        assert_eq!(read("a/b", "video-1.1.1.mp4"), Ok(Bytes::from_static(b"yt")));
        for (store, name) in [
            ("a/b", "index"),
            ("..", "video-1.1.1.mp4"),
            ("a/b", "../b/video-1.1.1.mp4"),
            ("", "video-1.1.1.mp4"),
        ] {
            assert!(read(store, name).is_err(), "{store} {name}");
        }
        let file = StoredFile { store: "a/b".into(), name: "video-1.1.1.mp4".into() };
        assert!(shelf.read(&file, 3..6).is_err(), "a file that ends early is no success");
    }
}
