//! One picture of a presentation that needs no other to be decoded: what a thumbnail is made of.
//!
//! Which picture that is, and where its bytes lie, is a function of the snapshot. Decoding it is not known here.

use std::sync::Arc;

use bytes::Bytes;
use container::mp4::{FragmentSample, parse_fragment};
use media::{Kind, MediaTime, Sync, WallTime};

use crate::presentation::{Init, Part, Presentation, Rendition, Segment};
use crate::window::{At, Missing};

/// What lies so little before the oldest picture is taken for it: a time that was read from a manifest has lost digits.
const TOLERANCE_MICROS: i64 = 100_000;

/// Segments that are looked through for a picture to begin with, where an encoder sends one rarely.
const SEGMENTS_BACK: usize = 32;

/// A coded picture that needs no other.
#[derive(Clone, PartialEq, Debug)]
pub struct Still {
    /// Which rendition it is of.
    pub rendition: Arc<str>,
    /// N of its segment.
    pub number: u64,
    /// Its place in the segment, in decode order. With rendition and number it names the picture for ever.
    pub index: usize,
    /// Codec and decoder configuration.
    pub init: Arc<Init>,
    /// Wall time at which it is shown.
    pub shown: WallTime,
    /// The sample: the very bytes that ingest wrote.
    pub sample: Vec<Bytes>,
}

impl Still {
    /// Bytes of the sample.
    pub fn len(&self) -> usize {
        self.sample.iter().map(Bytes::len).sum()
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Width and height in square pixels.
    pub fn display_size(&self) -> (u32, u32) {
        display_size(&self.init)
    }
}

/// Why no picture was found.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum Absent {
    /// There is none.
    #[error(transparent)]
    Missing(#[from] Missing),
    /// This segment has to be in memory before more can be said ([`Presentation::recall`]).
    #[error("segment {} of {rendition} is in storage", segment.number)]
    Stored {
        /// Of which rendition.
        rendition: Arc<str>,
        /// Which.
        segment: Arc<Segment>,
    },
}

/// The keyframe at `at` or the nearest before it, of the smallest rendition that is at least `width` square pixels wide;
/// without `at` the first of the newest finished segment.
pub fn find(presentation: &Presentation, at: Option<At>, width: u32) -> Result<Still, Absent> {
    let mut missing = Missing::NotYet;
    let mut renditions: Vec<_> = videos(presentation).collect();
    renditions.sort_by_key(|rendition| fitness(width_at(presentation, rendition, at), width));
    for rendition in renditions {
        match in_rendition(presentation, rendition, at) {
            // "Gone" is certain; another rendition may have begun later.
            Err(Absent::Missing(Missing::Gone)) => missing = Missing::Gone,
            Err(Absent::Missing(_)) => {}
            found => return found,
        }
    }
    Err(missing.into())
}

/// The less, the better a picture so wide serves an image of `width`: the smallest that is enough, else the largest.
pub(crate) fn fitness(own: u32, width: u32) -> (bool, u32) {
    if own >= width { (false, own) } else { (true, u32::MAX - own) }
}

/// Whether the picture at this wall time is the same for ever: finished segments reach beyond it.
pub fn is_settled(presentation: &Presentation, at: At) -> bool {
    let At::Wall(micros) = at else { return false };
    let ends = videos(presentation).filter_map(|it| it.last()).map(|last| last.wall_end().micros());
    ends.max().is_some_and(|end| micros < end)
}

/// The first keyframe of a segment of `rendition` that is in memory.
pub fn first(rendition: &Rendition, segment: &Arc<Segment>) -> Option<Still> {
    pictures(rendition, segment).ok()?.next()
}

/// The renditions with pictures.
pub(crate) fn videos(presentation: &Presentation) -> impl Iterator<Item = &Arc<Rendition>> {
    presentation.renditions.iter().filter(|rendition| rendition.kind == Kind::Video)
}

pub(crate) fn display_size(init: &Init) -> (u32, u32) {
    init.track.codec.picture().map_or((0, 0), |picture| picture.display_size())
}

fn in_rendition(presentation: &Presentation, rendition: &Rendition, at: Option<At>) -> Result<Still, Absent> {
    let Some(at) = at else {
        for segment in rendition.shown().rev().take(SEGMENTS_BACK) {
            if let Some(still) = pictures(rendition, segment)?.next() {
                return Ok(still);
            }
        }
        return Err(Missing::NotYet.into());
    };
    let (scale, segment) = begin(presentation, rendition, at)?;
    at_or_before(rendition, segment, &scale)?.ok_or(Absent::Missing(Missing::Gone))
}

/// The segment that is looked at first.
fn begin<'a>(
    presentation: &Presentation,
    rendition: &'a Rendition,
    at: At,
) -> Result<(Scale, &'a Arc<Segment>), Missing> {
    let newest = rendition.last().ok_or(Missing::NotYet)?;
    let scale = Scale::of(at, presentation, newest);
    let oldest = rendition.shown().next().ok_or(Missing::NotYet)?;
    if scale.micros > scale.end(newest) {
        return Err(Missing::NotYet);
    }
    if scale.micros < scale.begin(oldest) - TOLERANCE_MICROS {
        return Err(Missing::Gone);
    }
    let segment = last_begun(rendition, &scale).unwrap_or(oldest);
    Ok((scale, segment))
}

/// How wide pictures are there, in square pixels; zero where there are none.
fn width_at(presentation: &Presentation, rendition: &Rendition, at: Option<At>) -> u32 {
    let segment = match at {
        Some(at) => begin(presentation, rendition, at).ok().map(|(_, segment)| segment),
        None => rendition.last(),
    };
    let mut back = std::iter::successors(segment, |it| rendition.shown_before(it.number));
    let init = back.by_ref().take(SEGMENTS_BACK).find_map(|segment| segment.init());
    init.map_or(0, |init| display_size(init).0)
}

/// A point of time on the scale on which segments are compared with it.
struct Scale {
    wall: bool,
    micros: i64,
}

impl Scale {
    fn of(at: At, presentation: &Presentation, newest: &Segment) -> Scale {
        let origin = i64::try_from(presentation.origin.as_micros()).unwrap_or(i64::MAX);
        let (wall, micros) = match at {
            At::Wall(micros) => (true, micros),
            At::Since(micros) => (false, micros.saturating_add(origin)),
            At::Back(micros) => (false, newest.end_position().saturating_sub(micros).max(origin)),
        };
        Scale { wall, micros }
    }

    fn begin(&self, segment: &Segment) -> i64 {
        if self.wall { segment.wall_time().micros() } else { segment.position() }
    }

    fn end(&self, segment: &Segment) -> i64 {
        if self.wall { segment.wall_end().micros() } else { segment.end_position() }
    }

    /// When a picture is shown that comes so long after the start of its segment.
    fn shown(&self, segment: &Segment, after: MediaTime) -> i64 {
        self.begin(segment).saturating_add(after.micros())
    }
}

/// The last segment that begins at that time or before.
fn last_begun<'a>(rendition: &'a Rendition, scale: &Scale) -> Option<&'a Arc<Segment>> {
    let begun = |segment: &Segment| scale.begin(segment) <= scale.micros;
    let mut found = rendition.shown().next().filter(|oldest| begun(oldest))?;
    let (mut low, mut high) = (found.number, rendition.last()?.number);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        match rendition.shown_from(middle).next() {
            Some(segment) if begun(segment) => (found, low) = (segment, segment.number),
            _ => high = middle - 1,
        }
    }
    Some(found)
}

/// The last picture of this segment that is shown by then; else the last of one before; else the first of this one.
fn at_or_before(
    rendition: &Rendition,
    segment: &Arc<Segment>,
    scale: &Scale,
) -> Result<Option<Still>, Absent> {
    let begun = |picture: &(MediaTime, Still)| scale.shown(segment, picture.0) <= scale.micros;
    if let Some((_, still)) = timed(rendition, segment)?.take_while(begun).last() {
        return Ok(Some(still));
    }
    let before = |segment: &Arc<Segment>| rendition.shown_before(segment.number);
    for segment in std::iter::successors(before(segment), |it| before(it)).take(SEGMENTS_BACK) {
        if let Some(still) = pictures(rendition, segment)?.last() {
            return Ok(Some(still));
        }
    }
    Ok(pictures(rendition, segment)?.next())
}

fn pictures(rendition: &Rendition, segment: &Arc<Segment>) -> Result<impl Iterator<Item = Still>, Absent> {
    Ok(timed(rendition, segment)?.map(|(_, still)| still))
}

/// The pictures of a segment that need no other, in decode order, each with how long after the segment's start it is
/// shown.
fn timed(
    rendition: &Rendition,
    segment: &Arc<Segment>,
) -> Result<impl Iterator<Item = (MediaTime, Still)>, Absent> {
    if segment.stored().is_some() {
        return Err(Absent::Stored { rendition: rendition.name.clone(), segment: segment.clone() });
    }
    let samples = segment.parts().iter().flat_map(samples).enumerate();
    let still = |(index, sample): (usize, Placed)| {
        let init = segment.init()?.clone();
        let after = MediaTime::new(sample.shown - segment.start, segment.scale);
        let shown = segment.wall_time().plus(after);
        let (rendition, number) = (rendition.name.clone(), segment.number);
        Some((after, Still { rendition, number, index, init, shown, sample: sample.bytes() }))
    };
    Ok(samples.filter(|(_, sample)| sample.independent).filter_map(still))
}

/// A sample with its place in the payload of its part.
struct Placed {
    part: Arc<Part>,
    independent: bool,
    /// Ticks of the rendition.
    shown: i64,
    start: usize,
    len: usize,
}

impl Placed {
    fn bytes(&self) -> Vec<Bytes> {
        let mut skip = self.start;
        let mut left = self.len;
        let mut pieces = Vec::new();
        for piece in &self.part.payload {
            let from = skip.min(piece.len());
            let to = piece.len().min(from + left);
            (skip, left) = (skip - from, left - (to - from));
            if to > from {
                pieces.push(piece.slice(from..to));
            }
        }
        pieces
    }
}

/// The samples of a part; none where its header is not one of ours.
fn samples(part: &Arc<Part>) -> impl Iterator<Item = Placed> {
    let table = parse_fragment(&part.header).map_or_else(|_| Vec::new(), |fragment| fragment.samples);
    let (mut decoded, mut start) = (part.start, 0);
    table.into_iter().map(move |sample| {
        let placed = place(part, &sample, decoded, start);
        decoded += i64::from(sample.duration);
        start += placed.len;
        placed
    })
}

fn place(part: &Arc<Part>, sample: &FragmentSample, decoded: i64, start: usize) -> Placed {
    Placed {
        part: part.clone(),
        independent: sample.sync != Sync::No,
        shown: decoded + i64::from(sample.composition_offset),
        start,
        len: sample.size as usize,
    }
}
