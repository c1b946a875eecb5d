//! Timed metadata: what comes beside pictures and sound and belongs to a point of their time, such as splice points.
//!
//! It is kept as it came; nobody here reads it.

use std::collections::VecDeque;

use bytes::Bytes;
use media::WallTime;
pub use packager::Place;

/// Items of a stream that are kept; the oldest go.
pub const MOST: usize = 128;
/// Bytes of them all together; the oldest go.
pub const MOST_BYTES: usize = 256 << 10;

/// What kind of metadata it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Scheme {
    /// A splice information section of ANSI/SCTE 35, without its checksum.
    Scte35,
    /// ID3 tags.
    Id3,
    /// KLV (SMPTE ST 336).
    Klv,
}

impl Scheme {
    /// `scte35`, `id3` or `klv`.
    pub fn as_str(self) -> &'static str {
        match self {
            Scheme::Scte35 => "scte35",
            Scheme::Id3 => "id3",
            Scheme::Klv => "klv",
        }
    }
}

/// A piece of metadata with its place on the presentation's timeline.
#[derive(Clone, PartialEq, Debug)]
pub struct Metadata {
    /// Counts the stream's metadata, from one.
    pub number: u64,
    /// What kind it is.
    pub scheme: Scheme,
    /// When it arrived.
    pub arrived: WallTime,
    /// Its place; `None` where no period was on when it came.
    pub place: Option<Place>,
    /// The bytes as they came.
    pub data: Bytes,
}

/// The newest metadata of a stream.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    items: VecDeque<Metadata>,
    bytes: usize,
    count: u64,
}

impl Kept {
    pub(crate) fn add(&mut self, scheme: Scheme, arrived: WallTime, place: Option<Place>, data: Bytes) {
        self.count += 1;
        self.bytes += data.len();
        self.items.push_back(Metadata { number: self.count, scheme, arrived, place, data });
        while self.items.len() > MOST || self.bytes > MOST_BYTES {
            let Some(oldest) = self.items.pop_front() else { break };
            self.bytes -= oldest.data.len();
        }
    }

    /// Oldest first.
    pub(crate) fn all(&self) -> Vec<Metadata> {
        self.items.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_when_there_are_too_many_or_too_much() {
        let mut kept = Kept::default();
        let add = |kept: &mut Kept, len: usize| {
            kept.add(Scheme::Klv, WallTime::from_millis(0), None, vec![0; len].into());
        };
        (0..MOST + 5).for_each(|_| add(&mut kept, 1));
        let numbers: Vec<u64> = kept.all().iter().map(|item| item.number).collect();
        assert_eq!((numbers.len(), numbers[0], kept.count), (MOST, 6, MOST as u64 + 5));
        add(&mut kept, MOST_BYTES - 2);
        assert_eq!(kept.all().len(), 3);
        add(&mut kept, MOST_BYTES + 1);
        assert!(kept.all().is_empty(), "too much by itself");
        assert_eq!(kept.bytes, 0);
    }
}
