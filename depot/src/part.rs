//! Where the parts of an upload begin and end.
//!
//! S3 takes 10 000 parts of an object, each of 5 MiB at least but for the last. Parts are of one size for as long as
//! possible, because some stores want that (R2), and double every 2000: 500 GB fit into an object, and a file of usual
//! size is in the store but for its last seconds.

use std::ops::Range;

/// Bytes of a part of an ordinary file.
pub const SIZE: u64 = 8 << 20;
/// Parts of one size; those behind have twice as much.
const STEP: u64 = 2000;
/// Parts of an object at most (Amazon S3, "multipart upload limits").
pub const MOST: u64 = 10_000;

/// Which bytes of a file part `k` is; `None` beyond the last that a store takes.
pub fn bytes(k: u64) -> Option<Range<u64>> {
    if k >= MOST {
        return None;
    }
    let (doubled, within) = (k / STEP, k % STEP);
    let before = SIZE * STEP * ((1 << doubled) - 1);
    let size = SIZE << doubled;
    let start = before + within * size;
    Some(start..start + size)
}

/// The parts of a file of `len` bytes; the last one is what is left.
pub fn of(len: u64) -> impl Iterator<Item = Range<u64>> {
    (0..).map_while(bytes).take_while(move |it| it.start < len).map(move |it| it.start..it.end.min(len))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_follow_each_other_and_are_large_enough_for_s3() {
        let mut end = 0;
        for k in 0..MOST {
            let part = bytes(k).expect("a part");
            assert_eq!(part.start, end, "part {k}");
            assert!(part.end - part.start >= 5 << 20);
            end = part.end;
        }
        assert!(end > 500_000_000_000, "half a terabyte");
        assert_eq!(bytes(MOST), None);
    }

    #[test]
    fn the_last_part_is_what_is_left() {
        let lens = |len: u64| of(len).map(|it| it.end - it.start).collect::<Vec<_>>();
        assert_eq!(lens(0), [0; 0]);
        assert_eq!(lens(5), [5]);
        assert_eq!(lens(2 * SIZE), [SIZE, SIZE]);
        assert_eq!(lens(SIZE + 1), [SIZE, 1]);
    }
}
