//! A presentation as one progressive MP4: which segments go into it, and where each of its bytes comes from.
//!
//! A [`Plan`] chooses a video and its sound and puts their segments in turns. A [`Builder`] is told the fragments of each,
//! by their headers alone, and makes the [`Layout`]: the head of the file, and behind it pieces of payload in the order in
//! which they are sent. What lies between periods is left out: their media is laid end to end, each track where it is
//! beside the others.
//!
//! Deliberately absent: reading, and payload.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use container::mp4::{Malformed, SampleTable, Unencodable, Unlike, parse_fragment, progressive_header};
use media::Kind;

use crate::presentation::{Presentation, Rendition, Segment, StoredFile};

/// The longest file.
pub const LONGEST: Duration = Duration::from_secs(12 * 3600);
/// Most samples of a file: each takes up to 16 bytes of its head, twice while that is made.
pub const MOST_SAMPLES: usize = 6_000_000;

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// No such rendition.
    #[error("there is no such rendition")]
    NoSuchRendition,
    /// It has no media.
    #[error("there is nothing in it")]
    Empty,
    /// It is longer than [`LONGEST`].
    #[error("it is longer than {} hours", LONGEST.as_secs() / 3600)]
    TooLong,
    /// It has more samples than [`MOST_SAMPLES`].
    #[error("it has more than {MOST_SAMPLES} samples")]
    TooMany,
    /// Its parts do not go into one file.
    #[error("it cannot be one file: {0}")]
    Unlike(#[from] Unlike),
    /// MP4 has no words for it.
    #[error(transparent)]
    Unencodable(#[from] Unencodable),
    /// A fragment is not what was written.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

/// What goes into a file.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The video and its sound, or one of them.
    pub renditions: Vec<Arc<str>>,
    /// In the order of the file: of which of the renditions, and the segment.
    pub segments: Vec<(usize, Arc<Segment>)>,
}

/// A fragment of a segment.
#[derive(Clone, Debug)]
pub struct Fragment {
    /// What stands before its payload.
    pub header: Bytes,
    /// Where its payload is.
    pub place: Place,
    /// Bytes of payload.
    pub len: u64,
}

/// Where payload is.
#[derive(Clone, PartialEq, Debug)]
pub enum Place {
    /// In a file, from this byte on.
    Stored(Arc<StoredFile>, u64),
    /// In memory.
    Memory(Vec<Bytes>),
}

/// A piece of payload.
#[derive(Clone, PartialEq, Debug)]
pub struct Piece {
    /// Where it begins in the file that is made.
    pub at: u64,
    /// Bytes.
    pub len: u64,
    /// Where it is.
    pub place: Place,
}

/// A progressive MP4.
#[derive(Clone, PartialEq, Debug)]
pub struct Layout {
    /// `ftyp`, `moov`, and the header of `mdat`.
    pub head: Bytes,
    /// The payload behind it, in order.
    pub pieces: Vec<Piece>,
    /// Bytes of the whole.
    pub len: u64,
}

impl Plan {
    /// The best video with its sound, or this rendition: a video goes with the sound that all have.
    pub fn new(presentation: &Presentation, rendition: Option<&str>) -> Result<Plan, Unfit> {
        let main = match rendition {
            Some(name) => presentation.rendition(name).ok_or(Unfit::NoSuchRendition)?,
            None => {
                best(presentation, Kind::Video).or(best(presentation, Kind::Audio)).ok_or(Unfit::Empty)?
            }
        };
        let sound = (main.kind == Kind::Video).then(|| first(presentation, Kind::Audio)).flatten();
        let chosen: Vec<&Arc<Rendition>> = [Some(main), sound].into_iter().flatten().collect();
        let mut segments: Vec<_> = (0..).zip(&chosen).flat_map(|(at, it)| media(at, it)).collect();
        segments.sort_by_key(|(at, segment)| (segment.number, *at));
        let plan = Plan { renditions: chosen.iter().map(|it| it.name.clone()).collect(), segments };
        plan.fits().map(|()| plan)
    }

    fn fits(&self) -> Result<(), Unfit> {
        if self.segments.is_empty() {
            return Err(Unfit::Empty);
        }
        let ends = self.segments.iter().map(|(_, segment)| segment.end_position());
        let length = ends.max().unwrap_or_default().saturating_sub(self.origin());
        let longest = i64::try_from(LONGEST.as_micros()).unwrap_or(i64::MAX);
        if length > longest { Err(Unfit::TooLong) } else { Ok(()) }
    }

    /// The position at which the file begins.
    fn origin(&self) -> i64 {
        self.segments.iter().map(|(_, segment)| segment.position()).min().unwrap_or_default()
    }
}

/// The one with the most bits.
fn best(presentation: &Presentation, kind: Kind) -> Option<&Arc<Rendition>> {
    let some = presentation.renditions.iter().filter(|it| it.kind == kind && it.alive());
    // The first of equals.
    some.rev().max_by_key(|it| it.bitrate.average)
}

fn first(presentation: &Presentation, kind: Kind) -> Option<&Arc<Rendition>> {
    presentation.renditions.iter().find(|it| it.kind == kind && it.alive())
}

fn media(at: usize, rendition: &Arc<Rendition>) -> impl Iterator<Item = (usize, Arc<Segment>)> {
    rendition.shown().filter(|segment| !segment.is_gap()).map(move |segment| (at, segment.clone()))
}

/// Makes a layout, a segment after another in the order of the plan.
#[derive(Debug)]
pub struct Builder {
    origin: i64,
    tables: Vec<Option<SampleTable>>,
    pieces: Vec<Piece>,
    samples: usize,
    /// Bytes of payload so far.
    payload: u64,
}

impl Builder {
    /// One that has no segment yet.
    pub fn new(plan: &Plan) -> Builder {
        let tables = plan.renditions.iter().map(|_| None).collect();
        Builder { origin: plan.origin(), tables, pieces: Vec::new(), samples: 0, payload: 0 }
    }

    /// Adds the fragments of the next segment, of this rendition of the plan.
    pub fn add(
        &mut self,
        rendition: usize,
        segment: &Segment,
        fragments: Vec<Fragment>,
    ) -> Result<(), Unfit> {
        let (Some(init), Some(table)) = (segment.init(), self.tables.get_mut(rendition)) else {
            return Ok(());
        };
        let table = table.get_or_insert_with(|| SampleTable::new(init.track.clone()));
        // Media time zero of the period, in ticks of the file.
        let zero = ticks(elapsed(segment).saturating_sub(self.origin), segment.scale.hz());
        for Fragment { header, place, len } in fragments {
            let parsed = parse_fragment(&header)?;
            self.samples += parsed.samples.len();
            if self.samples > MOST_SAMPLES {
                return Err(Unfit::TooMany);
            }
            let sizes: u64 = parsed.samples.iter().map(|sample| u64::from(sample.size)).sum();
            if sizes != len {
                return Err(Malformed::Missing("the size of its payload").into());
            }
            let at = zero.saturating_add(i64::try_from(parsed.base_time).unwrap_or(i64::MAX));
            table.add(&init.track, at.max(0), self.payload, &parsed.samples)?;
            self.pieces.push(Piece { at: self.payload, len, place });
            self.payload += len;
        }
        Ok(())
    }

    /// The file.
    pub fn finish(mut self) -> Result<Layout, Unfit> {
        let tables: Vec<SampleTable> = self.tables.into_iter().flatten().collect();
        let head = progressive_header(&tables, self.payload)?;
        let before = head.len() as u64;
        self.pieces.iter_mut().for_each(|piece| piece.at += before);
        Ok(Layout { len: before + self.payload, head, pieces: self.pieces })
    }
}

impl Fragment {
    /// Those of a segment in memory; none of one in storage.
    pub fn in_memory(segment: &Segment) -> Vec<Fragment> {
        let fragment = |part: &Arc<crate::presentation::Part>| Fragment {
            header: part.header.clone(),
            len: part.payload.iter().map(|piece| piece.len() as u64).sum(),
            place: Place::Memory(part.payload.clone()),
        };
        segment.parts().iter().map(fragment).collect()
    }
}

impl Layout {
    /// The pieces in which bytes of the file lie that are not in its head.
    pub fn within(&self, range: &Range<u64>) -> &[Piece] {
        let first = self.pieces.partition_point(|piece| piece.at + piece.len <= range.start);
        let end = self.pieces.partition_point(|piece| piece.at < range.end);
        self.pieces.get(first..end).unwrap_or_default()
    }

    /// Bytes that it takes in memory, about.
    pub fn weight(&self) -> u64 {
        (self.head.len() + self.pieces.len() * size_of::<Piece>() + size_of::<Layout>()) as u64
    }
}

/// How long the session had gone on at media time zero of its period, in microseconds.
fn elapsed(segment: &Segment) -> i64 {
    i64::try_from(segment.period.elapsed.as_micros()).unwrap_or(i64::MAX)
}

fn ticks(micros: i64, hz: u32) -> i64 {
    let ticks = (i128::from(micros) * i128::from(hz) + 500_000).div_euclid(1_000_000);
    i64::try_from(ticks).unwrap_or(i64::MAX)
}
