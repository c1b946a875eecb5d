//! The bytes of a file, read while they are sent.

use std::ops::Range;
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::iter;
use packager::presentation::StoredFile;
use packager::progressive::{Piece, Place};
use stream::{Storage, Unavailable};
use tokio::sync::OwnedSemaphorePermit;
use tracing::debug;

use super::layouts::Made;

/// Bytes that are read at once.
const READ: u64 = 1 << 20;
/// Pieces that are read at a time: one is sent while the next comes.
const AHEAD: usize = 2;

/// Bytes to send, or where they are.
#[derive(Clone, PartialEq, Debug)]
enum Chunk {
    Here(Bytes),
    Stored(Arc<StoredFile>, Range<u64>),
}

/// These bytes of a file. The place is free when they are sent, or nobody takes them any more.
pub(super) fn of(
    made: Arc<Made>,
    range: Range<u64>,
    storage: Arc<dyn Storage>,
    place: OwnedSemaphorePermit,
) -> Body {
    let storage = Arc::new((storage, place));
    let read = move |chunk| {
        let storage = storage.clone();
        async move { read(&*storage.0, chunk).await }
    };
    Body::from_stream(iter(chunks(made, range)).map(read).buffered(AHEAD))
}

async fn read(storage: &dyn Storage, chunk: Chunk) -> Result<Bytes, Unavailable> {
    match chunk {
        Chunk::Here(bytes) => Ok(bytes),
        Chunk::Stored(file, range) => {
            let read = storage.read(&file, range).await;
            read.inspect_err(|why| debug!(store = %file.store, %why, "a download breaks off"))
        }
    }
}

/// What lies in a range, in order; found as it is needed.
fn chunks(made: Arc<Made>, range: Range<u64>) -> impl Iterator<Item = Chunk> {
    let head = made.layout.head.len() as u64;
    let first = (range.start < head)
        .then(|| Chunk::Here(made.layout.head.slice(range.start as usize..range.end.min(head) as usize)));
    let begin = made.layout.pieces.partition_point(|piece| piece.at + piece.len <= range.start);
    let count = made.layout.within(&range).len();
    let of_piece = move |at: usize| cut(&made.layout.pieces[at], &range);
    first.into_iter().chain((begin..begin + count).flat_map(of_piece))
}

/// What of a piece lies in a range.
fn cut(piece: &Piece, range: &Range<u64>) -> Vec<Chunk> {
    let (start, end) = (range.start.max(piece.at) - piece.at, range.end.min(piece.at + piece.len) - piece.at);
    match &piece.place {
        Place::Stored(file, at) => {
            let parts = (start..end).step_by(READ as usize);
            parts.map(|from| Chunk::Stored(file.clone(), at + from..at + end.min(from + READ))).collect()
        }
        Place::Memory(bytes) => in_memory(bytes, start..end),
    }
}

fn in_memory(pieces: &[Bytes], range: Range<u64>) -> Vec<Chunk> {
    let mut at = 0;
    let mut chunks = Vec::new();
    for bytes in pieces {
        let len = bytes.len() as u64;
        let (first, end) = (range.start.saturating_sub(at).min(len), range.end.saturating_sub(at).min(len));
        if first < end {
            chunks.push(Chunk::Here(bytes.slice(first as usize..end as usize)));
        }
        at += len;
    }
    chunks
}

#[cfg(test)]
mod tests {
    use packager::progressive::Layout;

    use super::*;

    fn made() -> Arc<Made> {
        let file = Arc::new(StoredFile { store: "s".into(), name: "f".into() });
        let memory = vec![Bytes::from_static(b"de"), Bytes::from_static(b"fgh")];
        let pieces = vec![
            Piece { at: 3, len: 5, place: Place::Memory(memory) },
            Piece { at: 8, len: READ + 7, place: Place::Stored(file, 100) },
        ];
        let layout = Layout { head: Bytes::from_static(b"abc"), pieces, len: 8 + READ + 7 };
        Arc::new(Made { layout, tag: String::new() })
    }

    fn shown(range: Range<u64>) -> Vec<String> {
        let show = |chunk| match chunk {
            Chunk::Here(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Chunk::Stored(_, range) => format!("{}+{}", range.start, range.end - range.start),
        };
        chunks(made(), range).map(show).collect()
    }

    /// RFC 9110 §14.1.2: the bytes of a range and no other.
    #[test]
    fn a_range_is_cut_out_of_head_and_pieces() {
        let rest = format!("{}+7", 100 + READ);
        assert_eq!(shown(0..8 + READ + 7), ["abc", "de", "fgh", "100+1048576", &rest]);
        assert_eq!(shown(1..2), ["b"]);
        assert_eq!(shown(2..4), ["c", "d"]);
        assert_eq!(shown(4..6), ["e", "f"]);
        assert_eq!(shown(7..10), ["h", "100+2"]);
        assert_eq!(shown(8 + READ..8 + READ + 3), [format!("{}+3", 100 + READ)]);
    }
}
