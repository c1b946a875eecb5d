//! Storyboards: sheets of small pictures at regular times, and the WebVTT file that says which shows what when.
//!
//! ```text
//! storyboard.vtt                  which part of which sheet shows a stretch of the timeline
//! storyboard/FIRST-STEP-COUNT.jpg the first pictures of segments FIRST, FIRST+STEP, … COUNT of them
//! ```
//!
//! A sheet is made of finished segments, so its name has one body for ever. While segments come and go, sheets begin at
//! multiples of their length, so that the same ones are named again and again.

use std::fmt::{self, Write};
use std::sync::Arc;

use crate::presentation::{Presentation, Rendition, Segment};
use crate::still;
use crate::window::Missing;

/// Tiles of a row.
pub const COLUMNS: u32 = 5;
/// Tiles of a sheet, at most.
pub const MAX_TILES: u32 = 25;
/// Pixels of a tile from left to right.
pub const TILE_WIDTH: u32 = 160;
/// Pixels of a tile from top to bottom, at most.
pub const MAX_TILE_HEIGHT: u32 = 320;
/// Tiles of a storyboard, at most: beyond that a tile stands for more segments.
pub const MAX_PICTURES: u64 = 1000;
/// Tiles of a storyboard from which on sheets are as large as they may be.
const LONG: u64 = 100;

/// A sheet of tiles.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Sheet {
    /// N of its first tile.
    pub first: u64,
    /// Segments from tile to tile.
    pub step: u64,
    /// Tiles.
    pub count: u32,
}

impl Sheet {
    /// Reads a sheet's name. Numbers have one spelling.
    pub fn parse(name: &str) -> Option<Sheet> {
        let mut words = name.strip_prefix("storyboard/")?.strip_suffix(".jpg")?.split('-');
        let mut number = || words.next()?.parse::<u64>().ok();
        let (first, step, count) = (number()?, number()?, number()?);
        let sheet = Sheet { first, step, count: u32::try_from(count).ok()? };
        let sane = step >= 1 && step <= u64::from(u32::MAX) && (1..=MAX_TILES).contains(&sheet.count);
        (sane && sheet.last() < u64::MAX && sheet.to_string() == name).then_some(sheet)
    }

    /// The segments whose pictures it shows.
    fn numbers(self) -> impl Iterator<Item = u64> {
        (0..u64::from(self.count)).map(move |at| self.first.saturating_add(at * self.step))
    }

    /// N of its last tile.
    fn last(self) -> u64 {
        self.first.saturating_add(u64::from(self.count - 1) * self.step)
    }
}

/// Its name below the entry.
impl fmt::Display for Sheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "storyboard/{}-{}-{}.jpg", self.first, self.step, self.count)
    }
}

/// The segments whose [first](still::first) pictures a sheet shows, wherever they are, with the height of its tiles.
#[derive(Clone, PartialEq, Debug)]
pub struct Tiles {
    /// Of which all of them are.
    pub rendition: Arc<Rendition>,
    /// One for each tile that may have a picture, with the place of the tile.
    pub segments: Vec<(u32, Arc<Segment>)>,
    /// Pixels of a tile from top to bottom, even.
    pub height: u32,
}

/// What `sheet` shows. Nothing as soon as one of its segments is held no more: half a sheet would be another body under
/// the same name.
pub fn tiles(presentation: &Presentation, sheet: Sheet) -> Result<Tiles, Missing> {
    let rendition = holder(presentation, sheet)?.clone();
    let segments = (0..).zip(sheet.numbers());
    let segments = segments.filter_map(|(at, number)| Some((at, of_number(&rendition, number)?.clone())));
    let segments: Vec<_> = segments.collect();
    let height = tile_height(size(&rendition, sheet).ok_or(Missing::Gone)?);
    Ok(Tiles { rendition, segments, height })
}

/// The WebVTT file: a cue for each tile, in seconds from the beginning of the timeline, its text a URI relative to the
/// file with a region of the sheet (Media Fragments URI 1.0 §4.2.2).
pub fn webvtt(presentation: &Presentation) -> String {
    let mut text = "WEBVTT\n".to_owned();
    let origin = i64::try_from(presentation.origin.as_micros()).unwrap_or(i64::MAX);
    for sheet in sheets(presentation) {
        let Ok(rendition) = holder(presentation, sheet) else { continue };
        let Some(height) = size(rendition, sheet).map(tile_height) else { continue };
        for (at, number) in (0..).zip(sheet.numbers()) {
            if let Some((begin, end)) = stretch(rendition, number, sheet.step) {
                let (begin, end) = (Stamp(begin - origin), Stamp(end - origin));
                let (x, y) = (at % COLUMNS * TILE_WIDTH, at / COLUMNS * height);
                // A String takes all.
                let _ = write!(text, "\n{begin} --> {end}\n{sheet}#xywh={x},{y},{TILE_WIDTH},{height}\n");
            }
        }
    }
    text
}

/// The sheets that can be asked for, oldest first. While live only whole ones are named: the oldest tiles go and the
/// newest are not there yet.
fn sheets(presentation: &Presentation) -> Vec<Sheet> {
    let Some((first, last)) = numbers(presentation) else { return Vec::new() };
    let segments = (last - first).saturating_add(1);
    let step = segments.div_ceil(MAX_PICTURES).next_power_of_two();
    let tiles = if segments / step >= LONG { MAX_TILES } else { COLUMNS };
    let span = step.saturating_mul(tiles.into());
    let begins = std::iter::successors(Some(first), |&begin| (begin / span + 1).checked_mul(span));
    let sheet = |begin: u64| {
        let end = (begin / span + 1).saturating_mul(span).min(last.saturating_add(1));
        Sheet { first: begin, step, count: (end - begin).div_ceil(step) as u32 }
    };
    let listed = |sheet: &Sheet| presentation.ended || sheet.count == tiles;
    begins.take_while(|&begin| begin <= last).map(sheet).filter(listed).collect()
}

/// The numbers of the oldest and the newest segment with a picture.
fn numbers(presentation: &Presentation) -> Option<(u64, u64)> {
    let renditions = still::videos(presentation);
    renditions
        .filter_map(|it| Some((it.shown().next()?.number, it.last()?.number)))
        .max_by_key(|&(_, last)| last)
}

/// The smallest rendition that is large enough and holds all that the sheet shows.
fn holder(presentation: &Presentation, sheet: Sheet) -> Result<&Arc<Rendition>, Missing> {
    let (mut holders, mut missing) = (Vec::new(), Missing::Gone);
    for rendition in still::videos(presentation) {
        match (rendition.shown().next(), rendition.last()) {
            (_, Some(last)) if last.number < sheet.last() && !rendition.ended => missing = Missing::NotYet,
            (Some(oldest), Some(last)) if oldest.number <= sheet.first && sheet.last() <= last.number => {
                holders.push(rendition);
            }
            _ => {}
        }
    }
    let fitness = |rendition: &&Arc<Rendition>| {
        let width = size(rendition, sheet).map_or(0, |(width, _)| width);
        still::fitness(width, TILE_WIDTH)
    };
    holders.into_iter().min_by_key(fitness).ok_or(missing)
}

/// Width and height, in square pixels, of the first picture that the sheet shows of a rendition.
fn size(rendition: &Rendition, sheet: Sheet) -> Option<(u32, u32)> {
    let first = sheet.numbers().find_map(|number| of_number(rendition, number))?;
    first.init().map(|init| still::display_size(init))
}

/// A segment that has media.
fn of_number(rendition: &Rendition, number: u64) -> Option<&Arc<Segment>> {
    rendition.listed(number).filter(|segment| !segment.is_gap())
}

fn tile_height((width, height): (u32, u32)) -> u32 {
    let height = u64::from(TILE_WIDTH) * u64::from(height) / u64::from(width.max(1));
    u32::try_from(height).unwrap_or(MAX_TILE_HEIGHT).clamp(2, MAX_TILE_HEIGHT) & !1
}

/// From where to where in the session the picture of a segment stands for what is shown, in microseconds.
fn stretch(rendition: &Rendition, number: u64, step: u64) -> Option<(i64, i64)> {
    let segment = of_number(rendition, number)?;
    let next = rendition.shown_from(number.saturating_add(step)).next();
    let end = next.or(rendition.last()).map_or(0, |it| match next {
        Some(next) => next.position(),
        None => it.end_position(),
    });
    Some((segment.position(), end.max(segment.end_position())))
}

/// A time of WebVTT (§4.4), from microseconds.
struct Stamp(i64);

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = (self.0.max(0) + 500) / 1000;
        let (seconds, millis) = (millis / 1000, millis % 1000);
        write!(f, "{:02}:{:02}:{:02}.{millis:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_as_what_was_written_and_nothing_else_is_one() {
        for sheet in
            [Sheet { first: 0, step: 1, count: 1 }, Sheet { first: 1_795_309_432, step: 64, count: 25 }]
        {
            assert_eq!(Sheet::parse(&sheet.to_string()), Some(sheet));
        }
        for name in [
            "",
            "storyboard/.jpg",
            "storyboard/7-1.jpg",
            "storyboard/7-1-5-1.jpg",
            "storyboard/7-0-5.jpg",
            "storyboard/7-1-0.jpg",
            "storyboard/7-1-26.jpg",
            "storyboard/07-1-5.jpg",
            "storyboard/+7-1-5.jpg",
            "storyboard/18446744073709551615-1-5.jpg",
            "storyboard/7-4294967296-5.jpg",
            "storyboard/7-1-5.png",
            "storyboards/7-1-5.jpg",
        ] {
            assert_eq!(Sheet::parse(name), None, "{name:?}");
        }
    }

    #[test]
    fn a_stamp_has_hours_minutes_seconds_and_milliseconds() {
        assert_eq!(Stamp(-1).to_string(), "00:00:00.000");
        assert_eq!(Stamp(59_999_600).to_string(), "00:01:00.000");
        assert_eq!(Stamp(360_061_500_000).to_string(), "100:01:01.500");
    }

    #[test]
    fn tiles_have_the_shape_of_the_picture_up_to_a_limit() {
        let heights = [(1920, 1080), (1024, 576), (320, 180), (720, 1280), (1, 0), (0, 0), (16, 160_000)];
        assert_eq!(heights.map(tile_height), [90, 90, 90, 284, 2, 2, MAX_TILE_HEIGHT]);
    }
}
