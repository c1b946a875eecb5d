//! Which frames came back: each is known by its hash.

use std::collections::HashMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::Path;

use crate::support::push::run;

/// B-frames that may be missing before the last picture of what was cut off: they come behind it in decode order
/// (ISO/IEC 14496-12 §8.6.1.3).
pub const B_FRAMES: usize = 2;

/// Hashes of the frames of a track, in the order in which a player shows them.
pub type Hashes = Vec<String>;

/// Where each frame of a source is.
pub struct Index(HashMap<String, usize>);

/// How what came back is not what was sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wrong {
    /// At this position stands what never was sent.
    Unknown(usize),
    /// At this position stands a frame of the source that is not behind the one before it.
    Back { at: usize, before: usize, now: usize },
    /// Frames are missing between two of the same life of the encoder.
    Hole { before: usize, after: usize },
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wrong::Unknown(at) => write!(f, "frame {at} was never sent"),
            Wrong::Back { at, before, now } => write!(f, "at {at} comes {now} of the source behind {before}"),
            Wrong::Hole { before, after } => write!(f, "of the source, {after} comes behind {before}"),
        }
    }
}

impl Index {
    /// Of a source whose frames are all different.
    pub fn of(hashes: &Hashes) -> Index {
        let index: HashMap<String, usize> =
            hashes.iter().enumerate().map(|(at, hash)| (hash.clone(), at)).collect();
        assert_eq!(index.len(), hashes.len(), "a frame is known by its hash");
        Index(index)
    }

    /// What came back of each life of an encoder, which began with the frames `begins` of the source: the first and the
    /// last frame, and between them nothing is missing.
    pub fn lives(
        &self,
        came: &Hashes,
        begins: &[usize],
    ) -> Result<Vec<Option<RangeInclusive<usize>>>, Wrong> {
        let frames = self.in_order(came)?;
        let life = |at: usize| frames.partition_point(|frame| *frame < at);
        let ends = begins.iter().skip(1).copied().chain([usize::MAX]);
        begins.iter().zip(ends).map(|(&begin, end)| unbroken(&frames[life(begin)..life(end)])).collect()
    }

    /// How many holes there are in what came back of a source from `first` to its end.
    pub fn holes(&self, came: &Hashes, first: usize) -> Result<usize, Wrong> {
        let frames = [vec![first], self.in_order(came)?, vec![self.0.len()]].concat();
        let holes = frames.windows(2).skip(1).filter(|pair| pair[1] != pair[0] + 1).count();
        Ok(holes + usize::from(frames[1] != first))
    }

    /// Which frames of the source these are; none twice, none before one that it follows.
    pub fn in_order(&self, came: &Hashes) -> Result<Vec<usize>, Wrong> {
        let mut frames: Vec<usize> = Vec::with_capacity(came.len());
        for (at, hash) in came.iter().enumerate() {
            let now = *self.0.get(hash).ok_or(Wrong::Unknown(at))?;
            if let Some(&before) = frames.last().filter(|before| **before >= now) {
                return Err(Wrong::Back { at, before, now });
            }
            frames.push(now);
        }
        Ok(frames)
    }
}

/// The first and the last of frames that follow one another.
fn unbroken(frames: &[usize]) -> Result<Option<RangeInclusive<usize>>, Wrong> {
    let (Some(&first), Some(&last)) = (frames.first(), frames.last()) else { return Ok(None) };
    let hole = frames.windows(2).position(|pair| pair[0] + 1 != pair[1]);
    match hole {
        Some(at) if at + 2 < frames.len() || frames[at + 1] - frames[at] > B_FRAMES + 1 => {
            Err(Wrong::Hole { before: frames[at], after: frames[at + 1] })
        }
        _ => Ok(Some(first..=last)),
    }
}

/// The pictures of a video, decoded.
pub fn pictures(file: &Path) -> Hashes {
    hashes(file, &["-map", "0:v:0", "-fps_mode", "passthrough"])
}

/// The frames of sound as they were encoded: what a decoder makes of one depends on the one before.
pub fn sounds(file: &Path) -> Hashes {
    hashes(file, &["-map", "0:a:0", "-c", "copy"])
}

fn hashes(file: &Path, what: &[&str]) -> Hashes {
    let path = file.to_str().expect("a path in UTF-8");
    let input = ["-hide_banner", "-nostdin", "-v", "error", "-threads", "1", "-i", path];
    let text = run("ffmpeg", &[&input[..], what, &["-f", "framemd5", "-"]].concat());
    let text = String::from_utf8(text).expect("ffmpeg writes ASCII");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    // Stream, dts, pts, duration, size, hash; what else there may be is about side data.
    lines.map(|line| line.split(',').nth(5).expect("a hash").trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(frames: impl IntoIterator<Item = usize>) -> Hashes {
        frames.into_iter().map(|frame| format!("hash of {frame}")).collect()
    }

    fn lives(came: &[usize]) -> Result<Vec<Option<RangeInclusive<usize>>>, Wrong> {
        Index::of(&named(0..100)).lives(&named(came.iter().copied()), &[0, 25, 50])
    }

    #[test]
    fn what_came_back_of_each_life_is_its_first_frame_and_its_last() {
        assert_eq!(lives(&[1, 2, 3, 26, 27, 50, 51]), Ok(vec![Some(1..=3), Some(26..=27), Some(50..=51)]));
        assert_eq!(lives(&[1, 2, 50]), Ok(vec![Some(1..=2), None, Some(50..=50)]));
        assert_eq!(lives(&[]), Ok(vec![None, None, None]));
    }

    #[test]
    fn a_picture_that_was_decoded_before_those_shown_before_it_may_be_the_last_of_its_life() {
        assert_eq!(lives(&[1, 2, 5, 26]), Ok(vec![Some(1..=5), Some(26..=26), None]));
        assert_eq!(lives(&[1, 2, 6, 26]), Err(Wrong::Hole { before: 2, after: 6 }));
    }

    #[test]
    fn holes_are_counted_at_the_beginning_and_the_end_too() {
        let holes = |came: &[usize]| Index::of(&named(0..10)).holes(&named(came.iter().copied()), 2);
        assert_eq!(holes(&[2, 3, 4, 5, 6, 7, 8, 9]), Ok(0));
        assert_eq!(holes(&[3, 4, 7, 8]), Ok(3));
        assert_eq!(holes(&[]), Ok(1));
    }

    #[test]
    fn holes_repetitions_and_strangers_are_found() {
        assert_eq!(lives(&[1, 2, 4, 5]), Err(Wrong::Hole { before: 2, after: 4 }));
        assert_eq!(lives(&[1, 2, 2]), Err(Wrong::Back { at: 2, before: 2, now: 2 }));
        assert_eq!(lives(&[26, 27, 1]), Err(Wrong::Back { at: 2, before: 27, now: 1 }));
        assert_eq!(lives(&[1, 2, 100]), Err(Wrong::Unknown(2)));
    }
}
