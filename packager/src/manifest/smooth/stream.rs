//! Which renditions share a StreamIndex, and which chunks all of them have.

use media::{Codec, Kind};

use super::chunk::{Chunk, listed};
use crate::presentation::{Presentation, Rendition};

/// Chunks that a quality level has in common with the others before it is shown with them.
const COMMON: usize = 3;

/// A StreamIndex: one list of chunks, in one or more qualities.
#[derive(Debug)]
pub(super) struct Stream<'a> {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// The best first.
    pub(super) levels: Vec<Level<'a>>,
    /// What can be fetched of every one of them; not empty.
    pub(super) chunks: Vec<Chunk<'a>>,
}

/// A QualityLevel.
#[derive(Clone, Debug)]
pub(super) struct Level<'a> {
    pub(super) bitrate: u32,
    pub(super) codec: &'a Codec,
}

impl Stream<'_> {
    /// Width and height of the largest picture, as it is shown.
    pub(super) fn largest(&self) -> (u32, u32) {
        let sizes = self.levels.iter().filter_map(|level| match level.codec {
            Codec::Avc(avc) => Some(avc.display_size()),
            Codec::Aac(_) => None,
        });
        sizes.max_by_key(|&(width, height)| u64::from(width) * u64::from(height)).unwrap_or_default()
    }
}

/// Name of the StreamIndex of a rendition, which stands in the URLs of its fragments: all pictures share one, each
/// sound has its own.
pub(super) fn name(rendition: &Rendition) -> &str {
    match (rendition.kind, &*rendition.name) {
        (Kind::Video, _) => "video",
        (Kind::Audio, "audio-1") => "audio",
        (Kind::Audio, name) => name,
    }
}

/// Everything that there is to play.
pub(super) fn streams(presentation: &Presentation) -> Vec<Stream<'_>> {
    let mut streams: Vec<Stream<'_>> = Vec::new();
    let mut candidates: Vec<Stream<'_>> =
        presentation.renditions.iter().filter_map(|rendition| alone(rendition)).collect();
    candidates.sort_by_key(|candidate| (candidate.kind, std::cmp::Reverse(candidate.chunks.len())));
    for candidate in candidates {
        match streams.iter_mut().find(|stream| stream.name == candidate.name) {
            Some(stream) => stream.join(candidate),
            None => streams.push(candidate),
        }
    }
    for stream in &mut streams {
        stream.levels.sort_by_key(|level| std::cmp::Reverse(level.bitrate));
    }
    streams
}

/// A rendition that lives, as a stream of its own.
fn alone(rendition: &Rendition) -> Option<Stream<'_>> {
    if !rendition.alive() {
        return None;
    }
    let chunks = listed(rendition);
    let codec = &chunks.last()?.segment.init()?.track.codec;
    let levels = vec![Level { bitrate: rendition.named_bitrate?, codec }];
    Some(Stream { name: name(rendition).to_owned(), kind: rendition.kind, levels, chunks })
}

impl<'a> Stream<'a> {
    /// Takes in another quality, if their newest chunks are the same: the chunks of a StreamIndex are those of all its
    /// levels ([MS-SSTR] §2.2.2.3). One that is cut elsewhere, or is not there yet, is left out.
    fn join(&mut self, other: Stream<'a>) {
        let common = common(&self.chunks, &other.chunks);
        if common.len() >= COMMON.min(self.chunks.len()) {
            self.chunks = common;
            self.levels.extend(other.levels);
        }
    }
}

/// The newest chunks that both have, without a hole. One may have made a chunk that the other makes yet.
fn common<'a>(one: &[Chunk<'a>], other: &[Chunk<'a>]) -> Vec<Chunk<'a>> {
    let edge = |chunks: &[Chunk<'_>]| chunks.last().map_or(0, |last| last.time);
    let edge = edge(one).min(edge(other));
    let until = |chunks: &[Chunk<'_>]| chunks.partition_point(|chunk| chunk.time <= edge);
    let (one, other) = (&one[..until(one)], &other[..until(other)]);
    let same =
        |(one, other): &(&Chunk<'_>, &Chunk<'_>)| (one.time, one.duration) == (other.time, other.duration);
    let count = one.iter().rev().zip(other.iter().rev()).take_while(same).count();
    one[one.len() - count..].to_vec()
}
