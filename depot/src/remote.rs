//! Reading recordings whose media is in the store: by blocks, some of them ahead of whoever plays, kept for a while.
//!
//! What is on the local disk is read there. A block that many viewers want is asked for once, and asked for to the end
//! also when the first of them goes away.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use container::index::Checksum;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use object_store::Error;
use object_store::path::Path;
use packager::Segment;
use packager::presentation::{Stored, StoredFile};
use stream::{Storage, Unavailable};
use tokio::sync::Semaphore;
use tokio::time::sleep;

use crate::bucket::Bucket;
use crate::trouble::Trouble;

/// Bytes that are asked for at once.
pub(crate) const BLOCK: u64 = 2 << 20;
/// Blocks behind what was asked for that are fetched at the same time.
const AHEAD: u64 = 2;
/// Blocks that are kept: 64 MiB.
const KEPT: u64 = 32;
/// Blocks that are fetched at once.
const FETCHES: usize = 32;
/// What is waited after each failure of a request; after the last one it is given up.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(1)];

/// Recordings here and in an object store.
#[derive(Clone)]
pub struct Remote {
    local: Arc<dyn Storage>,
    blocks: Arc<Blocks>,
}

impl Remote {
    pub(crate) fn new(local: Arc<dyn Storage>, bucket: Bucket) -> Remote {
        let blocks =
            Blocks { bucket, kept: moka::sync::Cache::new(KEPT), gate: Arc::new(Semaphore::new(FETCHES)) };
        Remote { local, blocks: Arc::new(blocks) }
    }

    /// A segment from the store, looked at for damage; a second time, if what came was not what was written.
    async fn load(&self, segment: &Segment, stored: &Stored) -> Result<Arc<Segment>, Unavailable> {
        let range = stored.offset..stored.offset.saturating_add(stored.len);
        let damaged = || Unavailable::Damaged(format!("{}/{}", stored.file.store, stored.file.name).into());
        for _ in 0..2 {
            let bytes = self.blocks.read(&stored.file, range.clone()).await?;
            if Checksum::of([&bytes[..]]) == stored.checksum {
                return segment.loaded(&bytes).map(Arc::new).map_err(|_| damaged());
            }
            self.blocks.forget(&stored.file, &range);
        }
        Err(damaged())
    }
}

impl Storage for Remote {
    fn read<'a>(
        &'a self,
        file: &'a StoredFile,
        range: Range<u64>,
    ) -> BoxFuture<'a, Result<Bytes, Unavailable>> {
        Box::pin(async move {
            match self.local.read(file, range.clone()).await {
                Ok(bytes) => Ok(bytes),
                Err(here) => self.blocks.read(file, range).await.map_err(|there| either(here, there)),
            }
        })
    }

    fn load<'a>(&'a self, segment: &'a Arc<Segment>) -> BoxFuture<'a, Result<Arc<Segment>, Unavailable>> {
        Box::pin(async move {
            match (self.local.load(segment).await, segment.stored()) {
                (Err(here), Some(stored)) => {
                    self.load(segment, stored).await.map_err(|there| either(here, there))
                }
                (found, _) => found,
            }
        })
    }
}

/// What is said where neither has it: what went wrong at the one that should have.
fn either(here: Unavailable, there: Unavailable) -> Unavailable {
    match there {
        Unavailable::Gone => here,
        there => there,
    }
}

type Block = Shared<BoxFuture<'static, Result<Bytes, Unavailable>>>;

/// A block of an object.
type Key = (Path, u64);

struct Blocks {
    bucket: Bucket,
    kept: moka::sync::Cache<Key, Block>,
    gate: Arc<Semaphore>,
}

impl Blocks {
    /// Bytes of an object; all of them, or an error.
    async fn read(&self, file: &StoredFile, range: Range<u64>) -> Result<Bytes, Unavailable> {
        let at = self.bucket.at(&file.store, &file.name);
        let numbers = range.start / BLOCK..=range.end.saturating_sub(1) / BLOCK;
        // All are asked for before the first is waited for.
        numbers.clone().for_each(|k| drop(self.block(&at, k)));
        let mut pieces = Vec::new();
        for k in numbers {
            let block = self.wait(&at, k).await?;
            pieces
                .push(piece(&block, k, &range).ok_or_else(|| Unavailable::Damaged("it ends early".into()))?);
            if range.end <= (k + 1) * BLOCK && block.len() as u64 == BLOCK {
                // What fails of these is asked for again by whoever comes to it.
                (k + 1..=k + AHEAD).for_each(|k| drop(self.block(&at, k)));
            }
        }
        match <[Bytes; 1]>::try_from(pieces) {
            Ok([piece]) => Ok(piece),
            Err(pieces) => Ok(joined(&pieces)),
        }
    }

    /// A block, which is asked for once more if what was asked for before has failed.
    async fn wait(&self, at: &Path, k: u64) -> Result<Bytes, Unavailable> {
        let key = (at.clone(), k);
        if let Some(block) = self.kept.get(&key)
            && let Ok(bytes) = block.await
        {
            return Ok(bytes);
        }
        self.kept.invalidate(&key);
        self.block(at, k).await.inspect_err(|_| self.kept.invalidate(&key))
    }

    fn block(&self, at: &Path, k: u64) -> Block {
        self.kept.get_with((at.clone(), k), || {
            let fetch = fetch(self.bucket.clone(), self.gate.clone(), at.clone(), k);
            let fetched = tokio::spawn(fetch).map(|done| {
                done.unwrap_or_else(|_| Err(Unavailable::Failed("fetching was given up".into())))
            });
            fetched.boxed().shared()
        })
    }

    fn forget(&self, file: &StoredFile, range: &Range<u64>) {
        let at = self.bucket.at(&file.store, &file.name);
        for k in range.start / BLOCK..=range.end.saturating_sub(1) / BLOCK {
            self.kept.invalidate(&(at.clone(), k));
        }
    }
}

async fn fetch(bucket: Bucket, gate: Arc<Semaphore>, at: Path, k: u64) -> Result<Bytes, Unavailable> {
    let _permit = gate.acquire().await;
    let range = k * BLOCK..(k + 1) * BLOCK;
    match again(|| bucket.read(&at, range.clone())).await {
        Ok(bytes) => Ok(bytes),
        Err(Trouble::Store(Error::NotFound { .. })) => Err(Unavailable::Gone),
        Err(error) => Err(Unavailable::Failed(error.to_string().into())),
    }
}

/// Asks, and asks again where the store fails: for somebody who waits for the answer. What is not there is not asked for
/// again.
pub(crate) async fn again<T, Answer>(ask: impl Fn() -> Answer) -> Result<T, Trouble>
where
    Answer: Future<Output = Result<T, Trouble>>,
{
    for pause in PAUSES {
        match ask().await {
            Err(error) if !matches!(error, Trouble::Store(Error::NotFound { .. })) => sleep(pause).await,
            answer => return answer,
        }
    }
    ask().await
}

/// What of a range is in block `k`; `None` where the object ends before it should.
fn piece(block: &Bytes, k: u64, range: &Range<u64>) -> Option<Bytes> {
    let start = range.start.max(k * BLOCK) - k * BLOCK;
    let end = range.end.min((k + 1) * BLOCK).saturating_sub(k * BLOCK);
    (start <= end && end <= block.len() as u64).then(|| block.slice(start as usize..end as usize))
}

fn joined(pieces: &[Bytes]) -> Bytes {
    let mut whole = BytesMut::with_capacity(pieces.iter().map(Bytes::len).sum());
    pieces.iter().for_each(|piece| whole.extend_from_slice(piece));
    whole.freeze()
}
