//! Walking a file of media from fragment to fragment.

use std::path::Path;

use bytes::Bytes;
use container::index::Checksum;
use container::mp4::{Extent, MAX_HEADER, WalkError, fragment_extent, parse_fragment};
use media::Sync;

use crate::contents::PartPlace;
use crate::files::Files;

/// Bytes read at once.
const CHUNK: usize = 1 << 20;
/// What the header of a usual fragment fits into.
const HEADER: usize = 4 << 10;

/// A walk over the fragments of a file.
pub struct Walk<'a> {
    files: &'a dyn Files,
    path: &'a Path,
    at: u64,
    end: u64,
    /// Whether the last fragment begins a segment.
    pub begins_segment: bool,
}

impl<'a> Walk<'a> {
    /// From `at`, where a fragment begins, to `end`.
    pub fn new(files: &'a dyn Files, path: &'a Path, at: u64, end: u64) -> Walk<'a> {
        Walk { files, path, at, end, begins_segment: false }
    }

    /// Where the next fragment begins.
    pub fn position(&self) -> u64 {
        self.at
    }

    /// Goes on behind something that is known already.
    pub fn skip_to(&mut self, at: u64) {
        self.at = at;
    }

    /// The next whole fragment, as a part of this name. What cannot be read is not there.
    pub fn next(&mut self, file: u32, number: u64, index: u32) -> Option<PartPlace> {
        let (extent, header) = self.header()?;
        let fragment = parse_fragment(&header).ok()?;
        let payload: u64 = fragment.samples.iter().map(|sample| u64::from(sample.size)).sum();
        let fits = self.at.checked_add(extent.len()).is_some_and(|end| end <= self.end);
        if !fits || payload != extent.payload {
            return None;
        }
        let checksum = checksum(self.files, self.path, self.at, extent.len())?;
        let part = PartPlace {
            file,
            number,
            index,
            offset: self.at,
            len: extent.len(),
            start: i64::try_from(fragment.base_time).unwrap_or(i64::MAX),
            duration: fragment.samples.iter().map(|sample| i64::from(sample.duration)).sum(),
            independent: fragment.samples.first().is_some_and(|first| first.sync == Sync::Yes),
            checksum,
        };
        self.begins_segment = extent.begins_segment;
        self.at += extent.len();
        Some(part)
    }

    fn header(&self) -> Option<(Extent, Bytes)> {
        let mut wanted = HEADER;
        loop {
            let there = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
            let bytes = self.files.read(self.path, self.at, wanted.min(there)).ok()?;
            match fragment_extent(&bytes) {
                Ok(extent) => return Some((extent, bytes.slice(..extent.header))),
                Err(WalkError::Needs(needed)) if needed <= there && wanted <= MAX_HEADER => {
                    wanted = needed.max(wanted * 2);
                }
                Err(_) => return None,
            }
        }
    }
}

/// CRC-32 of a range of a file; `None` where it is not all there, or cannot be read.
pub fn checksum(files: &dyn Files, path: &Path, offset: u64, len: u64) -> Option<u32> {
    let mut sum = Checksum::default();
    let (mut at, end) = (offset, offset.checked_add(len)?);
    while at < end {
        let wanted = usize::try_from(end - at).unwrap_or(usize::MAX).min(CHUNK);
        let bytes = files.read(path, at, wanted).ok()?;
        if bytes.is_empty() {
            return None;
        }
        sum.add(&bytes);
        at += bytes.len() as u64;
    }
    Some(sum.value())
}
