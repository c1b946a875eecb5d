//! Taking recordings away, so that a crash at any moment leaves all of one, or something that is cleaned up.
//!
//! ```text
//! ROOT/ENTRY/RECORDING ──one step──▶ ROOT/ENTRY/.trash-RECORDING ──file by file──▶ nothing
//! ```
//!
//! Nobody who looks for recordings finds what has the second name. Whoever starts calls [`clean`] before anything else.
//!
//! Deliberately absent: which recordings go, and who is told.

use std::io;
use std::path::Path;

use crate::files::{Files, Listed};
use crate::layout::MOVED;
use crate::moved;

/// What the names of folders begin with whose recordings are on their way out. No recording is called so.
const TRASH: &str = ".trash-";

/// A recording in its folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    /// The folder's folder.
    pub entry: String,
    /// The folder.
    pub recording: String,
    /// Bytes of all that is in it.
    pub bytes: u64,
    /// Bytes that are in another store alone.
    pub elsewhere: u64,
    /// When something was last written to it, in microseconds since the Unix epoch.
    pub modified: i64,
}

/// The recordings below a folder, with their sizes; in no order. A root that is not there has none.
pub fn recordings(files: &dyn Files, root: &Path) -> io::Result<Vec<Kept>> {
    let mut found = Vec::new();
    for entry in there(files.folders(root))? {
        let folder = root.join(&entry);
        let names = there(files.folders(&folder))?.into_iter().filter(|name| is_plain(name));
        for recording in names.filter(|_| is_plain(&entry)) {
            let place = folder.join(&recording);
            let inside = there(files.list(&place))?;
            let elsewhere = elsewhere(files, &place, &inside)?;
            let bytes = inside.iter().map(|file| file.len).sum();
            let modified = inside.iter().map(|file| file.modified).max().unwrap_or_default();
            found.push(Kept { entry: entry.clone(), recording, bytes, elsewhere, modified });
        }
    }
    Ok(found)
}

fn elsewhere(files: &dyn Files, folder: &Path, inside: &[Listed]) -> io::Result<u64> {
    if inside.iter().all(|file| file.name != MOVED) {
        return Ok(0);
    }
    let mut all = inside.to_vec();
    moved::add(&mut all, &moved::read(files, folder)?);
    Ok(all[inside.len()..].iter().map(|file| file.len).sum())
}

/// Takes one away. Where that fails half-way, it is not found any more, and the same call or [`clean`] takes the rest.
/// One that is not there is taken away already.
///
/// # Errors
/// Those of the file system; `InvalidInput` for names that no recording has.
pub fn remove(files: &dyn Files, root: &Path, entry: &str, recording: &str) -> io::Result<()> {
    if !is_plain(entry) || !is_plain(recording) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let folder = root.join(entry);
    let trash = folder.join(format!("{TRASH}{recording}"));
    match files.rename(&folder.join(recording), &trash) {
        Ok(()) => files.sync_folder(&folder)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    discard(files, &trash)
}

/// Finishes what was begun before a crash, and says how many recordings that were. One that resists does not keep the
/// others: its error comes at the end. For a time at which nothing is recorded.
pub fn clean(files: &dyn Files, root: &Path) -> io::Result<usize> {
    let (mut cleaned, mut failed) = (0, None);
    for entry in there(files.folders(root))?.into_iter().filter(|entry| is_plain(entry)) {
        let folder = root.join(entry);
        let inside = there(files.folders(&folder))?;
        for trash in inside.iter().filter(|name| name.starts_with(TRASH)) {
            match discard(files, &folder.join(trash)) {
                Ok(()) => cleaned += 1,
                Err(error) => failed = Some(error),
            }
        }
        // Entries come and go; a folder in which something is stays by itself.
        let _ = files.remove_folder(&folder);
    }
    failed.map_or(Ok(cleaned), Err)
}

fn discard(files: &dyn Files, trash: &Path) -> io::Result<()> {
    for file in there(files.list(trash))? {
        there(files.remove(&trash.join(&file.name)))?;
    }
    there(files.remove_folder(trash))
}

/// What is not there has nothing in it.
fn there<T: Default>(found: io::Result<T>) -> io::Result<T> {
    match found {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(T::default()),
        found => found,
    }
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}
