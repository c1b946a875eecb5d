//! Looking back: `?start=&end=` on manifests, with a real encoder.

use crate::support::dash::Mpd;
use crate::support::hls::{Media, children};
use crate::support::server::Entry;
use crate::support::source::{Source, USUAL};
use crate::support::{Push, Server, within};

/// Live playlists list four seconds; a minute is held.
const SETTINGS: &str = "
[packager]
segment = \"1s\"
window = \"4s\"
[dvr]
window = \"1m\"
memory = \"100MB\"
";

fn on_air(server: &Server) -> Push {
    let file = Source { seconds: 60, gop: 25, ..USUAL }.file();
    Push::live(server, "e", &file)
}

/// Once so many segments are there, looking back at all of it.
fn wait_for(entry: &Entry, segments: usize) -> Media {
    within(40, "enough to look back at", || {
        let answer = entry.get("video-1.m3u8?start=0");
        let media = (answer.status == 200).then(|| Media::parse(&answer.text()))?;
        (media.segments.len() >= segments).then_some(media)
    })
}

fn playlist(entry: &Entry, query: &str) -> Media {
    let answer = entry.get(&format!("video-1.m3u8?{query}"));
    assert_eq!(answer.status, 200, "{query}");
    Media::parse(&answer.text())
}

/// RFC 8216bis §4.4.3.5 and §6.2.1: nothing leaves an EVENT playlist, a VOD playlist does not change.
#[test]
fn open_and_closed_windows_of_a_live_stream() {
    let server = Server::start(SETTINGS, &["e"]);
    let _push = on_air(&server);
    let entry = server.play("e");
    let all = wait_for(&entry, 9);
    assert_eq!((all.kind.as_deref(), all.ended), (Some("EVENT"), false));
    let live = playlist(&entry, "");
    assert!(live.kind.is_none() && live.segments.len() <= 5);
    assert!(live.segments[0].number > all.segments[0].number);

    let closed = playlist(&entry, "start=2.5&end=5.5");
    assert_eq!((closed.kind.as_deref(), closed.ended), (Some("VOD"), true));
    let numbers: Vec<u64> = closed.segments.iter().map(|segment| segment.number - all.sequence).collect();
    assert_eq!(numbers, [2, 3, 4, 5], "from the one that holds the start to the one that holds the end");
    for segment in &closed.segments {
        assert_eq!(entry.get(&segment.uri).status, 200);
    }

    let transport = entry.get("ts/video-1.m3u8?start=2.5&end=5.5").text();
    assert_eq!(Media::parse(&transport).sequence, closed.sequence, "the same as MPEG-TS");
    assert!(transport.contains("#EXT-X-PLAYLIST-TYPE:VOD\n"));

    let master = entry.get("master.m3u8?start=-4").text();
    let child = &children(&master).iter().find(|(name, _)| name == "video-1").expect("a video").1.clone();
    let first = Media::parse(&entry.get(child).text());
    let later = within(20, "it grows", || {
        Some(Media::parse(&entry.get(child).text())).filter(|it| it.segments.len() > first.segments.len() + 5)
    });
    assert_eq!(later.segments[0], first.segments[0], "the beginning stays where it was");
    assert_eq!(later.kind.as_deref(), Some("EVENT"));
}

#[test]
fn windows_of_an_mpd() {
    let server = Server::start(SETTINGS, &["e"]);
    let _push = on_air(&server);
    let entry = server.play("e");
    let all = wait_for(&entry, 9);
    let mpd = |query: &str| {
        let answer = entry.get(&format!("manifest.mpd?{query}"));
        assert_eq!(answer.status, 200, "{query}");
        let text = answer.text();
        (Mpd::parse(&text), text)
    };
    let (open, text) = mpd("start=-6");
    assert!(open.dynamic && open.updates);
    let depth = text.split_once("timeShiftBufferDepth=\"PT").and_then(|(_, rest)| rest.split_once('S'));
    let depth: f64 = depth.and_then(|(seconds, _)| seconds.parse().ok()).expect("a depth");
    assert!((6.0..=12.0).contains(&depth), "what is listed, and a little: {depth}");
    let segments = &open.periods[0].representations[0].segments;
    assert!((6..=8).contains(&segments.len()), "{}", segments.len());
    let location = open.location.expect("where it is asked for again");
    let again = Mpd::parse(&entry.get(&location).text());
    assert_eq!(again.periods[0].representations[0].segments[0], segments[0]);

    let (closed, _) = mpd("start=2.5&end=5.5");
    assert!(!closed.dynamic && !closed.updates && closed.location.is_none());
    assert!((closed.duration.expect("known") - 4.0).abs() < 0.2, "{:?}", closed.duration);
    assert_eq!((closed.periods.len(), closed.periods[0].start), (1, 0.0), "rebased");
    let first = &closed.periods[0].representations[0].segments[0];
    assert_eq!(first.number, all.sequence + 2);
}

#[test]
fn what_cannot_be_shown_is_said_in_words() {
    let server = Server::start(SETTINGS, &["e"]);
    let _push = on_air(&server);
    let entry = server.play("e");
    wait_for(&entry, 4);
    for (query, status) in [
        ("start=yesterday", 400),
        ("start=1&end=x", 400),
        ("start=5&end=5", 400),
        ("start=2&end=1", 400),
        ("start=1&start=2", 400),
        ("start=2999-01-01T00:00:00Z", 404),
        ("start=100000", 404),
        ("end=1970-01-01T00:00:00Z", 404),
        ("timeline=none", 404),
        ("timeline=A", 400),
        ("s=1&start=0", 404),
    ] {
        for manifest in ["master.m3u8", "manifest.mpd", "video-1.m3u8"] {
            let answer = entry.get(&format!("{manifest}?{query}"));
            assert_eq!(answer.status, status, "{manifest}?{query}");
            assert!(answer.text().contains("detail"), "{query}");
        }
    }
}

/// After the end a window is a clip of what is left.
#[test]
fn a_window_of_an_ended_stream_is_whole() {
    let server = Server::start(&format!("{SETTINGS}[stream]\nreconnect = \"1s\"\n"), &["e"]);
    let push = on_air(&server);
    let entry = server.play("e");
    wait_for(&entry, 5);
    drop(push);
    let all = within(20, "it is over", || Some(playlist(&entry, "start=0")).filter(|media| media.ended));
    assert_eq!(all.kind.as_deref(), Some("VOD"));
    let clip = playlist(&entry, "start=1.5&end=2.5");
    assert_eq!(clip.segments.iter().map(|it| it.number - all.sequence).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(playlist(&entry, "start=-2").last().number, all.last().number);
}
