//! The samples of a segment, read back from what its parts say: for who sends them on in another container.

use bytes::Bytes;
use container::mp4::{FragmentSample, Malformed, parse_fragment};

use crate::presentation::{Part, Segment};

/// Decode times beyond it are nothing that a period reaches, and sums with them would not fit.
const LATEST: u64 = 1 << 50;

/// A part of which no samples can be read. What the packager made never is one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A part's header cannot be read.
    #[error(transparent)]
    Header(#[from] Malformed),
    /// A part's payload ends before its samples do.
    #[error("payload ends before its samples do")]
    Truncated,
    /// A part's times lie beyond what the output can be made of.
    #[error("decode time out of range")]
    Time,
}

/// A sample with its decode time in ticks of the segment's scale.
#[derive(Clone, PartialEq, Debug)]
pub struct Frame {
    /// Decode time, in ticks since the start of the period.
    pub dts: i64,
    /// Duration, composition offset, size and whether decoding may begin here.
    pub sample: FragmentSample,
    /// The payload: bytes of the part, unless it lies across pieces.
    pub data: Bytes,
}

/// The samples of a segment in decode order. Their bytes are those of the parts, not copies, unless a sample lies
/// across pieces.
pub fn of_segment(segment: &Segment) -> Result<Vec<Frame>, Error> {
    let mut frames = Vec::new();
    for part in segment.parts() {
        read(part, &mut frames)?;
    }
    Ok(frames)
}

/// The samples of a part in decode order, without copies in the same way.
pub fn of_part(part: &Part) -> Result<Vec<Frame>, Error> {
    let mut frames = Vec::new();
    read(part, &mut frames)?;
    Ok(frames)
}

fn read(part: &Part, frames: &mut Vec<Frame>) -> Result<(), Error> {
    let fragment = parse_fragment(&part.header)?;
    let mut dts = i64::try_from(fragment.base_time.min(LATEST + 1)).unwrap_or(i64::MAX);
    let mut payload = Payload { rest: Bytes::new(), pieces: part.payload.iter() };
    for sample in fragment.samples {
        if dts > LATEST as i64 {
            return Err(Error::Time);
        }
        let data = payload.take(sample.size as usize)?;
        frames.push(Frame { dts, sample, data });
        dts += i64::from(sample.duration);
    }
    Ok(())
}

/// What is left of a part's payload.
struct Payload<'a> {
    rest: Bytes,
    pieces: std::slice::Iter<'a, Bytes>,
}

impl Payload<'_> {
    fn take(&mut self, size: usize) -> Result<Bytes, Error> {
        while self.rest.is_empty() && size > 0 {
            self.rest = self.pieces.next().ok_or(Error::Truncated)?.clone();
        }
        if self.rest.len() >= size {
            return Ok(self.rest.split_to(size));
        }
        self.gather(size)
    }

    fn gather(&mut self, size: usize) -> Result<Bytes, Error> {
        let mut gathered = Vec::from(std::mem::take(&mut self.rest));
        while gathered.len() < size {
            let mut piece = self.pieces.next().ok_or(Error::Truncated)?.clone();
            let now = piece.split_to(piece.len().min(size - gathered.len()));
            gathered.extend_from_slice(&now);
            self.rest = piece;
        }
        Ok(gathered.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_may_lie_across_pieces() {
        let pieces = ["ab", "", "cdef", "g"].map(|piece| Bytes::from_static(piece.as_bytes()));
        for sizes in [vec![7], vec![1, 2, 4], vec![2, 0, 4, 1], vec![0, 6, 1], vec![3, 3, 1, 0]] {
            let mut payload = Payload { rest: Bytes::new(), pieces: pieces.iter() };
            let taken: Vec<Bytes> = sizes.iter().map(|&size| payload.take(size).expect("enough")).collect();
            assert_eq!(taken.concat(), b"abcdefg", "{sizes:?}");
            assert_eq!(taken.iter().map(Bytes::len).collect::<Vec<_>>(), sizes);
            assert_eq!(payload.take(1), Err(Error::Truncated));
        }
    }
}
