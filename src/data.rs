//! The data directory: made on first start, and held by one server at a time.

use std::fs::{DirBuilder, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// A data directory that this process may write to and nobody else does.
pub(crate) struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Creates it where it is missing, readable for its owner only, and locks it.
    pub(crate) fn open(path: &Path) -> anyhow::Result<DataDir> {
        let name = path.display();
        create(path).with_context(|| format!("storage.data: cannot create the data directory {name}"))?;
        let lock = File::options().create(true).truncate(false).write(true).open(path.join("lock"));
        let lock =
            lock.with_context(|| format!("storage.data: the data directory {name} is not writable"))?;
        match lock.try_lock() {
            Ok(()) => Ok(DataDir { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                bail!("storage.data: another server runs on the data directory {name}")
            }
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("storage.data: cannot lock the data directory {name}"))
            }
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

fn create(path: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_made_for_its_owner_only_and_held_by_one() -> anyhow::Result<()> {
        let root = tempfile::tempdir()?;
        let path = root.path().join("a/b");
        let held = DataDir::open(&path)?;
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&path.metadata()?.permissions()) & 0o777, 0o700);
        let second = DataDir::open(&path).err().map(|error| error.to_string());
        assert!(second.is_some_and(|text| text.contains("another server")));
        drop(held);
        DataDir::open(&path)?;
        Ok(())
    }

    #[test]
    fn a_file_in_its_place_is_an_error_that_names_the_setting() -> anyhow::Result<()> {
        let root = tempfile::tempdir()?;
        let path = root.path().join("file");
        std::fs::write(&path, "")?;
        let error = DataDir::open(&path).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.starts_with("storage.data: cannot create"), "{error}");
        Ok(())
    }
}
