//! Recordings that are in the store alone, after the disk here was lost: their index comes back, their media stays there.

use std::sync::Arc;

use archive::layout::{INDEX, MediaName};
use archive::moved::{self, Moved};
use archive::recover::MAX_INDEX;
use bytes::Bytes;
use tokio::task::spawn_blocking;

use crate::gone;
use crate::handle::{Depot, Inner};
use crate::survey::Folder;
use crate::trouble::Trouble;

impl Depot {
    /// Brings back the index of each recording that is complete in the store and not known here, so that it can be
    /// played from there. Gives their names, `ENTRY/RECORDING`. Nothing of what is here is touched.
    ///
    /// # Errors
    /// Where the store or the disk fails; what came back until then is here.
    pub async fn restore(&self) -> Result<Vec<String>, Trouble> {
        let inner = self.inner();
        let mut restored = Vec::new();
        for entry in inner.bucket.folders(None).await? {
            for recording in inner.bucket.folders(Some(&entry)).await? {
                let store = format!("{entry}/{recording}");
                if is_name(&entry) && is_name(&recording) && inner.bring_back(&store).await? {
                    restored.push(store);
                }
            }
        }
        Ok(restored)
    }
}

impl Inner {
    async fn bring_back(self: &Arc<Inner>, store: &str) -> Result<bool, Trouble> {
        let folder = self.folder(store);
        let (inner, name, here) = (self.clone(), store.to_owned(), folder.clone());
        let noted = move || gone::noted(&*inner.files, &inner.settings.state);
        let known = move || here.path.exists() || noted().is_ok_and(|it| it.contains(&name));
        if spawn_blocking(known).await? {
            return Ok(false);
        }
        let objects = self.bucket.list(store).await?;
        let named =
            |object: &object_store::ObjectMeta| Some((object.location.filename()?.to_owned(), object.size));
        let sizes: Moved = objects.iter().filter_map(named).collect();
        let Some(len) = sizes.get(INDEX).copied().filter(|&len| 0 < len && len <= MAX_INDEX) else {
            return Ok(false);
        };
        let index = self.bucket.read_part(&self.bucket.at(store, INDEX), 0..len).await?;
        let media = sizes.into_iter().filter(|(name, _)| MediaName::parse(name).is_some()).collect();
        spawn_blocking(move || write(&folder, &index, &media)).await??;
        Ok(true)
    }
}

/// The list first, the index second: without an index there is no recording.
fn write(folder: &Folder, index: &Bytes, media: &Moved) -> Result<(), Trouble> {
    let write = || {
        folder.files.create_folder(&folder.path)?;
        moved::write(&*folder.files, &folder.path, media)?;
        let mut file = folder.files.append(&folder.at(INDEX))?;
        file.append(&[index])?;
        file.sync()?;
        folder.files.sync_folder(&folder.path)
    };
    write().map_err(|error| folder.disk(error))
}

/// Names that are not ours lead nowhere.
pub(crate) fn is_name(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}
