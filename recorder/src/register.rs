//! Which recordings there are: a folder for each, `ROOT/ENTRY/RECORDING`, and in memory what their small files say.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use archive::files::Files;
use archive::layout;
use archive::recover::{self, Repairs};

use crate::about::{About, State};

/// Recordings by entry; some hundred bytes each.
#[derive(Default)]
pub(crate) struct Register(Mutex<HashMap<Arc<str>, Vec<About>>>);

/// What was found at the start.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Recovered {
    /// Recordings that are there.
    pub recordings: usize,
    /// Those that were open, with what was repaired.
    pub repaired: Vec<(Arc<str>, Arc<str>, Repairs)>,
    /// Those that could not be read, and why. They are left as they are.
    pub unreadable: Vec<(PathBuf, String)>,
}

impl Register {
    /// All of an entry, the oldest first.
    pub fn of(&self, entry: &str) -> Vec<About> {
        self.lock().get(entry).cloned().unwrap_or_default()
    }

    /// All there are.
    pub fn all(&self) -> Vec<About> {
        self.lock().values().flatten().cloned().collect()
    }

    /// The one of an entry that was begun last.
    pub fn newest(&self, entry: &str) -> Option<About> {
        self.lock().get(entry)?.last().cloned()
    }

    /// Adds one, or replaces what is known of it.
    pub fn put(&self, about: About) {
        let mut all = self.lock();
        let of_entry = all.entry(about.entry.clone()).or_default();
        of_entry.retain(|known| known.id != about.id);
        let at = of_entry.partition_point(|known| known.first <= about.first);
        of_entry.insert(at, about);
    }

    /// Notes how far one is that is being written.
    pub fn grew(&self, about: &About) {
        let mut all = self.lock();
        let of_entry = all.get_mut(&about.entry).into_iter().flatten();
        if let Some(known) = of_entry.into_iter().find(|known| known.id == about.id) {
            (known.bytes, known.length) = (about.bytes, about.length);
        }
    }

    pub fn remove(&self, entry: &str, id: &str) -> bool {
        let mut all = self.lock();
        let Some(of_entry) = all.get_mut(entry) else { return false };
        let before = of_entry.len();
        of_entry.retain(|known| &*known.id != id);
        let removed = of_entry.len() < before;
        if of_entry.is_empty() {
            all.remove(entry);
        }
        removed
    }

    // Each change stands by itself: a panic elsewhere leaves it whole.
    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Vec<About>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads which recordings there are, and takes up those that were open when a process died. Blocks.
pub(crate) fn load(register: &Register, files: &dyn Files, root: &Path) -> io::Result<Recovered> {
    let mut found = Recovered::default();
    files.create_folder(root)?;
    for entry in folders(root, packager::names::is_entry_id)? {
        let of_entry = root.join(&*entry);
        for id in folders(&of_entry, is_name)? {
            let folder = of_entry.join(&*id);
            match look(files, &folder, &entry, &id) {
                Ok(Some((about, repairs))) => {
                    found.repaired.extend(repairs.map(|repairs| (entry.clone(), id.clone(), repairs)));
                    register.put(about);
                    found.recordings += 1;
                }
                Ok(None) => {}
                Err(error) => found.unreadable.push((folder, error)),
            }
        }
    }
    Ok(found)
}

/// Whether a folder may be a recording's.
pub(crate) fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

pub(crate) fn folders(below: &Path, wanted: impl Fn(&str) -> bool) -> io::Result<Vec<Arc<str>>> {
    let mut names = Vec::new();
    for item in fs::read_dir(below)? {
        let item = item?;
        if item.file_type()?.is_dir() {
            names.extend(item.file_name().to_str().filter(|name| wanted(name)).map(Arc::from));
        }
    }
    names.sort();
    Ok(names)
}

/// What is known of a recording; of one that was open, once it was taken up. `None` of a folder that is none.
fn look(
    files: &dyn Files,
    folder: &Path,
    entry: &Arc<str>,
    id: &Arc<str>,
) -> Result<Option<(About, Option<Repairs>)>, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let known = About::read(files, folder, entry, id).map_err(|error| text(&error))?;
    if let Some(about) = known.as_ref().filter(|about| about.state != State::Open) {
        return Ok(Some((about.clone(), None)));
    }
    let listed = files.list(folder).map_err(|error| text(&error))?;
    let ours = |name: &str| name == layout::INDEX || layout::MediaName::parse(name).is_some();
    if known.is_none() && !listed.iter().any(|file| ours(&file.name)) {
        return Ok(None);
    }
    let recovered = recover::open(files, folder).map_err(|error| text(&error))?;
    let told = About::of(entry, id, &recovered.contents);
    let about = match known {
        // What was said before is kept; the rest is as the files have it.
        Some(known) => About { paused: known.paused, closed: known.closed, started: known.started, ..told },
        None => told,
    };
    // Where that fails it is looked at again with the next start.
    let _ = about.write(files, folder);
    Ok(Some((about, Some(recovered.repairs))))
}
