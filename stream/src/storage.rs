//! Where the bytes of stored segments are read.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use packager::Segment;
use packager::presentation::StoredFile;

/// Reads what left memory. Calls may take as long as a disk or a network does.
pub trait Storage: Send + Sync {
    /// Bytes of a file; all of them, or an error.
    fn read<'a>(
        &'a self,
        file: &'a StoredFile,
        range: Range<u64>,
    ) -> BoxFuture<'a, Result<Bytes, Unavailable>>;

    /// A segment with its parts in memory, looked at for damage. One that is there already is given as it is.
    fn load<'a>(&'a self, segment: &'a Arc<Segment>) -> BoxFuture<'a, Result<Arc<Segment>, Unavailable>>;

    /// How many segments behind one that is asked for are worth reading before somebody asks for them: none where that
    /// is quick, as on a disk of this machine, whose own cache looks ahead.
    fn read_ahead(&self) -> usize {
        0
    }
}

/// Why stored bytes cannot be had.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unavailable {
    /// They were removed.
    #[error("it was removed")]
    Gone,
    /// What is stored is not what was written.
    #[error("what is stored is damaged: {0}")]
    Damaged(Arc<str>),
    /// The disk or the network failed; later may be better.
    #[error("storage failed: {0}")]
    Failed(Arc<str>),
}

/// A storage in which there is nothing; for servers that record nothing, and for tests.
#[derive(Debug)]
pub struct NoStorage;

impl Storage for NoStorage {
    fn read<'a>(&'a self, _: &'a StoredFile, _: Range<u64>) -> BoxFuture<'a, Result<Bytes, Unavailable>> {
        Box::pin(std::future::ready(Err(Unavailable::Gone)))
    }

    fn load<'a>(&'a self, segment: &'a Arc<Segment>) -> BoxFuture<'a, Result<Arc<Segment>, Unavailable>> {
        let found = if segment.stored().is_none() { Ok(segment.clone()) } else { Err(Unavailable::Gone) };
        Box::pin(std::future::ready(found))
    }
}
