//! A live presentation whose older segments are in storage: what is in memory, what can be seen, what is lost when
//! nothing stores.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{Publisher, check};
use packager::manifest::{Options, dash, hls, hls_ts, smooth};
use packager::presentation::{Content, Lookup, Rendition, Segment, Stored, StoredFile};
use packager::window::{Asked, At};
use packager::{Presentation, Settings};

fn publisher(dvr_memory: u64) -> Publisher {
    let (window, dvr_window) = (Duration::from_secs(6), Duration::from_secs(3600));
    let settings = Settings { window, dvr_window, dvr_memory, ..Settings::default() };
    Publisher::new(settings).both()
}

fn stored(segment: &Segment) -> Stored {
    let file = StoredFile { store: Arc::from("demo/rec_1"), name: "video-1.1.1.mp4".into() };
    Stored {
        init: segment.init().expect("media").clone(),
        file: Arc::new(file),
        offset: 700,
        len: segment.len(),
        checksum: 0,
        independent: segment.independent(),
        media: segment.media(),
        only: None,
    }
}

/// Publishes second by second, and stores what `stores` says of what there is.
fn live(
    publisher: &mut Publisher,
    seconds: std::ops::Range<i64>,
    stores: impl Fn(&Rendition, &Segment) -> bool,
) {
    for second in seconds {
        publisher.live(second * 1000, 30, 30, 30, true);
        let Some(presentation) = publisher.packager.presentation().cloned() else { continue };
        for rendition in &presentation.renditions {
            for segment in
                rendition.segments.values().filter(|it| !it.parts().is_empty() && stores(rendition, it))
            {
                publisher.packager.settle(&rendition.name, segment.number, stored(segment));
            }
        }
    }
}

/// How much of the end of a rendition is in memory.
fn in_memory(rendition: &Rendition) -> Duration {
    let newest = rendition.segments.values().rev().take_while(|segment| !segment.parts().is_empty());
    newest.filter_map(|segment| segment.span().duration()).sum()
}

fn window(presentation: &Presentation) -> (Presentation, Options) {
    let asked = Asked { start: Some(At::Since(0)), end: None };
    let window = presentation.window(asked).expect("there is something");
    let options = Options { window: Some(window), low_latency: false, ..Options::default() };
    (presentation.slice(window.slice(presentation)), options)
}

#[test]
fn what_is_stored_leaves_memory_behind_what_live_playlists_need() {
    let mut publisher = publisher(0);
    live(&mut publisher, 0..120, |_, _| true);
    let presentation = publisher.presentation();
    let live = presentation.session.retention.live;
    for rendition in &presentation.renditions {
        assert!(rendition.segments.size() >= 58, "the past is there: {}", rendition.segments.size());
        let bytes: u64 =
            rendition.segments.values().filter(|it| it.stored().is_none()).map(|it| it.len()).sum();
        assert_eq!(rendition.held_bytes(), bytes);
        let near = in_memory(rendition);
        // RFC 8216bis §6.2.2: what left the longest playlist stays for as long as that is, and its own duration.
        assert!(near >= live && near <= live + Duration::from_secs(4), "{near:?} of {live:?}");
        assert!(rendition.window().all(|segment| segment.stored().is_none()));
    }
}

#[test]
fn parts_are_listed_of_what_is_in_memory_rfc8216bis_6_2_2() {
    let mut publisher = publisher(0);
    live(&mut publisher, 0..60, |_, _| true);
    let presentation = publisher.presentation();
    for rendition in &presentation.renditions {
        let text = hls::media(presentation, rendition, &Options::default());
        let parts = text.lines().filter(|line| line.starts_with("#EXT-X-PART:"));
        let uri = |line: &str| {
            line.split("URI=\"").nth(1).and_then(|rest| rest.split('"').next()).map(str::to_owned)
        };
        let mut listed = 0;
        for uri in parts.filter_map(uri) {
            let mut words = uri.rsplit('/').next().expect("a name").split('.');
            let mut number = || words.next().and_then(|word| word.parse::<u64>().ok()).expect("a number");
            let (segment, part) = (number(), number());
            assert!(matches!(rendition.part(segment, part as u32), Lookup::Found(_)), "{uri}");
            listed += 1;
        }
        assert!(listed >= 10, "{listed}");
        assert!(!text.contains("GAP=YES"));
    }
}

#[test]
fn to_store_changes_nothing_that_can_be_seen_until_the_next_segment() {
    let mut publisher = publisher(1 << 30);
    live(&mut publisher, 0..61, |_, _| false);
    let before = publisher.presentation().clone();
    for rendition in &before.renditions {
        for segment in rendition.segments.values() {
            publisher.packager.settle(&rendition.name, segment.number, stored(segment));
        }
    }
    let same = |publisher: &Publisher, name| {
        Arc::ptr_eq(before.rendition(name).expect("there"), publisher.rendition(name))
    };
    assert!(same(&publisher, "video-1") && same(&publisher, "audio-1"));
    // A part of the next segment is no segment.
    publisher.live(61_000, 29, 30, 30, false);
    assert!(publisher.rendition("video-1").segments.values().all(|segment| segment.stored().is_none()));
    assert!(same(&publisher, "audio-1"), "what happens to the pictures is no news of the sound");
    publisher.live(62_000, 30, 30, 30, false);
    assert!(publisher.rendition("video-1").segments.values().any(|segment| segment.stored().is_some()));
}

#[test]
fn manifests_of_a_live_stream_do_not_tell_memory_from_storage() {
    let (mut ours, mut theirs) = (publisher(0), publisher(1 << 30));
    live(&mut ours, 0..60, |_, _| true);
    live(&mut theirs, 0..60, |_, _| false);
    let edge = |it: &Publisher| (it.presentation().clone(), Options::default());
    let past = |it: &Publisher| window(it.presentation());
    for all in [&edge as &dyn Fn(&Publisher) -> (Presentation, Options), &past] {
        let ((ours, options), (theirs, _)) = (all(&ours), all(&theirs));
        check(&theirs);
        assert_eq!(hls::multivariant(&ours, &options), hls::multivariant(&theirs, &options));
        assert_eq!(dash::mpd(&ours, &options), dash::mpd(&theirs, &options));
        assert_eq!(smooth::manifest(&ours, &options), smooth::manifest(&theirs, &options));
        assert_eq!(hls_ts::multivariant(&ours, &options), hls_ts::multivariant(&theirs, &options));
        for (one, other) in ours.renditions.iter().zip(&theirs.renditions) {
            assert_eq!(hls::media(&ours, one, &options), hls::media(&theirs, other, &options));
            assert_eq!(hls_ts::media(&ours, one, &options), hls_ts::media(&theirs, other, &options));
        }
    }
}

#[test]
fn what_is_not_stored_goes_when_it_is_beyond_what_live_needs_and_memory_may_have() {
    let mut publisher = publisher(0);
    live(&mut publisher, 0..60, |_, _| false);
    for rendition in &publisher.presentation().renditions {
        let held: Duration = rendition.segments.values().filter_map(|it| it.span().duration()).sum();
        assert!(held <= rendition.session.retention.live + Duration::from_secs(4), "{held:?}");
    }
}

/// Nothing was stored between two numbers, both included.
fn with_hole(lost: std::ops::RangeInclusive<u64>) -> (Publisher, std::ops::RangeInclusive<u64>) {
    let mut publisher = publisher(0);
    live(&mut publisher, 0..4, |_, _| true);
    let first = publisher.segments("video-1")[0].number;
    let lost = first + lost.start()..=first + lost.end();
    let stores = lost.clone();
    live(&mut publisher, 4..120, move |_, segment| !stores.contains(&segment.number));
    (publisher, lost)
}

#[test]
fn what_was_not_stored_leaves_a_gap_in_what_was_rfc8216bis_4_4_4_7() {
    let (publisher, lost) = with_hole(10..=14);
    for rendition in &publisher.presentation().renditions {
        let numbers: Vec<u64> = rendition.segments.keys().copied().collect();
        assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]), "numbers count on (§4.4.3.2)");
        let gaps =
            rendition.segments.values().filter(|segment| segment.is_gap()).map(|segment| segment.number);
        assert_eq!(gaps.collect::<Vec<_>>(), lost.clone().collect::<Vec<_>>());
        assert!(rendition.segments.size() >= 58, "what is older stays");
        assert!(matches!(rendition.segment(*lost.start()), Lookup::Gone));
    }
}

#[test]
fn behind_such_a_gap_an_mpd_goes_on_with_a_period_of_its_own() {
    let (publisher, lost) = with_hole(10..=14);
    let spans = &publisher.presentation().spans;
    let firsts: Vec<u64> = spans.iter().map(|span| span.first).collect();
    assert_eq!(firsts[1..], [lost.end() + 1], "one hole, one more: {firsts:?}");
    let (past, options) = window(publisher.presentation());
    let mpd = dash::mpd(&past, &options);
    assert_eq!(mpd.matches("<Period ").count(), 2, "{mpd}");
    assert!(mpd.contains(&format!("startNumber=\"{}\"", lost.end() + 1)), "{mpd}");
    // At the edge nobody knows of it.
    let edge = dash::mpd(publisher.presentation(), &Options::default());
    assert_eq!(edge.matches("<Period ").count(), 1, "{edge}");
}

#[test]
fn a_rendition_that_is_not_stored_alone_leaves_gaps_alone() {
    let mut publisher = publisher(0);
    live(&mut publisher, 0..80, |rendition, segment| {
        &*rendition.name == "video-1" || segment.number % 2 == 0
    });
    let audio = publisher.rendition("audio-1");
    let (gaps, rest): (Vec<_>, Vec<_>) = audio.segments.values().partition(|segment| segment.is_gap());
    assert!(gaps.len() > 10 && rest.len() > 10);
    assert!(publisher.rendition("video-1").segments.values().all(|segment| !segment.is_gap()));
}

#[test]
fn what_is_stored_late_is_settled_late() {
    let mut publisher = publisher(1 << 30);
    live(&mut publisher, 0..60, |_, _| false);
    assert!(publisher.rendition("video-1").segments.values().all(|segment| segment.stored().is_none()));
    live(&mut publisher, 60..64, |_, _| true);
    live(&mut publisher, 64..66, |_, _| false);
    let near = publisher.presentation().session.retention.live + Duration::from_secs(4);
    assert!(in_memory(publisher.rendition("video-1")) <= near);
    assert!(publisher.rendition("video-1").segments.values().all(|it| it.content != Content::Gap));
}
