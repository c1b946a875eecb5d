//! Which picture a moment has, and which pictures a storyboard is made of.

mod common;

use std::time::Duration;

use common::{FIRST, Publisher, START, video_track};
use media::{Sync, TrackId};
use packager::still::{self, Absent, Still};
use packager::storyboard::{self, Sheet};
use packager::window::{At, Missing};
use packager::{Presentation, Settings};

/// Pictures alone, 25 a second, a keyframe each second, so two in a segment.
fn publisher(seconds: i64) -> Publisher {
    let settings = Settings { dvr_memory: 100 << 20, ..Settings::default() };
    let mut publisher = Publisher::new(settings);
    publisher.packager.announce(true, false);
    publisher.packager.track(TrackId::VIDEO, video_track());
    publisher.live(0, seconds * 25, 25, 25, false);
    publisher
}

/// The place of a picture among all that were published, from zero; its bytes repeat it.
fn frame(still: &Still) -> u32 {
    let bytes: Vec<u8> = still.sample.iter().flatten().copied().collect();
    let counter: [u8; 4] = bytes[..4].try_into().expect("four bytes");
    assert!(bytes.chunks(4).all(|chunk| chunk == &counter[..chunk.len()]), "the bytes of one sample");
    u32::from_be_bytes(counter) - 1
}

fn at(presentation: &Presentation, at: At) -> Result<u32, Missing> {
    still::find(presentation, Some(at), 640).map(|still| frame(&still)).map_err(missing)
}

fn missing(absent: Absent) -> Missing {
    match absent {
        Absent::Missing(missing) => missing,
        stored @ Absent::Stored { .. } => panic!("{stored}"),
    }
}

const SECOND: i64 = 1_000_000;

fn wall(micros: i64) -> At {
    At::Wall(START.micros() + micros)
}

#[test]
fn a_moment_has_the_keyframe_at_it_or_the_nearest_before() {
    let publisher = publisher(21);
    let presentation = publisher.presentation();
    for (micros, expected) in
        [(0, 0), (SECOND - 1, 0), (SECOND, 25), (3 * SECOND + SECOND / 2, 75), (19 * SECOND + 999_000, 475)]
    {
        assert_eq!(at(presentation, At::Since(micros)), Ok(expected), "{micros}");
        assert_eq!(at(presentation, wall(micros)), Ok(expected), "{micros}");
    }
    assert_eq!(at(presentation, At::Back(0)), Ok(475), "the edge is the end of the newest finished segment");
    assert_eq!(at(presentation, At::Back(3 * SECOND)), Ok(425));
    assert_eq!(at(presentation, At::Back(i64::MAX)), Ok(0), "further back than there is anything");
}

#[test]
fn without_a_moment_it_is_the_newest_finished_segment() {
    let publisher = publisher(21);
    let newest = still::find(publisher.presentation(), None, 640).expect("a picture");
    assert_eq!((frame(&newest), newest.number, newest.index), (450, FIRST + 9, 0));
    assert_eq!(newest.display_size(), (1280, 720));
    assert_eq!(newest.shown.micros(), START.micros() + 18 * SECOND);
}

#[test]
fn what_is_not_there_yet_and_what_is_there_no_more_are_told_apart() {
    let publisher = publisher(21);
    let presentation = publisher.presentation();
    assert_eq!(at(presentation, wall(21 * SECOND)), Err(Missing::NotYet));
    assert_eq!(at(presentation, At::Since(i64::MAX)), Err(Missing::NotYet));
    assert_eq!(at(presentation, wall(-SECOND)), Err(Missing::Gone));
    assert_eq!(at(presentation, wall(-999)), Ok(0), "digits that a manifest does not have");
}

#[test]
fn only_a_moment_that_finished_segments_reach_beyond_is_settled() {
    let publisher = publisher(21);
    let settled = |at| still::is_settled(publisher.presentation(), at);
    assert!(settled(wall(19 * SECOND)) && settled(wall(20 * SECOND - 1)));
    assert!(!settled(wall(20 * SECOND)), "the next picture may be nearer");
    assert!(!settled(At::Since(0)) && !settled(At::Back(0)), "the next session has another beginning");
}

#[test]
fn a_hole_between_periods_shows_what_was_before_it() {
    let mut publisher = publisher(10);
    publisher.interrupt();
    publisher.live(20_000, 10 * 25, 25, 25, false);
    let presentation = publisher.presentation();
    assert_eq!(at(presentation, wall(15 * SECOND)), Ok(225));
    assert_eq!(at(presentation, wall(22 * SECOND)), Ok(300));
    assert_eq!(at(presentation, At::Since(12 * SECOND)), Ok(300), "positions do not count the hole");
}

#[test]
fn a_picture_is_found_before_a_segment_that_begins_without_one() {
    let mut publisher = publisher(0);
    publisher.live(0, 125, 25, 25, false);
    for frame in 0..250 {
        publisher.elapsed = Duration::from_millis(5000 + frame * 40);
        publisher.push(TrackId::VIDEO, 5000 + frame as i64 * 40, 0, Sync::No);
    }
    let newest = publisher.segments("video-1").pop().expect("a segment");
    assert!(!newest.independent(), "the encoder sends no keyframe any more");
    assert_eq!(at(publisher.presentation(), At::Back(0)), Ok(100));
    let latest = still::find(publisher.presentation(), None, 640).expect("a picture");
    assert_eq!(frame(&latest), 100);
}

/// The cues of a storyboard: begin and end, and the URI.
fn cues(presentation: &Presentation) -> Vec<(String, String)> {
    let text = storyboard::webvtt(presentation);
    let cues = text.strip_prefix("WEBVTT\n").expect("WebVTT §4.1").trim().split("\n\n");
    let cue = |cue: &str| cue.split_once('\n').map(|(time, uri)| (time.to_owned(), uri.to_owned()));
    cues.filter_map(cue).collect()
}

#[test]
fn while_live_a_storyboard_names_whole_sheets_only() {
    let publisher = publisher(37);
    let cues = cues(publisher.presentation());
    let aligned = FIRST.next_multiple_of(5);
    let offset = (aligned - FIRST) as i64 * 2;
    let whole = (FIRST + 18 - aligned) / 5;
    assert_eq!(cues.len() as u64, whole * 5);
    let stamp = |seconds: i64| format!("00:00:{seconds:02}.000");
    let name = format!("storyboard/{aligned}-1-5.jpg");
    assert_eq!(
        cues[0],
        (format!("{} --> {}", stamp(offset), stamp(offset + 2)), format!("{name}#xywh=0,0,160,90"))
    );
    assert_eq!(cues[4].1, format!("{name}#xywh=640,0,160,90"));
    assert_eq!(cues[5].1, format!("storyboard/{}-1-5.jpg#xywh=0,0,160,90", aligned + 5));
}

#[test]
fn after_the_end_it_names_everything() {
    let mut publisher = publisher(37);
    publisher.end();
    let presentation = publisher.presentation();
    let cues = cues(presentation);
    let segments = presentation.rendition("video-1").expect("pictures").shown().count();
    assert_eq!(cues.len(), segments);
    assert_eq!(cues[0].0, "00:00:00.000 --> 00:00:02.000");
    assert_eq!(cues.last().expect("cues").0, "00:00:36.000 --> 00:00:37.000");
    let mut sheets: Vec<_> = cues.iter().map(|(_, uri)| uri.split('#').next().expect("a name")).collect();
    sheets.dedup();
    let mut frames = Vec::new();
    for name in sheets {
        let sheet = Sheet::parse(name).expect("a name of ours");
        let tiles = storyboard::tiles(presentation, sheet).expect("pictures");
        assert_eq!((tiles.height, tiles.segments.len() as u32), (90, sheet.count));
        let first = |segment| still::first(&tiles.rendition, segment).expect("a picture");
        frames.extend(tiles.segments.iter().map(|(_, segment)| frame(&first(segment))));
    }
    assert_eq!(frames, (0..segments as u32).map(|at| at * 50).collect::<Vec<_>>());
}

#[test]
fn a_long_storyboard_has_large_sheets_and_takes_longer_steps() {
    let mut publisher = publisher(2 * 2300);
    publisher.end();
    let cues = cues(publisher.presentation());
    assert!((500..=1002).contains(&cues.len()), "{}", cues.len());
    let second = cues[40].1.split('#').next().and_then(Sheet::parse).expect("a name of ours");
    assert_eq!((second.step, second.count), (4, 25));
    assert_eq!(second.first % 100, 0, "sheets lie on a grid");
}

#[test]
fn a_sheet_that_is_not_whole_is_not_there() {
    let publisher = publisher(21);
    let tiles = |first, count| {
        let tiles = storyboard::tiles(publisher.presentation(), Sheet { first, step: 1, count });
        tiles.map(|tiles| tiles.segments.len())
    };
    assert_eq!(tiles(FIRST, 10), Ok(10));
    assert_eq!(tiles(FIRST, 11), Err(Missing::NotYet));
    assert_eq!(tiles(FIRST - 1, 5), Err(Missing::Gone));
    assert_eq!(tiles(u64::MAX - 30, 25), Err(Missing::NotYet));
    assert_eq!(tiles(0, 1), Err(Missing::Gone));
}
