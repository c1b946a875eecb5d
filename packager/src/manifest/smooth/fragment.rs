//! One fragment: another header before the payload of a segment, which is the very memory that HLS and DASH show.

use std::cmp::Ordering;
use std::iter;
use std::sync::Arc;

use bytes::Bytes;
use container::mp4::{
    FragmentSample, ParsedFragment, SmoothFragment, Stretch, parse_fragment, smooth_header,
};
use media::Kind;

use super::chunk::{Chunk, Timeline, following, held, is_whole};
use super::stream;
use crate::names::smooth::{FragmentName, Zero};
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

/// What a fragment is made of, which may be in storage.
#[derive(Clone, PartialEq, Debug)]
pub struct Located {
    /// What it carries.
    pub kind: Kind,
    /// The segment of which it is.
    pub segment: Arc<Segment>,
    /// Those that it tells of.
    pub following: Vec<Arc<Segment>>,
    /// What its times count from.
    timeline: Timeline,
}

/// Why there is no fragment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Absent {
    /// It may come, in this session or in another: it is not made, or it is not known yet what follows it.
    NotYet,
    /// It was there, or no fragment begins at that time.
    Gone,
}

impl Located {
    /// The fragment, once its segment is in memory. `None` where a part's own header cannot be read, which would be a
    /// bug of its writer.
    pub fn fragment(&self) -> Option<Fragment> {
        let samples = samples(&self.segment, self.timeline)?;
        let stretch = |segment| stretch(&self.timeline.chunk(segment));
        let following: Vec<Stretch> = self.following.iter().map(stretch).collect();
        let (header, metadata) = smooth_header(&SmoothFragment {
            // Grows from one fragment of a track to the next, which is all that is asked of it.
            sequence: self.segment.number as u32,
            at: stretch(&self.segment),
            following: &following,
            samples: &samples,
        });
        Some(Fragment { kind: self.kind, segment: self.segment.clone(), header, metadata })
    }
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

/// The fragment of that name ([MS-SSTR] §2.2.3). `None` where the presentation has no such stream or quality. All of it
/// has to be in memory.
pub fn fragment(presentation: &Presentation, name: &FragmentName) -> Option<Result<Fragment, Absent>> {
    let located = locate(presentation, name)?;
    Some(located.and_then(|located| located.fragment().ok_or(Absent::Gone)))
}

/// What the same fragment is made of, wherever that is. A name with a zero is looked up in the presentation of the session
/// that it says.
pub fn locate(presentation: &Presentation, name: &FragmentName) -> Option<Result<Located, Absent>> {
    let named = |rendition: &&Arc<Rendition>| {
        rendition.named_bitrate == Some(name.bitrate) && stream::name(rendition) == name.stream
    };
    let rendition = presentation.renditions.iter().find(named)?;
    Some(match &name.zero {
        None => beginning(rendition, name.time),
        Some(zero) => beginning_since(zero, presentation, rendition, name.time),
    })
}

fn beginning(rendition: &Rendition, time: u64) -> Result<Located, Absent> {
    let last = rendition.last().ok_or(Absent::NotYet)?;
    if time > Chunk::of(last).time {
        return Err(Absent::NotYet);
    }
    let timeline = Timeline::Unix;
    let segment = search(rendition, timeline, time).filter(|found| is_whole(found)).ok_or(Absent::Gone)?;
    let following = following(rendition, segment).ok_or(Absent::NotYet)?;
    let following = following.iter().map(|chunk| chunk.segment.clone()).collect();
    Ok(Located { kind: rendition.kind, segment: segment.clone(), following, timeline })
}

/// Of what is over. It tells of none that follow: there is nothing to look ahead to, and a recording that goes on after
/// all does not change what was served of it.
fn beginning_since(
    zero: &Zero,
    presentation: &Presentation,
    rendition: &Rendition,
    time: u64,
) -> Result<Located, Absent> {
    if !presentation.ended {
        return Err(Absent::NotYet);
    }
    let at_zero = |rendition: &Arc<Rendition>| {
        search(rendition, Timeline::Unix, zero.time).map(|segment| Timeline::beginning(segment))
    };
    let timeline = presentation.renditions.iter().find_map(at_zero).ok_or(Absent::Gone)?;
    let segment = search(rendition, timeline, time).filter(|found| is_whole(found)).ok_or(Absent::Gone)?;
    Ok(Located { kind: rendition.kind, segment: segment.clone(), following: Vec::new(), timeline })
}

/// The segment that begins at a time: numbers grow with it.
fn search(rendition: &Rendition, timeline: Timeline, time: u64) -> Option<&Arc<Segment>> {
    let time = i64::try_from(time).ok()?;
    let (mut low, mut high) = (held(rendition, 0).next()?.number, rendition.last()?.number);
    while low <= high {
        let middle = low + (high - low) / 2;
        let segment = held(rendition, middle).next()?;
        match timeline.begin(segment).cmp(&time) {
            Ordering::Equal => return Some(segment),
            Ordering::Less => low = segment.number + 1,
            Ordering::Greater => high = middle.checked_sub(1)?,
        }
    }
    None
}

fn stretch(chunk: &Chunk<'_>) -> Stretch {
    Stretch { time: chunk.time, duration: chunk.duration }
}

/// The samples of all parts, in units of the timeline. Every boundary is rounded by itself, so that rounding never adds
/// up.
fn samples(segment: &Segment, timeline: Timeline) -> Option<Vec<FragmentSample>> {
    let mut samples = Vec::new();
    for part in segment.parts() {
        let ParsedFragment { base_time, samples: parsed } = parse_fragment(&part.header).ok()?;
        let mut decoded = i64::try_from(base_time).ok()?;
        for sample in parsed {
            let next = decoded + i64::from(sample.duration);
            let shown = timeline.at(segment, decoded + i64::from(sample.composition_offset));
            let (begin, end) = (timeline.at(segment, decoded), timeline.at(segment, next));
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
