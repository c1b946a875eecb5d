//! An object store in memory that can be away, forget uploads, and damage what it is given. It writes down what it did.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartId, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

#[derive(Clone, Default, Debug)]
pub struct Flaky {
    inner: Arc<InMemory>,
    state: Arc<Mutex<State>>,
}

#[derive(Default, Debug)]
struct State {
    away: bool,
    /// Of how many more parts and objects a byte is changed.
    damages: u32,
    /// Uploads that are not known any more.
    forgotten: BTreeSet<String>,
    log: Vec<String>,
    uploads: Vec<String>,
    parts_at_once: usize,
    most_at_once: usize,
}

impl Flaky {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics with it")
    }

    pub fn away(&self, away: bool) {
        self.state().away = away;
    }

    pub fn damage(&self, times: u32) {
        self.state().damages = times;
    }

    /// As after the time that a bucket gives unfinished uploads.
    pub fn forget_uploads(&self) {
        let mut state = self.state();
        let uploads = std::mem::take(&mut state.uploads);
        state.forgotten.extend(uploads);
    }

    /// What was done, in order: `part PATH K`, `put PATH`, `complete PATH`, `get PATH FROM`, `delete PATH`.
    pub fn log(&self) -> Vec<String> {
        self.state().log.clone()
    }

    pub fn count(&self, word: &str) -> usize {
        self.state().log.iter().filter(|line| line.starts_with(word)).count()
    }

    pub fn most_parts_at_once(&self) -> usize {
        self.state().most_at_once
    }

    /// An object, whole.
    pub async fn object(&self, path: &str) -> Option<Bytes> {
        self.inner.get(&Path::from(path)).await.ok()?.bytes().await.ok()
    }

    /// Puts other bytes in place of an object, or nothing, as no client would.
    pub async fn replace(&self, path: &str, bytes: Option<Vec<u8>>) {
        let path = Path::from(path);
        match bytes {
            Some(bytes) => self.inner.put(&path, bytes.into()).await.map(drop),
            None => self.inner.delete(&path).await,
        }
        .expect("memory");
    }

    pub async fn objects(&self) -> Vec<String> {
        use futures_util::TryStreamExt;
        let all: Vec<ObjectMeta> = self.inner.list(None).try_collect().await.expect("listed");
        let mut names: Vec<String> = all.into_iter().map(|it| it.location.to_string()).collect();
        names.sort();
        names
    }

    fn come(&self, line: String) -> Result<()> {
        let mut state = self.state();
        if state.away {
            return Err(Error::Generic { store: "flaky", source: "connection refused".into() });
        }
        state.log.push(line);
        Ok(())
    }

    fn known(&self, id: &str) -> Result<()> {
        match self.state().forgotten.contains(id) {
            true => Err(Error::NotFound { path: id.into(), source: "NoSuchUpload".into() }),
            false => Ok(()),
        }
    }

    fn perhaps_damaged(&self, payload: PutPayload) -> PutPayload {
        let mut state = self.state();
        if state.damages == 0 {
            return payload;
        }
        state.damages -= 1;
        let mut bytes: Vec<u8> = payload.iter().flatten().copied().collect();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        bytes.into()
    }
}

impl fmt::Display for Flaky {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("flaky")
    }
}

#[async_trait]
impl MultipartStore for Flaky {
    async fn create_multipart(&self, path: &Path) -> Result<MultipartId> {
        self.come(format!("create {path}"))?;
        let id = self.inner.create_multipart(path).await?;
        self.state().uploads.push(id.clone());
        Ok(id)
    }

    async fn put_part(&self, path: &Path, id: &MultipartId, k: usize, data: PutPayload) -> Result<PartId> {
        self.come(format!("part {path} {k}"))?;
        self.known(id)?;
        {
            let mut state = self.state();
            state.parts_at_once += 1;
            state.most_at_once = state.most_at_once.max(state.parts_at_once);
        }
        // A network takes its time, in which others come.
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        self.state().parts_at_once -= 1;
        self.inner.put_part(path, id, k, self.perhaps_damaged(data)).await
    }

    async fn complete_multipart(
        &self,
        path: &Path,
        id: &MultipartId,
        parts: Vec<PartId>,
    ) -> Result<PutResult> {
        self.come(format!("complete {path}"))?;
        self.known(id)?;
        self.inner.complete_multipart(path, id, parts).await
    }

    async fn abort_multipart(&self, path: &Path, id: &MultipartId) -> Result<()> {
        self.come(format!("abort {path}"))?;
        self.known(id)?;
        self.state().forgotten.insert(id.clone());
        self.inner.abort_multipart(path, id).await
    }
}

#[async_trait]
impl ObjectStore for Flaky {
    async fn put_opts(&self, path: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.come(format!("put {path}"))?;
        self.inner.put_opts(path, self.perhaps_damaged(payload), options).await
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        Err(Error::NotImplemented { operation: "put_multipart".into(), implementer: "flaky".into() })
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        let from = options.range.as_ref().map(ToString::to_string).unwrap_or_default();
        let word = if options.head { "head" } else { "get" };
        self.come(format!("{word} {path} {from}"))?;
        self.inner.get_opts(path, options).await
    }

    async fn get_ranges(&self, path: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.come(format!("get {path}"))?;
        self.inner.get_ranges(path, ranges).await
    }

    fn delete_stream(&self, paths: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        match self.come("delete".into()) {
            Ok(()) => self.inner.delete_stream(paths),
            Err(error) => Box::pin(futures_util::stream::iter([Err(error)])),
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.come("list".into()) {
            Ok(()) => self.inner.list(prefix),
            Err(error) => Box::pin(futures_util::stream::iter([Err(error)])),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.come("list".into())?;
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
