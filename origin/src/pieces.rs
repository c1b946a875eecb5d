//! A body made of bytes that somebody else wrote: nothing is copied, neither here nor in `hyper`, which hands
//! the pieces to one vectored write.

use std::convert::Infallible;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::vec;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// Counted references to the pieces of a segment, one frame each, with an exact size.
#[derive(Debug)]
pub struct Pieces {
    pieces: vec::IntoIter<Bytes>,
    remaining: u64,
}

impl Pieces {
    /// The bytes `range` of `pieces` put one after another; what lies past their end is left out.
    pub fn new<'a>(pieces: impl Iterator<Item = &'a Bytes>, range: Range<u64>) -> Pieces {
        let pieces = cut(pieces, range);
        let remaining = pieces.iter().map(|piece| piece.len() as u64).sum();
        Pieces { pieces: pieces.into_iter(), remaining }
    }

    /// The body of an answer to HEAD, of which only the length is told (RFC 9110 §9.3.2).
    pub fn of_length(remaining: u64) -> Pieces {
        Pieces { pieces: Vec::new().into_iter(), remaining }
    }
}

fn cut<'a>(pieces: impl Iterator<Item = &'a Bytes>, range: Range<u64>) -> Vec<Bytes> {
    let mut at = 0;
    let mut cut = Vec::new();
    for piece in pieces {
        let len = piece.len() as u64;
        let first = range.start.saturating_sub(at).min(len);
        let end = range.end.saturating_sub(at).min(len);
        if first < end {
            // Both are at most the length of the piece.
            cut.push(piece.slice(first as usize..end as usize));
        }
        at += len;
        if at >= range.end {
            break;
        }
    }
    cut
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.pieces.next();
        self.remaining -= piece.as_ref().map_or(0, |piece| piece.len() as u64);
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.remaining == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces() -> Vec<Bytes> {
        vec![Bytes::from_static(b"abc"), Bytes::new(), Bytes::from_static(b"defgh"), Bytes::from_static(b"i")]
    }

    #[test]
    fn a_range_is_cut_across_pieces_without_copying() {
        let pieces = pieces();
        let whole: Vec<u8> = pieces.concat();
        for start in 0..=10u64 {
            for end in start..=11u64 {
                let body = Pieces::new(pieces.iter(), start..end);
                let len = end.min(9).saturating_sub(start.min(9));
                assert_eq!(body.size_hint().exact(), Some(len));
                let cut: Vec<Bytes> = body.pieces.collect();
                assert_eq!(cut.concat(), &whole[start.min(9) as usize..end.min(9) as usize]);
                let inside =
                    |slice: &Bytes| pieces.iter().any(|piece| piece.as_ptr_range().contains(&slice.as_ptr()));
                assert!(cut.iter().all(inside), "{start}..{end}");
            }
        }
    }
}
