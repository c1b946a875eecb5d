//! One fragment: another header before the payload of a segment, which is the very memory that HLS and DASH show.

use std::cmp::Ordering;
use std::iter;
use std::sync::Arc;

use bytes::Bytes;
use container::mp4::{
    FragmentSample, ParsedFragment, SmoothFragment, Stretch, parse_fragment, smooth_header,
};
use media::Kind;

use super::chunk::{Chunk, at, following, held};
use super::stream;
use crate::presentation::{Presentation, Rendition, Segment};

/// A fragment. It never changes: URL, bytes and ETag are fixed for life.
#[derive(Clone, PartialEq, Debug)]
pub struct Fragment {
    /// What it carries.
    pub kind: Kind,
    /// The segment of which it is.
    pub segment: Arc<Segment>,
    /// `moof`, and size and type of `mdat`.
    pub header: Bytes,
    /// The first so many bytes of the header are `moof`: what a request for metadata alone gets.
    pub metadata: usize,
}

/// Why there is no fragment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Absent {
    /// It may come, in this session or in another: it is not made, or it is not known yet what follows it.
    NotYet,
    /// It was there, or no fragment begins at that time.
    Gone,
}

impl Fragment {
    /// Header and payload in the order in which they are sent.
    pub fn pieces(&self) -> impl Iterator<Item = &Bytes> {
        let payload = self.segment.parts().iter().flat_map(|part| &part.payload);
        iter::once(&self.header).chain(payload)
    }

    /// Bytes of all pieces.
    pub fn len(&self) -> u64 {
        self.pieces().map(|piece| piece.len() as u64).sum()
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The fragment of the stream `name` in the quality that is called `bitrate`, beginning at `time` in units of
/// [`TIMESCALE`](super::TIMESCALE) since the Unix epoch ([MS-SSTR] §2.2.3). `None` where the presentation has no such
/// stream or quality.
pub fn fragment(
    presentation: &Presentation,
    name: &str,
    bitrate: u32,
    time: u64,
) -> Option<Result<Fragment, Absent>> {
    let named = |rendition: &&Arc<Rendition>| {
        rendition.named_bitrate == Some(bitrate) && stream::name(rendition) == name
    };
    let rendition = presentation.renditions.iter().find(named)?;
    Some(beginning(rendition, time))
}

fn beginning(rendition: &Rendition, time: u64) -> Result<Fragment, Absent> {
    let last = rendition.last().ok_or(Absent::NotYet)?;
    if time > Chunk::of(last).time {
        return Err(Absent::NotYet);
    }
    let segment = search(rendition, time).filter(|found| !found.is_gap()).ok_or(Absent::Gone)?;
    let following = following(rendition, segment).ok_or(Absent::NotYet)?;
    make(rendition.kind, segment, &following).ok_or(Absent::Gone)
}

/// The segment that begins at a time: numbers grow with it.
fn search(rendition: &Rendition, time: u64) -> Option<&Arc<Segment>> {
    let (mut low, mut high) = (held(rendition, 0).next()?.number, rendition.last()?.number);
    while low <= high {
        let middle = low + (high - low) / 2;
        let segment = held(rendition, middle).next()?;
        match Chunk::of(segment).time.cmp(&time) {
            Ordering::Equal => return Some(segment),
            Ordering::Less => low = segment.number + 1,
            Ordering::Greater => high = middle.checked_sub(1)?,
        }
    }
    None
}

/// `None` where a part's own header cannot be read, which would be a bug of its writer.
fn make(kind: Kind, segment: &Arc<Segment>, following: &[Chunk<'_>]) -> Option<Fragment> {
    let samples = samples(segment)?;
    let following: Vec<Stretch> = following.iter().map(stretch).collect();
    let (header, metadata) = smooth_header(&SmoothFragment {
        // Grows from one fragment of a track to the next, which is all that is asked of it.
        sequence: segment.number as u32,
        at: stretch(&Chunk::of(segment)),
        following: &following,
        samples: &samples,
    });
    Some(Fragment { kind, segment: segment.clone(), header, metadata })
}

fn stretch(chunk: &Chunk<'_>) -> Stretch {
    Stretch { time: chunk.time, duration: chunk.duration }
}

/// The samples of all parts, in units of the absolute timeline. Every boundary is rounded by itself, so that rounding
/// never adds up.
fn samples(segment: &Segment) -> Option<Vec<FragmentSample>> {
    let mut samples = Vec::new();
    for part in segment.parts() {
        let ParsedFragment { base_time, samples: parsed } = parse_fragment(&part.header).ok()?;
        let mut decoded = i64::try_from(base_time).ok()?;
        for sample in parsed {
            let next = decoded + i64::from(sample.duration);
            let shown = at(segment, decoded + i64::from(sample.composition_offset));
            let (begin, end) = (at(segment, decoded), at(segment, next));
            samples.push(FragmentSample {
                duration: u32::try_from(end - begin).ok()?,
                composition_offset: i32::try_from(shown as i64 - begin as i64).ok()?,
                ..sample
            });
            decoded = next;
        }
    }
    Some(samples)
}
