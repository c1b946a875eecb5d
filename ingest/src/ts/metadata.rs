//! Timed metadata: SCTE 35 in sections, ID3 and KLV in PES packets.

use bytes::Bytes;
use container::ts::elementary::cells::cells;
use container::ts::elementary::scte35::{self, Splice};
use stream::metadata::Scheme;

use super::stamps::Stamp;

/// A piece of metadata with its time in 33 bits, where it has one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Cue {
    pub(super) scheme: Scheme,
    pub(super) time: Option<i64>,
    pub(super) data: Bytes,
}

/// A splice information section.
pub(super) fn splice(section: &[u8]) -> Option<Cue> {
    let time = match scte35::splice(section)? {
        Splice::At(time) => Some(time),
        Splice::Now => None,
    };
    Some(Cue { scheme: Scheme::Scte35, time, data: Bytes::copy_from_slice(section) })
}

/// Metadata in PES packets.
#[derive(Debug)]
pub(super) struct Cues {
    scheme: Scheme,
    /// In cells, several of them in a PES packet.
    cells: bool,
    most: usize,
    bytes: Vec<u8>,
    time: Option<i64>,
    /// The open PES packet is too long.
    over: bool,
}

impl Cues {
    /// `most` bytes of a PES packet.
    pub(super) fn new(scheme: Scheme, cells: bool, most: usize) -> Cues {
        Cues { scheme, cells, most, bytes: Vec::new(), time: None, over: false }
    }

    pub(super) fn begin(&mut self, stamp: Stamp) {
        self.lost();
        self.time = stamp.times.map(|times| times.pts);
    }

    /// Says whether it fits; told once for a PES packet.
    pub(super) fn data(&mut self, bytes: &[u8]) -> bool {
        if self.over {
            return true;
        }
        self.over = self.bytes.len() + bytes.len() > self.most;
        if !self.over {
            self.bytes.extend_from_slice(bytes);
        }
        !self.over
    }

    pub(super) fn end(&mut self) -> Vec<Cue> {
        let bytes = std::mem::take(&mut self.bytes);
        let (over, time) = (std::mem::take(&mut self.over), self.time.take());
        let cue = |data: &[u8]| Cue { scheme: self.scheme, time, data: Bytes::copy_from_slice(data) };
        match self.cells {
            _ if over || bytes.is_empty() => Vec::new(),
            true => cells(&bytes).map(cue).collect(),
            false => vec![cue(&bytes)],
        }
    }

    pub(super) fn lost(&mut self) {
        self.bytes.clear();
        self.over = false;
        self.time = None;
    }
}
