//! Which renditions share a StreamIndex, and which chunks all of them have.

use media::{Codec, Kind, Language, Track};

use super::chunk::{Chunk, listed};
use super::quality::is_known;
use crate::presentation::{Presentation, Rendition};

/// Chunks that a quality level has in common with the others before it is shown with them.
const COMMON: usize = 3;

/// A StreamIndex: one list of chunks, in one or more qualities.
#[derive(Debug)]
pub(super) struct Stream<'a> {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) language: Option<&'a Language>,
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
        let pictures = self.levels.iter().filter_map(|level| level.codec.picture());
        let sizes = pictures.map(|picture| picture.display_size());
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
    let Track { codec, language, .. } = &chunks.last()?.segment.init()?.track;
    if !is_known(codec) {
        return None;
    }
    let levels = vec![Level { bitrate: rendition.named_bitrate?, codec }];
    let language = language.as_ref();
    Some(Stream { name: name(rendition).to_owned(), kind: rendition.kind, language, levels, chunks })
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use bytes::Bytes;
    use media::{Timescale, WallTime};

    use super::*;
    use crate::fixture::video_track;
    use crate::presentation::{Content, Init, Part, Period, Record, Retention, Segment, Session};

    const SECOND: i64 = 90_000;

    /// A presentation in the making.
    struct Show(Presentation);

    impl Show {
        fn new() -> Show {
            let minute = Duration::from_secs(60);
            let retention = Retention { live: minute, dvr: minute, dvr_bytes: 0, max_bytes: 1 << 20 };
            let session = Session {
                id: 1,
                target_duration: 2,
                part_target: Duration::from_millis(500),
                window: minute,
                retention,
                burnt: None,
                low_latency: true,
            };
            Show(Presentation::new(Arc::new(session), WallTime::default()))
        }

        /// Segments of two seconds, of which each begins `late` ticks after its time.
        fn has(mut self, rendition: &str, bitrate: u32, numbers: std::ops::Range<u64>, late: i64) -> Show {
            let kind = Kind::Video;
            let at = WallTime::default();
            self.0.apply(Record::Bitrate { rendition: rendition.into(), kind, bitrate }, at);
            for number in numbers {
                let start = number as i64 * 2 * SECOND + late;
                let segment = Arc::new(segment(number, start, false));
                self.0.apply(Record::Segment { rendition: rendition.into(), kind, segment }, at);
            }
            self
        }

        fn lacks(mut self, rendition: &str, number: u64) -> Show {
            let segment = Arc::new(segment(number, number as i64 * 2 * SECOND, true));
            let record = Record::Segment { rendition: rendition.into(), kind: Kind::Video, segment };
            self.0.apply(record, WallTime::default());
            self
        }

        /// Bitrates of the one StreamIndex, and the numbers of its chunks.
        fn shows(&self) -> (Vec<u32>, Vec<u64>) {
            let [stream] = &streams(&self.0)[..] else { panic!("one StreamIndex") };
            let bitrates = stream.levels.iter().map(|level| level.bitrate);
            (bitrates.collect(), stream.chunks.iter().map(|chunk| chunk.segment.number).collect())
        }
    }

    fn segment(number: u64, start: i64, gap: bool) -> Segment {
        let track = media::Track { timescale: Timescale::VIDEO, ..video_track() };
        let part = Part {
            index: 0,
            start,
            duration: 2 * SECOND,
            independent: true,
            header: Bytes::from_static(b"header"),
            payload: Vec::new(),
            len: 6,
        };
        let content = match gap {
            true => Content::Gap,
            false => Content::Media {
                init: Arc::new(Init { period: 1, track, bytes: Bytes::new() }),
                parts: vec![Arc::new(part)],
            },
        };
        let period = Arc::new(Period {
            number: 1,
            discontinuity: 0,
            start: WallTime::default(),
            elapsed: Duration::ZERO,
        });
        Segment { number, period, start, duration: 2 * SECOND, scale: Timescale::VIDEO, content }
    }

    #[test]
    fn qualities_with_the_same_chunks_share_a_stream_index_ms_sstr_2_2_2_3() {
        let show = Show::new().has("video-360p", 800_000, 1..8, 0).has("video-720p", 2_500_000, 1..8, 0);
        assert_eq!(show.shows(), (vec![2_500_000, 800_000], (1..7).collect()));
    }

    #[test]
    fn one_that_is_a_segment_ahead_waits_for_the_others() {
        let show = Show::new().has("video-360p", 800_000, 1..9, 0).has("video-720p", 2_500_000, 1..8, 0);
        assert_eq!(show.shows(), (vec![2_500_000, 800_000], (1..7).collect()));
    }

    #[test]
    fn one_that_is_cut_elsewhere_is_left_out() {
        let show = Show::new().has("video-360p", 800_000, 1..9, 0).has("video-720p", 2_500_000, 1..8, 3000);
        assert_eq!(show.shows(), (vec![800_000], (1..8).collect()));
    }

    #[test]
    fn one_that_joins_is_shown_when_it_has_some_chunks_and_the_list_then_begins_with_it() {
        let show = |first| Show::new().has("video-360p", 1, 1..9, 0).has("video-720p", 2, first..9, 0);
        assert_eq!(show(6).shows(), (vec![1], (1..8).collect()), "two are few");
        assert_eq!(show(5).shows(), (vec![2, 1], (5..8).collect()));
    }

    #[test]
    fn what_all_list_has_no_hole() {
        let show = Show::new().has("video-360p", 1, 1..9, 0).has("video-720p", 2, 1..4, 0);
        let show = show.lacks("video-720p", 4).has("video-720p", 2, 5..9, 0);
        assert_eq!(show.shows(), (vec![2, 1], (5..8).collect()));
    }

    #[test]
    fn one_that_died_is_left_out() {
        let show = Show::new().has("video-360p", 1, 1..9, 0).has("video-720p", 2, 1..7, 0);
        let show = show.lacks("video-720p", 7).lacks("video-720p", 8);
        assert_eq!(show.shows(), (vec![1], (1..8).collect()));
    }
}
