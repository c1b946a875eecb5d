//! Reading what is in the store alone, to see whether it is what was written.

use archive::integrity::{Damaged, Elsewhere};
use bytes::{Buf, Bytes};
use container::index::Checksum;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path;

use crate::bucket::Bucket;
use crate::handle::Depot;
use crate::remote::{BLOCK, again};
use crate::trouble::Trouble;

/// Blocks that are asked for at the same time, and that are in memory.
const AHEAD: usize = 3;

impl Depot {
    /// Reads segments of a recording in the store, and gives those that are not what was written. Some megabytes of them
    /// are in memory at a time, however many there are.
    ///
    /// # Errors
    /// Where the store fails, also when it is asked again; what it does not have is no error.
    pub async fn check(&self, store: &str, segments: &[Elsewhere]) -> Result<Vec<Damaged>, Trouble> {
        let mut sorted: Vec<&Elsewhere> = segments.iter().collect();
        sorted.sort_by_key(|it| (&it.file, it.offset));
        let mut damaged = Vec::new();
        for of_file in sorted.chunk_by(|a, b| a.file == b.file) {
            let bucket = &self.inner().bucket;
            let mut object = Object::open(bucket, bucket.at(store, &of_file[0].file)).await?;
            for segment in of_file {
                damaged.extend(segment.judge(object.checksum(segment.offset, segment.len).await?));
            }
        }
        Ok(damaged)
    }
}

/// An object that is read from its beginning to its end.
struct Object<'a> {
    bucket: &'a Bucket,
    at: Path,
    /// Nothing where it is not there.
    size: u64,
    blocks: BoxStream<'a, Result<Bytes, Trouble>>,
    /// What is left of the last one.
    block: Bytes,
    /// Where that begins.
    offset: u64,
}

impl<'a> Object<'a> {
    async fn open(bucket: &'a Bucket, at: Path) -> Result<Object<'a>, Trouble> {
        let meta = again(|| bucket.head(&at)).await?;
        let size = meta.map_or(0, |meta| meta.size);
        Ok(Object { bucket, at, size, blocks: stream::empty().boxed(), block: Bytes::new(), offset: 0 })
    }

    /// CRC-32 of some bytes; `None` where it ends before them.
    async fn checksum(&mut self, offset: u64, len: u64) -> Result<Option<u32>, Trouble> {
        let Some(end) = offset.checked_add(len).filter(|end| *end <= self.size) else { return Ok(None) };
        let mut sum = Checksum::default();
        self.seek(offset);
        while self.offset < end {
            if self.block.is_empty() {
                match self.blocks.try_next().await? {
                    Some(block) if !block.is_empty() => self.block = block,
                    _ => return Ok(None),
                }
            }
            let piece = (end - self.offset).min(self.block.len() as u64);
            sum.add(&self.block[..piece as usize]);
            self.skip(piece);
        }
        Ok(Some(sum.value()))
    }

    /// Segments follow each other; where one does not, it is begun anew there.
    fn seek(&mut self, offset: u64) {
        match offset.checked_sub(self.offset) {
            Some(ahead) if self.offset > 0 && ahead <= self.block.len() as u64 => self.skip(ahead),
            _ => {
                (self.block, self.offset) = (Bytes::new(), offset);
                self.blocks = self.blocks_from(offset);
            }
        }
    }

    fn skip(&mut self, len: u64) {
        self.block.advance(len as usize);
        self.offset += len;
    }

    fn blocks_from(&self, offset: u64) -> BoxStream<'a, Result<Bytes, Trouble>> {
        let (bucket, at, size) = (self.bucket, self.at.clone(), self.size);
        let starts = stream::iter((offset..size).step_by(BLOCK as usize));
        let read = move |start: u64| {
            let at = at.clone();
            async move { again(|| bucket.read(&at, start..size.min(start + BLOCK))).await }
        };
        starts.map(read).buffered(AHEAD).boxed()
    }
}
