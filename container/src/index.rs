//! The index of a recording: an append-only file of framed records from which everything about the recording but its
//! media can be told.
//!
//! ```text
//! "HWINDEX" version              8 bytes
//! frame*                         mark  length  checksum  body
//!                                1     3 LE    4 LE      length bytes
//! ```
//!
//! A body is one [`Record`] in the postcard encoding (variable-length integers, a variant's number first). New kinds
//! of record are added at the end, new fields at the end of a kind: an older reader takes what it knows of a record and
//! counts kinds that it does not know.
//!
//! A file that was being written when the machine died ends in the middle of a frame: the reader says how long the
//! whole frames are. Damage further inside is said as such, and reading goes on behind it. Nothing a file holds makes
//! the reader panic, allocate more than [`MAX_BODY`] at once, or take more than linear time.
//!
//! Deliberately absent: files, and what a sequence of records means.

mod frame;
mod record;

pub use frame::{Item, MAX_BODY, NotAnIndex, Reader, TooLong, begin, frame, write};
pub use record::{Kind, Reason, Record};

/// CRC-32 (ISO/IEC 3309) of a piece of media, as the index keeps it. Object stores know it too, and those of pieces
/// can be combined into that of the whole.
#[derive(Clone, Debug, Default)]
pub struct Checksum {
    hasher: crc32fast::Hasher,
}

impl Checksum {
    /// Of several pieces that follow each other.
    pub fn of<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> u32 {
        let mut checksum = Checksum::default();
        pieces.into_iter().for_each(|piece| checksum.add(piece));
        checksum.value()
    }

    /// Takes the next bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
    }

    /// Takes the next `len` bytes, of which the checksum is known.
    pub fn join(&mut self, checksum: u32, len: u64) {
        self.hasher.combine(&crc32fast::Hasher::new_with_initial_len(checksum, len));
    }

    /// Of everything so far.
    pub fn value(&self) -> u32 {
        self.hasher.clone().finalize()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_of_the_whole_is_made_of_those_of_its_pieces() {
        let mut joined = Checksum::default();
        joined.join(Checksum::of([&b"head"[..]]), 4);
        joined.join(Checksum::of([&b"water"[..]]), 5);
        assert_eq!(joined.value(), Checksum::of([&b"headwater"[..]]));
        // The check value of CRC-32.
        assert_eq!(Checksum::of([&b"123456789"[..]]), 0xcbf4_3926);
    }
}
