//! Recordings on the local disk. A disk may take its time: every read is on a thread that may block.

use std::ops::Range;
use std::sync::Arc;

use archive::{Shelf, Unreadable};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use packager::Segment;
use packager::presentation::StoredFile;
use stream::{Storage, Unavailable};
use tokio::task::spawn_blocking;

/// The recordings of a [`Shelf`].
#[derive(Clone)]
pub struct Local {
    shelf: Shelf,
}

impl Local {
    /// What lies on this shelf.
    pub fn new(shelf: Shelf) -> Local {
        Local { shelf }
    }

    async fn blocking<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Shelf) -> Result<T, Unreadable> + Send + 'static,
    ) -> Result<T, Unavailable> {
        let shelf = self.shelf.clone();
        match spawn_blocking(move || read(&shelf)).await {
            Ok(read) => read.map_err(why),
            Err(_) => Err(Unavailable::Failed("reading was given up".into())),
        }
    }
}

impl Storage for Local {
    fn read<'a>(
        &'a self,
        file: &'a StoredFile,
        range: Range<u64>,
    ) -> BoxFuture<'a, Result<Bytes, Unavailable>> {
        let file = file.clone();
        Box::pin(self.blocking(move |shelf| shelf.read(&file, range)))
    }

    fn load<'a>(&'a self, segment: &'a Arc<Segment>) -> BoxFuture<'a, Result<Arc<Segment>, Unavailable>> {
        Box::pin(async move {
            if segment.stored().is_none() {
                return Ok(segment.clone());
            }
            let segment = segment.clone();
            self.blocking(move |shelf| shelf.load(&segment).map(Arc::new)).await
        })
    }
}

fn why(error: Unreadable) -> Unavailable {
    match &error {
        Unreadable::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => Unavailable::Gone,
        Unreadable::Io { .. } => Unavailable::Failed(error.to_string().into()),
        Unreadable::Damaged { .. } => Unavailable::Damaged(error.to_string().into()),
    }
}
