//! Files of media that are no longer beside their index, because the same bytes are in another store.
//!
//! ```text
//! FOLDER/moved                       a line each: its length in bytes, and its name
//! ```
//!
//! The list is there for good before the first file goes, so that a file is always in its folder, or on the list, or
//! both.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use crate::files::{Files, Listed};
use crate::layout::{MOVED, MediaName, NEW_MOVED};

/// The longest list that is read, in bytes.
const MAX_LIST: usize = 16 << 20;

/// Bytes of each file that was moved, by its name.
pub type Moved = BTreeMap<String, u64>;

/// What was moved out of a folder.
pub fn read(files: &dyn Files, folder: &Path) -> io::Result<Moved> {
    match files.read(&folder.join(MOVED), 0, MAX_LIST) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).lines().filter_map(line).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Moved::new()),
        Err(error) => Err(error),
    }
}

/// Says what was moved, in place of what was said before.
pub fn write(files: &dyn Files, folder: &Path, moved: &Moved) -> io::Result<()> {
    let text: String = moved.iter().map(|(name, len)| format!("{len} {name}\n")).collect();
    let new = folder.join(NEW_MOVED);
    let mut file = files.append(&new)?;
    // One of this name is left from a failure.
    files.cut(&new, 0)?;
    file.append(&[text.as_bytes()])?;
    file.sync()?;
    files.rename(&new, &folder.join(MOVED))?;
    files.sync_folder(folder)
}

/// Removes files of media that are in another store, each of so many bytes there, and says so before. The same call goes
/// on with one that failed.
pub fn move_out(files: &dyn Files, folder: &Path, there: &Moved) -> io::Result<()> {
    let listed = files.list(folder)?;
    let mut moved = read(files, folder)?;
    moved.extend(there.iter().map(|(name, len)| (name.clone(), *len)));
    write(files, folder, &moved)?;
    for file in listed.iter().filter(|it| there.contains_key(&it.name)) {
        files.remove(&folder.join(&file.name))?;
    }
    Ok(())
}

/// Adds what was moved to what lies in a folder. Asked after the folder, so that what goes meanwhile is on the list.
pub(crate) fn add(listed: &mut Vec<Listed>, moved: &Moved) {
    let missing = moved.iter().filter(|(name, _)| listed.iter().all(|it| it.name != **name));
    let missing: Vec<Listed> =
        missing.map(|(name, &len)| Listed { name: name.clone(), len, modified: 0 }).collect();
    listed.extend(missing);
}

fn line(line: &str) -> Option<(String, u64)> {
    let (len, name) = line.split_once(' ')?;
    MediaName::parse(name)?;
    Some((name.to_owned(), len.parse().ok()?))
}
