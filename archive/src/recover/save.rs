//! Writing down what a recovery found.

use std::collections::BTreeSet;
use std::path::Path;

use container::index::{self, Record};

use super::{Error, Recovery, at};
use crate::layout::{INDEX, NEW_INDEX};

impl Recovery<'_> {
    /// Writes down what was found, and syncs all that was not known to be safe. Gives the length of the index.
    pub(super) fn save(&mut self) -> Result<u64, Error> {
        let unsafe_files: BTreeSet<u32> = self.contents.unsynced.iter().map(|part| part.file).collect();
        for file in unsafe_files {
            let path = self.path(file);
            if self.length(&self.contents.files[file as usize].name).is_some() {
                self.files.append(&path).and_then(|mut file| file.sync()).map_err(at(&path))?;
            }
        }
        let len = if self.whole == 0 { self.write_anew()? } else { self.write_on()? };
        self.files.sync_folder(self.folder).map_err(at(self.folder))?;
        Ok(len)
    }

    fn write_anew(&mut self) -> Result<u64, Error> {
        let (new, path) = (self.folder.join(NEW_INDEX), self.folder.join(INDEX));
        if self.length(NEW_INDEX).is_some() {
            self.files.remove(&new).map_err(at(&new))?;
        }
        let mut bytes = Vec::new();
        index::begin(&mut bytes);
        for record in self.contents.records() {
            index::write(&mut bytes, &record)?;
        }
        index::write(&mut bytes, &Record::Synced)?;
        self.append(&new, &bytes)?;
        self.files.rename(&new, &path).map_err(at(&path))?;
        self.contents.unsynced.clear();
        Ok(bytes.len() as u64)
    }

    fn write_on(&mut self) -> Result<u64, Error> {
        let path = self.folder.join(INDEX);
        if self.repairs.torn > 0 {
            self.files.cut(&path, self.whole).map_err(at(&path))?;
        }
        if self.log.is_empty() && self.contents.unsynced.is_empty() {
            return Ok(self.whole);
        }
        let mut bytes = Vec::new();
        for record in &self.log {
            index::write(&mut bytes, record)?;
        }
        self.append(&path, &bytes)?;
        let mut mark = Vec::new();
        index::write(&mut mark, &Record::Synced)?;
        self.append(&path, &mark)?;
        self.contents.unsynced.clear();
        Ok(self.whole + (bytes.len() + mark.len()) as u64)
    }

    fn append(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        let mut file = self.files.append(path).map_err(at(path))?;
        file.append(&[bytes]).and_then(|()| file.sync()).map_err(at(path))
    }
}
