//! The object store, with what every call to it has in common: names below a prefix, and an end to patience.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::{Error, ObjectMeta, ObjectStore, ObjectStoreExt};
use tokio::time::timeout;

use crate::trouble::Trouble;

/// A store that takes an object in parts.
pub trait Store: ObjectStore + MultipartStore {}

impl<T: ObjectStore + MultipartStore> Store for T {}

/// For a call that moves few bytes.
const SHORT: Duration = Duration::from_secs(30);
/// For one that moves a part.
const LONG: Duration = Duration::from_secs(600);

/// Where recordings are in an object store: `PREFIX/ENTRY/RECORDING/FILE`.
#[derive(Clone, Debug)]
pub struct Bucket {
    store: Arc<dyn Store>,
    prefix: Path,
}

impl Bucket {
    /// Everything below `prefix`, which may be empty.
    pub fn new(store: Arc<dyn Store>, prefix: &str) -> Bucket {
        Bucket { store, prefix: Path::from(prefix) }
    }

    /// The name of a file of a recording.
    pub(crate) fn at(&self, store: &str, name: &str) -> Path {
        let words = store.split('/').chain([name]);
        words.fold(self.prefix.clone(), |path, word| path.join(word))
    }

    pub(crate) async fn begin(&self, at: &Path) -> Result<String, Trouble> {
        patient(SHORT, self.store.create_multipart(at)).await
    }

    /// Gives the tag of the part.
    pub(crate) async fn part(
        &self,
        at: &Path,
        upload: &str,
        k: usize,
        bytes: Bytes,
    ) -> Result<String, Trouble> {
        let upload = upload.to_owned();
        let put = self.store.put_part(at, &upload, k, bytes.into());
        Ok(patient(LONG, put).await?.content_id)
    }

    pub(crate) async fn finish(&self, at: &Path, upload: &str, tags: &[String]) -> Result<(), Trouble> {
        let parts = tags.iter().map(|tag| PartId { content_id: tag.clone() }).collect();
        let upload = upload.to_owned();
        patient(LONG, self.store.complete_multipart(at, &upload, parts)).await.map(drop)
    }

    pub(crate) async fn abort(&self, at: &Path, upload: &str) -> Result<(), Trouble> {
        let upload = upload.to_owned();
        missing_is_fine(patient(SHORT, self.store.abort_multipart(at, &upload)).await)
    }

    pub(crate) async fn put(&self, at: &Path, bytes: Bytes) -> Result<(), Trouble> {
        patient(LONG, self.store.put(at, bytes.into())).await.map(drop)
    }

    /// What the store says of an object; `None` where there is none.
    pub(crate) async fn head(&self, at: &Path) -> Result<Option<ObjectMeta>, Trouble> {
        match patient(SHORT, self.store.head(at)).await {
            Ok(meta) => Ok(Some(meta)),
            Err(Trouble::Store(Error::NotFound { .. })) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Bytes of an object; fewer where it ends.
    pub(crate) async fn read(&self, at: &Path, range: Range<u64>) -> Result<Bytes, Trouble> {
        patient(SHORT, self.store.get_range(at, range)).await
    }

    /// The same of a whole part.
    pub(crate) async fn read_part(&self, at: &Path, range: Range<u64>) -> Result<Bytes, Trouble> {
        patient(LONG, self.store.get_range(at, range)).await
    }

    pub(crate) async fn delete(&self, at: &Path) -> Result<(), Trouble> {
        missing_is_fine(patient(SHORT, self.store.delete(at)).await)
    }

    /// The objects of a recording.
    pub(crate) async fn list(&self, store: &str) -> Result<Vec<ObjectMeta>, Trouble> {
        let folder = store.split('/').fold(self.prefix.clone(), |path, word| path.join(word));
        patient(LONG, self.store.list(Some(&folder)).try_collect()).await
    }

    /// The folders of entries, or of an entry's recordings: the last words of their names.
    pub(crate) async fn folders(&self, below: Option<&str>) -> Result<Vec<String>, Trouble> {
        let folder = below.into_iter().fold(self.prefix.clone(), |path, word| path.join(word));
        let found = patient(LONG, self.store.list_with_delimiter(Some(&folder))).await?;
        let names = found.common_prefixes.iter().filter_map(|path| path.filename());
        Ok(names.map(str::to_owned).collect())
    }
}

async fn patient<T>(patience: Duration, call: impl Future<Output = Result<T, Error>>) -> Result<T, Trouble> {
    match timeout(patience, call).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Trouble::Late),
    }
}

fn missing_is_fine(answer: Result<(), Trouble>) -> Result<(), Trouble> {
    match answer {
        Err(Trouble::Store(Error::NotFound { .. })) => Ok(()),
        other => other,
    }
}
