//! DASH with low latency (ISO/IEC 23009-1 §5.3.9.5, Annex K), as a client of its own sees it.

use std::io::Read;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::cmaf;
use crate::support::dash::{Mpd, Segment};
use crate::support::http::{get, open};
use crate::support::server::Entry;
use crate::support::source::USUAL;
use crate::support::{Push, Server, within};

/// What came at once, and when, counted from the request.
type Arrival = (Duration, usize);

/// A segment of a rendition that has just begun to grow: listed, and not in the plain MPD.
fn growing(play: &Entry, rendition: &str) -> Segment {
    let newest = |manifest: &str| {
        let mpd = Mpd::parse(&play.wait_for(manifest));
        let period = mpd.periods.into_iter().next_back()?;
        period.representations.into_iter().find(|it| it.id == rendition)?.segments.into_iter().next_back()
    };
    let begun = within(10, "a segment", || newest("manifest.mpd"));
    within(20, "the next segment, while it grows", || {
        let listed = newest("manifest.mpd").filter(|listed| listed.number > begun.number)?;
        newest("manifest.mpd?ll=0").is_some_and(|whole| whole.number < listed.number).then_some(listed)
    })
}

/// Reads an answer to its end.
fn read(url: &str) -> (Vec<u8>, Vec<Arrival>) {
    let begun = Instant::now();
    let mut body = open(url, &[]);
    let (mut bytes, mut arrivals, mut some) = (Vec::new(), Vec::new(), vec![0; 1 << 20]);
    while let count @ 1.. = body.read(&mut some).expect("an answer that does not break off") {
        bytes.extend_from_slice(&some[..count]);
        arrivals.push((begun.elapsed(), count));
    }
    (bytes, arrivals)
}

#[test]
fn parts_of_a_segment_arrive_while_it_is_made_and_are_the_later_segment() {
    let server = Server::start("", &["e"]);
    let _push = Push::live(&server, "e", &USUAL.file());
    let play = server.play("e");
    for rendition in ["video-1", "audio-1"] {
        let segment = growing(&play, rendition);
        let url = play.url(&segment.uri);
        let (body, arrivals) = read(&url);
        let (first, last) = (arrivals[0].0, arrivals[arrivals.len() - 1].0);
        assert!(first < Duration::from_millis(400), "what is there comes at once: {arrivals:?}");
        // It was asked for within a part of its beginning, and has four.
        assert!(last - first > Duration::from_millis(500), "and the rest when it is made: {arrivals:?}");
        assert_eq!(cmaf::samples(&body)[0].dts, segment.start, "S@t is its tfdt");
        let later = get(&url, &[]);
        assert!(!later.header("etag").is_empty() && !later.header("content-length").is_empty());
        assert!(later.body == body, "{rendition}: the same bytes for ever");
    }
}

/// §2.2 of the Timing Model: the clock that UTCTiming names is within half a second.
#[test]
fn the_clock_of_the_mpd_is_right() {
    let server = Server::start("", &["e"]);
    let play = server.play("e");
    let before = time::OffsetDateTime::now_utc();
    let answer = play.get("time");
    assert_eq!(
        (answer.header("access-control-allow-origin"), answer.header("cache-control")),
        ("*", "no-store")
    );
    let text = answer.text();
    let told =
        time::OffsetDateTime::parse(&text, &time::format_description::well_known::Rfc3339).expect("a time");
    let off = (told - before).whole_milliseconds();
    assert!((-500..=500).contains(&off), "{off} ms off");
}

/// Ten readers of one growing segment are told of each part, and none makes the publisher wait.
#[test]
fn many_readers_of_a_growing_segment_get_the_same() {
    let server = Server::start("", &["e"]);
    let _push = Push::live(&server, "e", &USUAL.file());
    let play = server.play("e");
    let url = play.url(&growing(&play, "video-1").uri);
    let bodies: Vec<Vec<u8>> = thread::scope(|scope| {
        let readers: Vec<_> = (0..10).map(|_| scope.spawn(|| read(&url).0)).collect();
        readers.into_iter().map(|reader| reader.join().expect("no panic")).collect()
    });
    let whole = get(&url, &[]).body;
    assert!(bodies.iter().all(|body| *body == whole));
}
