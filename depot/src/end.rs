//! What is done when nobody writes to a recording any more: the index follows, and the media here goes, if it is to.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use archive::layout::INDEX;
use archive::recover::MAX_INDEX;
use archive::{integrity, moved};
use bytes::Bytes;
use container::index::Checksum;

use crate::journal::{Complete, Step, Way};
use crate::survey::Folder;
use crate::trouble::Trouble;
use crate::upload::Recording;

impl Recording {
    /// Puts the index, if that which is there is another one. Everything that it names is there already. Says since when
    /// all is there.
    pub async fn complete(&self) -> Result<Complete, Trouble> {
        let index = self.blocking(read_index).await?;
        let (len, checksum) = (index.len() as u64, Checksum::of([&index[..]]));
        let before = self.journal().complete();
        if let Some(before) = before.filter(|it| (it.len, it.checksum) == (len, checksum)) {
            return Ok(before);
        }
        self.put_verified(INDEX, index).await?;
        let at = now();
        self.note(Step::Complete { len, checksum, at }).await?;
        Ok(Complete { len, checksum, at })
    }

    /// Removes the media here that was verified there, after a last look at it: what is damaged here is not removed,
    /// because what is there is a copy of it. Says whether it went.
    pub async fn leave(&self) -> Result<bool, Trouble> {
        let ways = self.journal().ways().clone();
        let verified = move |name: &str| match ways.get(name) {
            Some(Way::Verified { len }) => Some(*len),
            _ => None,
        };
        self.blocking(move |folder| leave(folder, verified)).await
    }
}

/// How long until something is so old.
pub(crate) fn until(at: u64, age: Duration) -> Duration {
    Duration::from_secs(at).saturating_add(age).saturating_sub(Duration::from_secs(now()))
}

fn leave(folder: &Folder, verified: impl Fn(&str) -> Option<u64>) -> Result<bool, Trouble> {
    let (files, path) = (&*folder.files, &*folder.path);
    let contents = folder.contents()?;
    if !integrity::verify(files, path, &contents).damaged.is_empty() {
        return Ok(false);
    }
    let there = contents.files.iter().filter_map(|it| Some((it.name.clone(), verified(&it.name)?))).collect();
    moved::move_out(files, path, &there).map_err(|error| folder.disk(error))?;
    Ok(true)
}

fn read_index(folder: &Folder) -> Result<Bytes, Trouble> {
    let path: &Path = &folder.at(INDEX);
    folder.files.read(path, 0, MAX_INDEX as usize).map_err(|error| folder.disk(error))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
