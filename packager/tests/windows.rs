//! Windows on the past, and timelines that begin in the midst of a session.
//!
//! `UPDATE_GOLDEN=1 cargo test -p headwater-packager --test windows` writes the manifests anew; review the diff.

mod common;

use std::time::Duration;

use common::{FIRST, Publisher, START, check, golden};
use media::{Sync, TrackId};
use packager::manifest::{Options, dash, hls, smooth};
use packager::names::smooth::FragmentName;
use packager::presentation::{Bounds, Slice};
use packager::window::{Asked, At, Missing, Window};
use packager::{Lookup, Presentation, Settings};
use proptest::prelude::*;

const SECOND: i64 = 1_000_000;

/// Ten seconds, ten seconds of silence, ten more, in segments of two seconds; and half of an eleventh segment.
fn with_a_hole() -> Publisher {
    let mut publisher = Publisher::new(Settings { dvr_memory: 1 << 30, ..Settings::default() }).both();
    publisher.live(0, 250, 25, 50, true);
    publisher.interrupt();
    publisher.live(20_000, 275, 25, 50, true);
    publisher
}

fn wall(seconds: f64) -> Option<At> {
    Some(At::Wall(START.micros() + (seconds * 1e6) as i64))
}

fn since(seconds: f64) -> Option<At> {
    Some(At::Since((seconds * 1e6) as i64))
}

fn back(seconds: f64) -> Option<At> {
    Some(At::Back((seconds * 1e6) as i64))
}

/// The first and the last number, counted from the first of all.
fn numbers(
    presentation: &Presentation,
    start: Option<At>,
    end: Option<At>,
) -> Result<(u64, Option<u64>), Missing> {
    let bounds = presentation.window(Asked { start, end })?.bounds();
    Ok((bounds.first - FIRST, Some(bounds.last).filter(|last| *last != u64::MAX).map(|last| last - FIRST)))
}

fn shown(presentation: &Presentation, window: Window) -> Presentation {
    presentation.slice(window.slice(presentation))
}

#[test]
fn a_window_begins_with_the_segment_that_holds_its_start_and_ends_with_the_one_that_holds_its_end() {
    let publisher = with_a_hole();
    let presentation = publisher.presentation();
    assert_eq!(
        presentation.rendition("video-1").and_then(|it| it.last()).map(|it| it.number),
        Some(FIRST + 9)
    );
    for (start, end, expected) in [
        (None, None, Ok((0, None))),
        (wall(0.0), None, Ok((0, None))),
        (wall(3.0), None, Ok((1, None))),
        (wall(4.0), None, Ok((2, None))),
        // Times that were read from a manifest have lost digits.
        (wall(3.9995), None, Ok((2, None))),
        (wall(3.0), wall(5.0), Ok((1, Some(2)))),
        (wall(4.0), wall(8.0), Ok((2, Some(3)))),
        (wall(4.0), wall(8.0005), Ok((2, Some(3)))),
        (None, wall(3.0), Ok((0, Some(1)))),
        // In the hole there is nothing: what comes before and after it is what counts.
        (wall(15.0), None, Ok((5, None))),
        (wall(9.0), wall(15.0), Ok((4, Some(4)))),
        (wall(12.0), wall(18.0), Err(Missing::NotYet)),
        (wall(9.0), wall(21.0), Ok((4, Some(5)))),
        // Positions leave the hole out.
        (since(9.0), since(11.0), Ok((4, Some(5)))),
        (since(12.0), None, Ok((6, None))),
        (since(0.0), since(2.0), Ok((0, Some(0)))),
        (back(4.0), None, Ok((8, None))),
        (back(12.0), None, Ok((4, None))),
        (back(12.0), back(8.0), Ok((4, Some(5)))),
        (back(1000.0), None, Ok((0, None))),
        // Before the beginning there was nothing to lose.
        (wall(-3600.0), None, Ok((0, None))),
        (wall(-3600.0), wall(-1800.0), Err(Missing::NotYet)),
        // Its end may be still to come.
        (wall(25.0), wall(60.0), Ok((7, None))),
        (since(5.0), since(3600.0), Ok((2, None))),
        (wall(31.0), None, Err(Missing::NotYet)),
        (since(20.5), None, Err(Missing::NotYet)),
        (back(0.0), None, Err(Missing::NotYet)),
        (wall(5.0), wall(5.0), Err(Missing::Empty)),
        (since(5.0), since(3.0), Err(Missing::Empty)),
        (back(3.0), back(5.0), Err(Missing::Empty)),
    ] {
        assert_eq!(numbers(presentation, start, end), expected, "{start:?} to {end:?}");
    }
}

#[test]
fn what_a_window_says_of_itself_finds_the_same_again_and_does_not_move_with_the_edge() {
    let mut publisher = with_a_hole();
    let ask = |publisher: &Publisher, asked| publisher.presentation().window(asked).expect("held");
    let window = ask(&publisher, Asked { start: back(8.0), end: None });
    let first = window.bounds().first;
    let text = window.to_string();
    assert_eq!(text, "start=2026-11-22T01:04:14.000000Z", "the segment that holds it");
    publisher.live(31_000, 250, 25, 50, true);
    let same = ask(&publisher, Asked { start: wall(22.0), end: None });
    assert_eq!(same.bounds(), Bounds::from(first));
    assert!(ask(&publisher, Asked { start: back(8.0), end: None }).bounds().first > first);
}

#[test]
fn a_window_closes_with_the_segment_that_reaches_its_end_or_with_the_session() {
    let mut publisher = with_a_hole();
    let asked = Asked { start: wall(25.0), end: wall(33.0) };
    let window = |publisher: &Publisher| publisher.presentation().window(asked).expect("held");
    assert!(!window(&publisher).is_closed());
    publisher.live(31_000, 25 * 4, 25, 50, true);
    assert!(window(&publisher).is_closed());
    let late = Asked { start: wall(25.0), end: wall(3600.0) };
    let window = |publisher: &Publisher| publisher.presentation().window(late).expect("held");
    assert!(!window(&publisher).is_closed());
    publisher.end();
    assert!(window(&publisher).is_closed());
}

/// RFC 8216bis §6.2.2: what leaves a playlist stays for a while.
#[test]
fn where_the_beginning_has_left_memory_it_begins_with_what_will_stay() {
    let settings = Settings { window: Duration::from_secs(10), ..Settings::default() };
    let mut publisher = Publisher::new(settings).both();
    publisher.live(0, 25 * 60, 25, 50, true);
    let presentation = publisher.presentation();
    let oldest = presentation.rendition("video-1").and_then(|it| it.shown().next()).expect("some").number;
    assert!(oldest > FIRST);
    let window = presentation.window(Asked { start: wall(0.0), end: None }).expect("some of it is there");
    assert!(window.bounds().first >= oldest + 5, "a live window later than the oldest");
    assert_eq!(
        window.playlist_type(false),
        None,
        "RFC 8216bis §4.4.3.5: EVENT would promise to lose nothing"
    );
    assert_eq!(window.to_string(), "start=2026-11-22T01:03:52.000000Z", "asked for again it means the same");
    assert_eq!(numbers(presentation, wall(0.0), wall(8.0)), Err(Missing::Gone));
    assert_eq!(numbers(presentation, None, wall(8.0)), Err(Missing::Gone));
    let held = presentation.window(Asked { start: back(6.0), end: None }).expect("held");
    assert!(held.playlist_type(false).is_some());
}

#[test]
fn seconds_from_the_beginning_mean_the_same_after_a_restart() {
    let mut publisher = with_a_hole();
    publisher.interrupt();
    let numbers = publisher.packager.numbers().clone();
    assert_eq!(numbers.elapsed, Duration::from_secs(21));
    let mut after = Publisher::resuming(Settings::default(), numbers, true).both();
    after.live(40_000, 250, 25, 50, true);
    let presentation = after.presentation();
    let first = presentation.rendition("video-1").and_then(|it| it.shown().next()).expect("some");
    assert_eq!(first.position(), 21 * SECOND);
    let window = presentation.window(Asked { start: since(25.5), end: None }).expect("held");
    assert_eq!(window.bounds().first, first.number + 2);
    assert_eq!(presentation.window(Asked { start: None, end: since(5.0) }), Err(Missing::Gone));
}

#[test]
fn a_slice_shows_its_numbers_and_nothing_else() {
    let publisher = with_a_hole();
    let whole = publisher.presentation();
    let bounds = Bounds { first: FIRST + 3, last: FIRST + 6 };
    let slice = Slice { session: 7, bounds, origin: Duration::from_secs(6), entire: false, ended: true };
    let cut = whole.slice(slice);
    check(&cut);
    assert_eq!((cut.session.id, cut.ended, cut.spans.len()), (7, true, 2));
    for rendition in &cut.renditions {
        let before = whole.rendition(&rendition.name).expect("the same");
        assert!(rendition.open.is_none() && rendition.ended);
        assert_eq!(
            rendition.shown().map(|it| it.number).collect::<Vec<_>>(),
            [3, 4, 5, 6].map(|n| n + FIRST)
        );
        for number in FIRST..FIRST + 12 {
            let inside = bounds.contains(number);
            assert_eq!(matches!(rendition.segment(number), Lookup::Found(_)), inside, "{number}");
            assert_eq!(matches!(rendition.part(number, 0), Lookup::Found(_)), inside, "{number}.0");
            if !inside {
                assert!(matches!(rendition.segment(number), Lookup::Gone));
            } else {
                assert_eq!(rendition.segment(number), before.segment(number));
            }
        }
    }
    let first = whole.slice(Slice { bounds: Bounds { first: 0, last: FIRST + 2 }, ..slice });
    let video = first.rendition("video-1").expect("some");
    assert!(video.init_of(FIRST).is_some() && video.init_of(FIRST + 1).is_none(), "nor its init segments");
    let detached = cut.clone().detached();
    assert_eq!(detached.renditions[0].segments.size(), 4);
    check(&detached);
}

/// [MS-SSTR] §2.2.3: what a fragment says of the next one is settled before it can be had, and never changes.
#[test]
fn a_slice_shows_no_fragment_beyond_its_bounds_and_none_with_another_body() {
    let publisher = with_a_hole();
    let whole = publisher.presentation();
    let bitrate = whole.rendition("video-1").and_then(|it| it.named_bitrate).expect("named");
    let times: Vec<(u64, u64)> = publisher
        .segments("video-1")
        .iter()
        .map(|segment| (segment.number, segment.wall_time().micros() as u64 * 10))
        .collect();
    let bounds = Bounds { first: FIRST + 3, last: FIRST + 6 };
    let slice = Slice { session: 7, bounds, origin: Duration::ZERO, entire: false, ended: true };
    let cut = whole.slice(slice).detached();
    for (number, time) in times {
        let name = FragmentName { zero: None, bitrate, stream: "video".into(), time, metadata_only: false };
        let shown = smooth::fragment(&cut, &name).expect("the stream");
        assert_eq!(shown.is_ok(), (bounds.first..bounds.last).contains(&number), "{number}");
        if let Ok(shown) = shown {
            assert_eq!(smooth::fragment(whole, &name), Some(Ok(shown)));
        }
    }
    let manifest = smooth::manifest(&cut, &Options::default()).expect("something to list");
    assert!(!manifest.contains("IsLive") && manifest.contains("Chunks=\"3\""), "{manifest}");
}

#[test]
fn a_timeline_that_begins_in_the_midst_has_the_numbers_of_the_whole() {
    let publisher = with_a_hole();
    let whole = publisher.presentation();
    let slice = Slice {
        session: FIRST + 9,
        bounds: Bounds::from(FIRST + 6),
        origin: Duration::from_secs(12),
        entire: false,
        ended: false,
    };
    let cut = whole.slice(slice);
    let playlist = hls::media(&cut, &cut.renditions[0], &Options::default());
    assert!(playlist.contains(&format!("#EXT-X-MEDIA-SEQUENCE:{}\n", FIRST + 6)), "{playlist}");
    assert!(playlist.contains("#EXT-X-DISCONTINUITY-SEQUENCE:1\n"), "{playlist}");
    assert!(hls::multivariant(&cut, &Options::default()).contains(&format!("m3u8?s={}\n", FIRST + 9)));
    assert!(cut.renditions[0].open.is_some(), "it goes on");
    assert_eq!(numbers(&cut, since(0.0), since(4.0)), Ok((6, Some(7))), "positions count from its beginning");
    assert_eq!(numbers(&cut, wall(0.0), None), Ok((6, None)));
}

/// What a player is given that asks for a window on a stream that goes on.
#[test]
fn an_open_window_as_it_is_written() {
    let publisher = with_a_hole();
    let presentation = publisher.presentation();
    let window = presentation.window(Asked { start: since(7.0), end: None }).expect("held");
    let cut = shown(presentation, window);
    let options = Options { window: Some(window), low_latency: false, ..Options::default() };
    golden("window/open.m3u8", &hls::multivariant(&cut, &options));
    golden("window/open-video-1.m3u8", &hls::media(&cut, &cut.renditions[0], &options.pinned()));
    golden("window/open.mpd", &dash::mpd(&cut, &options));
}

#[test]
fn a_closed_window_as_it_is_written() {
    let publisher = with_a_hole();
    let presentation = publisher.presentation();
    let window = presentation.window(Asked { start: since(7.0), end: since(13.0) }).expect("held");
    let cut = shown(presentation, window);
    let options = Options { window: Some(window), low_latency: false, ..Options::default() };
    golden("window/closed.m3u8", &hls::multivariant(&cut, &options));
    golden("window/closed-video-1.m3u8", &hls::media(&cut, &cut.renditions[0], &options));
    golden("window/closed.mpd", &dash::mpd(&cut, &options));
    golden("window/closed-of-session.mpd", &dash::mpd(&cut, &options.pinned()));
}

/// RFC 8216bis §4.4.3.5, §6.2.1: a playlist that said EVENT goes on saying so when it ends.
#[test]
fn the_playlist_type_does_not_change_under_an_open_player() {
    let mut publisher = with_a_hole();
    let kind = |publisher: &Publisher, asked: Asked, pinned| {
        let window = publisher.presentation().window(asked).expect("held");
        let kind = window.playlist_type(pinned).map(|kind| kind.to_string());
        (kind.unwrap_or_default(), window)
    };
    let asked = Asked { start: wall(25.0), end: wall(32.5) };
    assert_eq!(kind(&publisher, asked, true).0, "EVENT");
    publisher.live(31_000, 25 * 4, 25, 50, true);
    let (text, window) = kind(&publisher, asked, true);
    assert_eq!((text.as_str(), window.is_closed()), ("EVENT", true), "it has ENDLIST now");
    assert_eq!(kind(&publisher, asked, false).0, "VOD", "who sees it for the first time");
    let end = window.to_string().split_once("&end=").map(|(_, end)| end.to_owned());
    assert_eq!(end.as_deref(), Some("2026-11-22T01:04:26.000000Z"), "children are given its very end");
    assert_eq!(
        kind(&publisher, Asked { end: wall(34.0), ..asked }, true).0,
        "VOD",
        "and are whole from the first"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is asked for: no panic, and what is shown lies in what was asked for but for a segment at either end.
    #[test]
    fn any_window_is_a_stretch_of_the_timeline(
        from in -20_000i64..60_000, to in -20_000i64..60_000, form in 0u8..3, gops in prop::collection::vec(5i64..80, 3)
    ) {
        let mut publisher = Publisher::new(Settings::default()).both();
        let mut at = 0;
        for gop in gops {
            publisher.live(at, 160, 25, gop, true);
            publisher.interrupt();
            at += 12_000;
        }
        let presentation = publisher.presentation();
        let point = |millis: i64| match form {
            0 => At::Wall(START.micros() + millis * 1000),
            1 => At::Since(millis.abs() * 1000),
            _ => At::Back(millis.abs() * 1000),
        };
        let asked = Asked { start: Some(point(from)), end: Some(point(to)) };
        let Ok(window) = presentation.window(asked) else { return Ok(()) };
        let cut = shown(presentation, window);
        check(&cut);
        let video = cut.rendition("video-1").expect("some");
        let (first, last) = (video.shown().next().expect("some"), video.last().expect("some"));
        prop_assert_eq!(window.bounds().first, first.number);
        if form == 0 {
            let whole = presentation.rendition("video-1").expect("some").shown().next().expect("some").number;
            let start = START.micros() + from * 1000;
            prop_assert!(first.wall_end().micros() > start);
            prop_assert!(first.number == whole || first.wall_time().micros() >= start - 4 * SECOND);
            if window.is_closed() {
                prop_assert!(last.wall_time().micros() < START.micros() + to * 1000);
            }
        }
        let again = presentation.window(Asked { start: Some(At::Wall(first.wall_time().micros())), ..asked });
        prop_assert!(again.is_err() || again.is_ok_and(|again| again.bounds().first == first.number));
    }
}

/// A late picture of a hostile encoder is no reason to look at every segment.
#[test]
fn slivers_are_found_too() {
    let mut publisher = Publisher::new(Settings::default()).both();
    publisher.live(0, 100, 25, 50, true);
    for step in 0..50 {
        publisher.push(TrackId::VIDEO, 100_000 + step * 5000, 0, Sync::Yes);
    }
    let presentation = publisher.presentation();
    for micros in (0..300).map(|second| second * SECOND) {
        if let Ok(window) = presentation.window(Asked { start: Some(At::Since(micros)), end: None }) {
            check(&shown(presentation, window));
        }
    }
}
