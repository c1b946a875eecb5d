//! Bytes that wait to be sent, by reference.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, Bytes};

/// Pieces in order. They are given to the kernel many at a time, and never joined.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    pieces: VecDeque<Bytes>,
    len: usize,
}

impl Pieces {
    pub(super) fn extend(&mut self, pieces: impl IntoIterator<Item = Bytes>) {
        for piece in pieces.into_iter().filter(|piece| !piece.is_empty()) {
            self.len += piece.len();
            self.pieces.push_back(piece);
        }
    }
}

impl Buf for Pieces {
    fn remaining(&self) -> usize {
        self.len
    }

    fn chunk(&self) -> &[u8] {
        self.pieces.front().map_or(&[], |piece| piece)
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let pairs = slices.iter_mut().zip(&self.pieces);
        pairs.map(|(slice, piece)| *slice = IoSlice::new(piece)).count()
    }

    fn advance(&mut self, mut by: usize) {
        self.len -= by;
        while let Some(piece) = self.pieces.front_mut()
            && by > 0
        {
            let now = by.min(piece.len());
            piece.advance(now);
            by -= now;
            if piece.is_empty() {
                self.pieces.pop_front();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_go_out_in_order_however_much_is_taken() {
        let mut pieces = Pieces::default();
        pieces.extend(["ab", "", "cde", "f"].map(|piece| Bytes::from_static(piece.as_bytes())));
        assert_eq!(pieces.remaining(), 6);
        let mut slices = [IoSlice::new(&[]); 8];
        assert_eq!(pieces.chunks_vectored(&mut slices), 3);
        pieces.advance(3);
        assert_eq!((pieces.chunk(), pieces.remaining()), (&b"de"[..], 3));
        pieces.advance(3);
        assert!(!pieces.has_remaining() && pieces.chunk().is_empty());
    }
}
