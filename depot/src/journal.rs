//! How far a recording is on its way: a line for each step, in a file beside the recording.
//!
//! ```text
//! FOLDER/uploads                     a JSON object a line
//! ```
//!
//! A step is written down when the store has said that it is done. One that is lost (a crash between the two, a torn
//! line at the end) is done once more, which a store takes well: a part takes the place of the part of its number.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use archive::files::Files;
use serde::{Deserialize, Serialize};

use crate::part;

/// The file.
pub(crate) const NAME: &str = "uploads";
/// The longest one that is read, in bytes: half a million parts.
const MAX: usize = 64 << 20;

/// A step.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "lowercase")]
pub(crate) enum Step {
    /// A multipart upload of a file was begun.
    Begun { file: String, upload: String },
    /// Its next part is there.
    Part { file: String, tag: String },
    /// A file is there, as an object of `len` bytes.
    Put { file: String, len: u64 },
    /// And it was looked at.
    Verified { file: String, len: u64 },
    /// What was done of a file counts no more.
    Again { file: String },
    /// An index is there, and everything that it names.
    Complete { len: u64, checksum: u32, at: u64 },
}

/// How far a file is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) enum Way {
    /// Nothing was begun.
    #[default]
    Ahead,
    /// Some parts are there.
    Begun { upload: String, tags: Vec<String> },
    /// It is there.
    Put { len: u64 },
    /// And it was looked at.
    Verified { len: u64 },
}

impl Way {
    /// Bytes that are in the store.
    pub fn uploaded(&self) -> u64 {
        match self {
            Way::Ahead => 0,
            Way::Begun { tags, .. } => part::bytes(tags.len() as u64).map_or(0, |next| next.start),
            Way::Put { len } | Way::Verified { len } => *len,
        }
    }
}

/// An index that is there, with everything that it names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Complete {
    pub len: u64,
    /// CRC-32.
    pub checksum: u32,
    /// Since when, in seconds since the Unix epoch.
    pub at: u64,
}

/// The steps so far.
pub(crate) struct Journal {
    files: Arc<dyn Files>,
    path: PathBuf,
    ways: BTreeMap<String, Way>,
    complete: Option<Complete>,
}

impl Journal {
    /// Reads what there is. Blocks as long as the file system does.
    pub fn open(files: Arc<dyn Files>, folder: &Path) -> io::Result<Journal> {
        let path = folder.join(NAME);
        let bytes = match files.read(&path, 0, MAX) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Default::default(),
            read => read?,
        };
        let mut journal = Journal { files, path, ways: BTreeMap::new(), complete: None };
        let lines = bytes.split_inclusive(|byte| *byte == b'\n');
        lines.filter_map(|line| serde_json::from_slice(line).ok()).for_each(|step| journal.fold(step));
        if bytes.last().is_some_and(|last| *last != b'\n') {
            journal.write(b"\n")?;
        }
        Ok(journal)
    }

    /// Writes a step down. Blocks as long as the file system does.
    pub fn note(&mut self, step: Step) -> io::Result<()> {
        let mut line = serde_json::to_vec(&step)?;
        line.push(b'\n');
        self.write(&line)?;
        self.fold(step);
        Ok(())
    }

    /// How far a file is.
    pub fn way(&self, file: &str) -> Way {
        self.ways.get(file).cloned().unwrap_or_default()
    }

    /// Files of which something was begun.
    pub fn ways(&self) -> &BTreeMap<String, Way> {
        &self.ways
    }

    /// Multipart uploads that are under way: file and upload.
    pub fn uploads(&self) -> Vec<(String, String)> {
        let begun = self.ways.iter().filter_map(|(file, way)| match way {
            Way::Begun { upload, .. } => Some((file.clone(), upload.clone())),
            _ => None,
        });
        begun.collect()
    }

    /// The newest index that is there.
    pub fn complete(&self) -> Option<Complete> {
        self.complete
    }

    fn write(&self, line: &[u8]) -> io::Result<()> {
        self.files.append(&self.path)?.append(&[line])
    }

    fn fold(&mut self, step: Step) {
        let (file, way) = match step {
            Step::Begun { file, upload } => (file, Way::Begun { upload, tags: Vec::new() }),
            Step::Part { file, tag } => {
                if let Some(Way::Begun { tags, .. }) = self.ways.get_mut(&file) {
                    tags.push(tag);
                }
                return;
            }
            Step::Put { file, len } => (file, Way::Put { len }),
            Step::Verified { file, len } => (file, Way::Verified { len }),
            Step::Again { file } => (file, Way::Ahead),
            Step::Complete { len, checksum, at } => {
                self.complete = Some(Complete { len, checksum, at });
                return;
            }
        };
        self.ways.insert(file, way);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use archive::files::Disk;

    use super::*;

    fn begun(file: &str, upload: &str) -> Step {
        Step::Begun { file: file.into(), upload: upload.into() }
    }

    fn part(file: &str, tag: &str) -> Step {
        Step::Part { file: file.into(), tag: tag.into() }
    }

    #[test]
    fn what_was_noted_is_known_after_a_restart() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = || Journal::open(Arc::new(Disk), folder.path()).expect("readable");
        let mut journal = open();
        for step in [begun("a", "1"), part("a", "x"), part("a", "y"), begun("b", "2")] {
            journal.note(step).expect("written");
        }
        journal.note(Step::Put { file: "b".into(), len: 7 }).expect("written");
        journal.note(Step::Complete { len: 1, checksum: 2, at: 3 }).expect("written");
        let again = open();
        assert_eq!(again.way("a"), Way::Begun { upload: "1".into(), tags: vec!["x".into(), "y".into()] });
        assert_eq!(again.way("a").uploaded(), 2 * part::SIZE);
        assert_eq!((again.way("b"), again.way("c")), (Way::Put { len: 7 }, Way::Ahead));
        assert_eq!(again.complete(), Some(Complete { len: 1, checksum: 2, at: 3 }));
        assert_eq!((again.ways, again.complete), (journal.ways, journal.complete));
    }

    #[test]
    fn a_torn_line_is_a_step_that_was_not_done() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = || Journal::open(Arc::new(Disk), folder.path()).expect("readable");
        open().note(begun("a", "1")).expect("written");
        let mut file =
            std::fs::OpenOptions::new().append(true).open(folder.path().join(NAME)).expect("there");
        file.write_all(br#"{"step":"part","file":"a","#).expect("written");
        open().note(part("a", "x")).expect("written");
        assert_eq!(open().way("a"), Way::Begun { upload: "1".into(), tags: vec!["x".into()] });
    }
}
