//! Where payload bytes live: written once when ingest reassembles them, then only read.
//!
//! A [`Writer`] hands out places in a block of memory, one after another, so that the samples of a track lie
//! side by side; a [`Slice`] is a counted reference to written bytes, and neighbours join into one without
//! copying. That is why a part with forty samples goes to a socket as one or two pieces. The crate `bytes` has
//! such a join for its mutable type alone, so this module is the one place in the project with `unsafe`.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::fmt;
use std::mem::MaybeUninit;
use std::ops::{Deref, Range};
use std::sync::Arc;

use bytes::Bytes;

/// Memory that writers fill place by place while readers look at places already filled. It begins uninitialized:
/// zeroing it would write every payload byte twice.
struct Block(Box<[UnsafeCell<MaybeUninit<u8>>]>);

// SAFETY: a byte is written only through the one `Place` whose range covers it, before a `Slice` over that
// range exists; ranges of places of one block are disjoint (see `Writer::reserve`). So no byte is ever written
// while another thread can read it, nor read before it was written.
unsafe impl Sync for Block {}
// SAFETY: as above; the bytes themselves belong to no thread.
unsafe impl Send for Block {}

impl Block {
    fn new(len: usize) -> Arc<Block> {
        let cells = Box::into_raw(Box::<[u8]>::new_uninit_slice(len)) as *mut [UnsafeCell<MaybeUninit<u8>>];
        // SAFETY: `UnsafeCell<T>` has the layout of `T`, and `cells` came from `Box::into_raw` just above.
        Arc::new(Block(unsafe { Box::from_raw(cells) }))
    }

    fn from_box(bytes: Box<[u8]>) -> Arc<Block> {
        let raw = Box::into_raw(bytes) as *mut [UnsafeCell<MaybeUninit<u8>>];
        // SAFETY: `UnsafeCell<MaybeUninit<u8>>` has the layout of `u8` and allows every value of it, and `raw` came
        // from `Box::into_raw` just above.
        Arc::new(Block(unsafe { Box::from_raw(raw) }))
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

/// How large the blocks of a [`Writer`] may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BlockSizes {
    /// Bytes of the first block, and of any block of a slow track.
    pub min: usize,
    /// Bytes of a block of a fast track. A single larger sample gets a block of its own size.
    pub max: usize,
}

impl Default for BlockSizes {
    fn default() -> Self {
        BlockSizes { min: 16 << 10, max: 1 << 20 }
    }
}

/// Hands out places for the samples of one track, one after another.
///
/// A block holds half a second to a second of the track, so that little is kept beyond what is still referred to
/// when the oldest samples are let go. Its size is a power of two: allocators round others up, by an eighth on average.
pub struct Writer {
    sizes: BlockSizes,
    block: Arc<Block>,
    used: usize,
    opened_at: u32,
}

impl Writer {
    /// A writer that allocates nothing until the first sample.
    pub fn new(sizes: BlockSizes) -> Writer {
        Writer { sizes, block: Block::new(0), used: 0, opened_at: 0 }
    }

    /// A place of `len` bytes for a sample at `millis` (any 32-bit millisecond clock, used for the rate alone).
    pub fn reserve(&mut self, len: usize, millis: u32) -> Place {
        if self.block.len() - self.used < len {
            let lasted = millis.wrapping_sub(self.opened_at).clamp(100, 60_000) as usize;
            let a_second = self.used.saturating_mul(1000) / lasted;
            let size = (1 << a_second.max(1).ilog2()).clamp(self.sizes.min, self.sizes.max);
            self.block = Block::new(size.max(len));
            self.used = 0;
            self.opened_at = millis;
        }
        let start = self.used;
        self.used += len;
        Place { block: self.block.clone(), start, len, written: 0 }
    }
}

/// Room for one sample, being filled.
///
/// Dropping it unfilled leaves a hole in the block and nothing else.
pub struct Place {
    block: Arc<Block>,
    start: usize,
    len: usize,
    written: usize,
}

impl Place {
    /// Bytes still to come.
    pub fn remaining(&self) -> usize {
        self.len - self.written
    }

    /// Writes as much of `bytes` as there is room for, and says how much that was.
    pub fn write(&mut self, bytes: &[u8]) -> usize {
        let take = bytes.len().min(self.remaining());
        let Some(target) = self.block.0.get(self.start + self.written..self.start + self.written + take)
        else {
            return 0;
        };
        // SAFETY: `target` lies inside this place's range, which no other place covers and no slice shows yet.
        unsafe {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), target.as_ptr() as *mut u8, take);
        }
        self.written += take;
        take
    }

    /// What was written, from now on read only.
    pub fn finish(self) -> Slice {
        Slice { block: self.block, start: self.start, len: self.written }
    }
}

/// A counted reference to payload bytes.
#[derive(Clone)]
pub struct Slice {
    block: Arc<Block>,
    start: usize,
    len: usize,
}

impl Slice {
    /// The part of this slice in `range`, clamped to its length.
    pub fn slice(&self, range: Range<usize>) -> Slice {
        let end = range.end.min(self.len);
        let start = range.start.min(end);
        Slice { block: self.block.clone(), start: self.start + start, len: end - start }
    }

    /// This slice and `next` as one, when `next` begins where this one ends in the same block.
    pub fn join(&self, next: &Slice) -> Option<Slice> {
        let adjacent = Arc::ptr_eq(&self.block, &next.block) && self.start + self.len == next.start;
        adjacent.then(|| Slice { block: self.block.clone(), start: self.start, len: self.len + next.len })
    }

    /// The same bytes for the HTTP world; nothing is copied.
    pub fn into_bytes(self) -> Bytes {
        if self.len == 0 { Bytes::new() } else { Bytes::from_owner(self) }
    }

    /// Size of the block that this slice keeps alive, with an identity to count each block once.
    pub fn holds(&self) -> (usize, usize) {
        (Arc::as_ptr(&self.block) as usize, self.block.len())
    }
}

impl Deref for Slice {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        let cells = &self.block.0[self.start..self.start + self.len];
        // SAFETY: the whole range was written through its place (a slice is as long as what was written), or came as
        // initialized bytes, before this slice was made, and is never written again.
        unsafe { std::slice::from_raw_parts(cells.as_ptr() as *const u8, cells.len()) }
    }
}

impl AsRef<[u8]> for Slice {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl From<Vec<u8>> for Slice {
    fn from(bytes: Vec<u8>) -> Slice {
        let block = Block::from_box(bytes.into_boxed_slice());
        Slice { start: 0, len: block.len(), block }
    }
}

impl Default for Slice {
    fn default() -> Slice {
        Vec::new().into()
    }
}

impl fmt::Debug for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Slice({} bytes)", self.len)
    }
}

/// Joins neighbours, so that samples written side by side become as few pieces as their blocks allow.
pub fn coalesce<'a>(slices: impl IntoIterator<Item = &'a Slice>) -> Vec<Slice> {
    let mut pieces: Vec<Slice> = Vec::new();
    for slice in slices {
        if slice.len == 0 {
            continue;
        }
        match pieces.last_mut() {
            Some(last) => match last.join(slice) {
                Some(joined) => *last = joined,
                None => pieces.push(slice.clone()),
            },
            None => pieces.push(slice.clone()),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(writer: &mut Writer, bytes: &[u8], millis: u32) -> Slice {
        let mut place = writer.reserve(bytes.len(), millis);
        assert_eq!(place.write(bytes), bytes.len());
        place.finish()
    }

    #[test]
    fn neighbours_join_without_copying() {
        let mut writer = Writer::new(BlockSizes::default());
        let slices = [written(&mut writer, b"one", 0), written(&mut writer, b"two", 10)];
        let pieces = coalesce(&slices);
        assert_eq!(pieces.len(), 1);
        assert_eq!(&*pieces[0], b"onetwo");
        assert_eq!(pieces[0].as_ptr(), slices[0].as_ptr());
        assert_eq!(pieces[0].clone().into_bytes().as_ptr(), slices[0].as_ptr());
    }

    #[test]
    fn interleaved_places_do_not_touch_each_other() {
        let mut writer = Writer::new(BlockSizes::default());
        let (mut a, mut b) = (writer.reserve(4, 0), writer.reserve(4, 0));
        b.write(b"bb");
        a.write(b"aaaa");
        assert_eq!(b.write(b"bbbbbb"), 2);
        assert_eq!((&*a.finish(), &*b.finish()), (&b"aaaa"[..], &b"bbbb"[..]));
    }

    #[test]
    fn an_abandoned_place_is_a_hole_and_breaks_the_join() {
        let mut writer = Writer::new(BlockSizes::default());
        let a = written(&mut writer, b"a", 0);
        drop(writer.reserve(1, 0));
        let b = written(&mut writer, b"b", 0);
        assert_eq!(coalesce([&a, &b]).len(), 2);
    }

    #[test]
    fn a_block_holds_at_most_a_second_of_the_track() {
        let mut writer = Writer::new(BlockSizes { min: 16 << 10, max: 1 << 20 });
        let frame = vec![7u8; 10_000];
        let last = (0..300).map(|i| written(&mut writer, &frame, i * 33)).last().expect("frames");
        let (_, size) = last.holds();
        assert_eq!(size, 256 << 10, "for 300 kB/s");
    }

    #[test]
    fn a_sample_larger_than_any_block_fits_exactly() {
        let mut writer = Writer::new(BlockSizes::default());
        let big = vec![1u8; 3 << 20];
        assert_eq!(written(&mut writer, &big, 0).holds().1, big.len());
    }
}
