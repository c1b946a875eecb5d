//! Segments whose bytes are in storage: what a presentation keeps of them, and how they become segments in memory.
//!
//! A stored segment is one range of one file: exactly the bytes that were on air, so its URL, bytes and ETag stay.
//! Its parts are not kept; whoever needs headers and payload apart (other dialects, stills) loads the segment and has
//! parts as they were live.
//!
//! Deliberately absent: reading. A store is a name here; who opens it is an edge.

use std::sync::Arc;

use bytes::Bytes;
use container::mp4::{Malformed, WalkError, fragment_extent, parse_fragment};
use media::Sync;

use super::{Content, Init, Part, Presentation, Segment};
use crate::names::Resource;

/// A file of media: an initialization segment and fragments, an ordinary fragmented MP4.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct StoredFile {
    /// Names the recording among all that can be opened.
    pub store: Arc<str>,
    /// Names the file in it.
    pub name: Box<str>,
}

/// Where the bytes of a segment are.
#[derive(Clone, PartialEq, Debug)]
pub struct Stored {
    /// The initialization segment that its samples need.
    pub init: Arc<Init>,
    /// In which file.
    pub file: Arc<StoredFile>,
    /// Where it begins there.
    pub offset: u64,
    /// Bytes.
    pub len: u64,
    /// CRC-32 of them.
    pub checksum: u32,
    /// Whether it begins with a sync sample.
    pub independent: bool,
    /// Ticks of all its samples: for a track that broke off others than its duration.
    pub media: i64,
    /// Where not all of it was saved: the last part that was. It is not the segment that was on air under its number, and
    /// has a name of its own ([`Resource::Parts`]).
    pub only: Option<u32>,
}

impl Segment {
    /// Where it is stored; `None` for one in memory and for a gap.
    pub fn stored(&self) -> Option<&Stored> {
        match &self.content {
            Content::Stored(stored) => Some(stored),
            Content::Media { .. } | Content::Gap => None,
        }
    }

    /// Ticks of all its samples. Of a track that broke off the last may be longer than its segment is said to be, or its
    /// segment longer than they are.
    pub fn media(&self) -> i64 {
        match &self.content {
            Content::Media { parts, .. } => parts.iter().map(|part| part.duration).sum(),
            Content::Stored(stored) => stored.media,
            Content::Gap => 0,
        }
    }

    /// The same segment with its bytes in storage.
    pub(super) fn as_stored(&self, stored: Stored) -> Segment {
        Segment { content: Content::Stored(stored), ..self.clone() }
    }

    /// Whether only its first parts are there: somebody may have seen more of it.
    pub fn is_partial(&self) -> bool {
        self.stored().is_some_and(|stored| stored.only.is_some())
    }

    /// Its name in a rendition.
    pub fn resource(&self, rendition: &str) -> Resource {
        let (rendition, number) = (rendition.to_owned(), self.number);
        match self.stored().and_then(|stored| stored.only) {
            Some(last) => Resource::Parts { rendition, number, last },
            None => Resource::Segment { rendition, number },
        }
    }

    /// Bytes that it holds in memory.
    pub(crate) fn held(&self) -> u64 {
        if self.stored().is_some() { 0 } else { self.len() }
    }

    /// A stored segment with its bytes read: the same parts that it had on air, by reference into `bytes`.
    ///
    /// Fails where `bytes` are not whole fragments; whether they are the right ones, the checksum says.
    pub fn loaded(&self, bytes: &Bytes) -> Result<Segment, Malformed> {
        let Some(stored) = self.stored() else { return Ok(self.clone()) };
        let content = Content::Media { init: stored.init.clone(), parts: parts(bytes)? };
        Ok(Segment { content, ..self.clone() })
    }
}

/// The parts of a segment.
fn parts(segment: &Bytes) -> Result<Vec<Arc<Part>>, Malformed> {
    let mut parts = Vec::new();
    let mut rest = segment.clone();
    while !rest.is_empty() {
        let extent =
            fragment_extent(&rest).map_err(|error: WalkError| Malformed::Boxes(error.to_string()))?;
        let len = usize::try_from(extent.len()).ok().filter(|&len| len <= rest.len());
        let part = rest.split_to(len.ok_or(Malformed::Missing("the end of its payload"))?);
        parts.push(Arc::new(part_of(parts.len() as u32, part, extent.header)?));
    }
    Ok(parts)
}

fn part_of(index: u32, mut part: Bytes, header: usize) -> Result<Part, Malformed> {
    let len = part.len() as u64;
    let header = part.split_to(header);
    let fragment = parse_fragment(&header)?;
    let duration = fragment.samples.iter().map(|sample| i64::from(sample.duration)).sum();
    let independent = fragment.samples.first().is_some_and(|first| first.sync == Sync::Yes);
    let start = i64::try_from(fragment.base_time).unwrap_or(i64::MAX);
    Ok(Part { index, start, duration, independent, header, payload: vec![part], len })
}

impl Presentation {
    /// The bytes of a segment are in storage now: memory lets go of them, names and manifests stay. Nothing happens
    /// where the segment is not here, or is not of these bytes.
    pub fn settle(&mut self, rendition: &str, number: u64, stored: Stored) {
        let rendition = self.renditions.iter_mut().find(|it| &*it.name == rendition);
        if let Some(rendition) = rendition {
            Arc::make_mut(rendition).settle(number, stored);
        }
    }
}

impl Presentation {
    /// The same with a segment in memory again that is in storage. Costs O(renditions) and O(log segments).
    pub fn recall(&self, rendition: &str, loaded: Arc<Segment>) -> Presentation {
        let mut recalled = self.clone();
        if let Some(rendition) = recalled.renditions.iter_mut().find(|it| &*it.name == rendition) {
            Arc::make_mut(rendition).segments.insert_mut(loaded.number, loaded);
        }
        recalled
    }
}
