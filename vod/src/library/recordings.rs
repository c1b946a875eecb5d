//! Which recordings there are: folders below a root, then what is told of them.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use archive::layout::INDEX;
use dashmap::DashMap;
use packager::names::is_entry_id;
use tokio::sync::Mutex;

use super::head::Head;

/// What the ids of recordings begin with.
const PREFIX: &str = "rec_";
/// How many of base 36 follow.
const LENGTH: usize = 8;
/// Numbers of recordings lie from here on, beyond those of all sessions, which begin with the Unix time in seconds; and
/// below 2^53, so that whoever has doubles reads them right.
const NUMBERS: u64 = 1 << 52;

/// A recording that is there.
pub(super) struct Recording {
    pub(super) entry: Arc<str>,
    pub(super) id: Arc<str>,
    /// What names it where sessions are named.
    pub(super) number: u64,
    /// Where it begins, once that was read.
    pub(super) head: OnceLock<Head>,
    /// Held while its index is read.
    pub(super) reading: Mutex<()>,
    growing: AtomicBool,
    /// Grows by one whenever what was read before is old.
    generation: AtomicU64,
}

impl Recording {
    fn new(entry: &Arc<str>, id: &str) -> Option<Arc<Recording>> {
        Some(Arc::new(Recording {
            entry: entry.clone(),
            number: number(id)?,
            id: id.into(),
            head: OnceLock::new(),
            reading: Mutex::new(()),
            growing: AtomicBool::new(false),
            generation: AtomicU64::new(0),
        }))
    }

    /// Notes whether more comes.
    pub(super) fn grows(&self, growing: bool) {
        self.growing.store(growing, Ordering::Release);
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn is_growing(&self) -> bool {
        self.growing.load(Ordering::Acquire)
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// What recordings of an entry are ordered by: one that has only begun is the newest.
    fn place(&self) -> u64 {
        let unread = if self.is_growing() { u64::MAX } else { 0 };
        self.head.get().map_or(unread, |head| head.segment)
    }
}

/// Those of an entry, newest first.
pub(super) type OfEntry = Arc<[Arc<Recording>]>;

/// All recordings.
#[derive(Default)]
pub(super) struct Recordings {
    by_entry: DashMap<Arc<str>, OfEntry>,
    by_id: DashMap<Arc<str>, Arc<Recording>>,
}

impl Recordings {
    /// Those whose folders lie below `root`. A folder that is called otherwise, or has no index, is none.
    pub(super) fn scan(root: &Path) -> io::Result<Recordings> {
        let recordings = Recordings::default();
        for entry in folders(root)?.iter().filter(|name| is_entry_id(name)) {
            let ids = folders(&root.join(entry))?;
            let there = ids.iter().filter(|id| root.join(entry).join(id).join(INDEX).is_file());
            there.for_each(|id| {
                recordings.add(entry, id);
            });
        }
        Ok(recordings)
    }

    /// The recording of that id, which is there from now on; `None` where the id is none.
    pub(super) fn add(&self, entry: &str, id: &str) -> Option<Arc<Recording>> {
        let mut of_entry = self.by_entry.entry(entry.into()).or_insert_with(|| Arc::from([]));
        if let Some(known) = of_entry.iter().find(|it| &*it.id == id) {
            return Some(known.clone());
        }
        let added = Recording::new(&entry.into(), id)?;
        *of_entry = std::iter::once(&added).chain(of_entry.iter()).cloned().collect();
        self.by_id.insert(added.id.clone(), added.clone());
        Some(added)
    }

    pub(super) fn remove(&self, id: &str) -> Option<Arc<Recording>> {
        let (_, removed) = self.by_id.remove(id)?;
        if let Some(mut of_entry) = self.by_entry.get_mut(&removed.entry) {
            *of_entry = of_entry.iter().filter(|it| it.id != removed.id).cloned().collect();
        }
        Some(removed)
    }

    pub(super) fn all(&self) -> Vec<Arc<Recording>> {
        self.by_id.iter().map(|it| it.clone()).collect()
    }

    pub(super) fn get(&self, id: &str) -> Option<Arc<Recording>> {
        self.by_id.get(id).map(|found| found.clone())
    }

    /// Those of an entry, newest first as far as is known where they begin.
    pub(super) fn of(&self, entry: &str) -> OfEntry {
        self.by_entry.get(entry).map_or_else(|| Arc::from([]), |found| found.clone())
    }

    /// Brings those of an entry into order, after more is known of them.
    pub(super) fn sort(&self, entry: &str) -> OfEntry {
        let Some(mut of_entry) = self.by_entry.get_mut(entry) else { return Arc::from([]) };
        let mut sorted: Vec<Arc<Recording>> = of_entry.to_vec();
        sorted.sort_by_key(|recording| std::cmp::Reverse(recording.place()));
        *of_entry = sorted.into();
        of_entry.clone()
    }
}

/// Whether a number that stands in place of a session's names a recording.
pub(super) fn is_number(session: u64) -> bool {
    session >= NUMBERS
}

/// The number of the recording that is called `id`; `None` where that is no recording's id.
fn number(id: &str) -> Option<u64> {
    let digits = id.strip_prefix(PREFIX).filter(|digits| digits.len() == LENGTH)?;
    let plain = |c: u8| c.is_ascii_digit() || c.is_ascii_lowercase();
    let number = digits.bytes().all(plain).then(|| u64::from_str_radix(digits, 36).ok())??;
    Some(NUMBERS + number)
}

/// Names of the folders in a folder; none where that is not there.
fn folders(folder: &Path) -> io::Result<Vec<String>> {
    let listed = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listed => listed?,
    };
    let mut names = Vec::new();
    for entry in listed {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            names.extend(entry.file_name().into_string());
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_recordings_have_numbers_that_no_session_and_no_other_recording_has() {
        assert_eq!(number("rec_00000000"), Some(1 << 52));
        assert_eq!(number("rec_0000000z"), Some((1 << 52) + 35));
        assert!(number("rec_zzzzzzzz").is_some_and(|largest| largest < 1 << 53));
        for other in
            ["rec_", "rec_0000000", "rec_000000000", "rec_0000000Z", "rec_+0000000", "0_00000000", ""]
        {
            assert_eq!(number(other), None, "{other}");
        }
    }

    #[test]
    fn only_folders_of_recordings_are_found() -> io::Result<()> {
        let root = tempfile::tempdir()?;
        assert!(Recordings::scan(&root.path().join("missing"))?.by_id.is_empty());
        for (folder, index) in [
            ("0_k3x9p2ab/rec_00000001", true),
            ("0_k3x9p2ab/rec_00000002", false),
            ("0_k3x9p2ab/.trash-rec_00000003", true),
            ("Entry/rec_00000004", true),
        ] {
            fs::create_dir_all(root.path().join(folder))?;
            if index {
                fs::write(root.path().join(folder).join(INDEX), b"")?;
            }
        }
        fs::write(root.path().join("0_k3x9p2ab/rec_00000005"), b"a file")?;
        let found = Recordings::scan(root.path())?;
        let ids: Vec<String> = found.by_id.iter().map(|it| it.key().to_string()).collect();
        assert_eq!(ids, ["rec_00000001"]);
        assert_eq!(found.of("0_k3x9p2ab").len(), 1);
        Ok(())
    }
}
