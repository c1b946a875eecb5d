//! A player that follows parts as they are made (RFC 8216bis §6.2.5.2, §6.2.6), beside a real encoder in real time.

use std::collections::HashMap;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::download::assert_follows;
use crate::support::hls::{Media, session};
use crate::support::http::Answer;
use crate::support::server::Entry;
use crate::support::source::{Source, USUAL};
use crate::support::{Push, Server, within};

/// How long it follows.
const LONG: Duration = Duration::from_secs(20);

/// What a playlist may take to come beyond the part that it waits for, on a machine that does other things as well.
const LATE: Duration = Duration::from_millis(1500);

/// A player of one rendition.
struct Player<'a> {
    entry: &'a Entry,
    rendition: &'a str,
    session: u64,
    media: Media,
    /// Parts that were fetched, by URI.
    parts: HashMap<String, Vec<u8>>,
}

impl<'a> Player<'a> {
    fn open(entry: &'a Entry, rendition: &'a str) -> Player<'a> {
        let session = session(&entry.wait_for("master.m3u8"));
        let media = Media::parse(&entry.wait_for(&format!("{rendition}.m3u8?s={session}")));
        Player { entry, rendition, session, media, parts: HashMap::new() }
    }

    /// The part behind the last one that is listed.
    fn next(&self) -> (u64, u64) {
        let msn = self.media.last().number + 1;
        (msn, self.media.low_latency().open.len() as u64)
    }

    fn ask(&self, directives: &str) -> Answer {
        self.entry.get(&format!("{}.m3u8?s={}&{directives}", self.rendition, self.session))
    }

    /// Asks for the next part, and holds what comes against what was known.
    fn reload(&mut self) {
        let (msn, part) = self.next();
        let begun = Instant::now();
        let answer = self.ask(&format!("_HLS_msn={msn}&_HLS_part={part}"));
        assert_eq!((answer.status, answer.header("cache-control")), (200, "public, max-age=12"));
        let held = begun.elapsed();
        let target = Duration::from_secs_f64(self.media.low_latency().part_target);
        assert!(held < target + LATE, "held for {held:?}");
        let media = Media::parse(&answer.text());
        assert_follows(&self.media, &media);
        assert!(Media::next(&media) > (msn, part), "{msn}.{part} was asked for");
        self.media = media;
    }

    /// Fetches the parts that are new.
    fn fetch(&mut self) {
        let new: Vec<String> = self.media.parts().map(|(_, _, part)| part.uri.clone()).collect();
        for uri in new {
            if !self.parts.contains_key(&uri) {
                let answer = self.entry.get(&uri);
                assert_eq!(answer.status, 200, "{uri} is listed");
                self.parts.insert(uri, answer.body);
            }
        }
    }

    /// What it says of the others is true by then: they have that part.
    fn believe_reports(&self) {
        for report in &self.media.low_latency().reports {
            let part = report.part.expect("every rendition has parts");
            let uri = format!("{}&_HLS_msn={}&_HLS_part={part}", report.uri, report.msn);
            let begun = Instant::now();
            assert_eq!(self.entry.get(&uri).status, 200, "{uri}");
            assert!(begun.elapsed() < Duration::from_millis(400), "{uri} is there");
        }
    }

    /// Parts make up their segment, byte for byte.
    fn assert_whole(&self) {
        let mut whole = 0;
        for segment in &self.media.segments {
            let part = |index: usize| format!("{}/{}.{index}.m4s", self.rendition, segment.number);
            let parts: Vec<_> = (0..).map_while(|index| self.parts.get(&part(index))).collect();
            let body = self.entry.get(&segment.uri).body;
            if self.parts.contains_key(&part(0)) && !parts.is_empty() {
                assert!(parts.into_iter().flatten().copied().collect::<Vec<u8>>() == body, "{}", segment.uri);
                whole += 1;
            }
        }
        assert!(whole >= 5, "{whole} segments were followed by their parts");
    }
}

impl Media {
    /// The part behind the last one that it lists.
    fn next(&self) -> (u64, u64) {
        (self.last().number + 1, self.low_latency().open.len() as u64)
    }
}

fn on_air() -> (Server, Push) {
    let server = Server::start("stream.reconnect = \"2s\"\n", &["e"]);
    let push = Push::live(&server, "e", &Source { seconds: 60, ..USUAL }.file());
    (server, push)
}

#[test]
fn a_player_follows_the_parts_of_both_renditions() {
    let (server, push) = on_air();
    let play = server.play("e");
    thread::scope(|scope| {
        for rendition in ["video-1", "audio-1"] {
            let play = &play;
            scope.spawn(move || follow(play, rendition));
        }
    });
    push.kill();
}

fn follow(play: &Entry, rendition: &str) {
    let mut player = Player::open(play, rendition);
    let begun = Instant::now();
    let mut reloads = 0;
    while begun.elapsed() < LONG {
        player.reload();
        player.fetch();
        player.believe_reports();
        reloads += 1;
    }
    assert!(reloads >= 30, "{reloads} parts of half a second in {LONG:?}");
    player.assert_whole();
}

#[test]
fn a_hinted_part_is_the_part_and_a_delta_update_says_the_rest() {
    let (server, push) = on_air();
    let play = server.play("e");
    let mut player = Player::open(&play, "video-1");
    for _ in 0..3 {
        let [(kind, hint)] = &player.media.low_latency().hints[..] else { panic!("one hint") };
        assert_eq!(kind, "PART");
        let hint = hint.clone();
        let hinted = play.get(&hint);
        assert_eq!((hinted.status, hinted.header("content-type")), (200, "video/mp4"), "{hint}");
        player.reload();
        assert!(player.media.parts().any(|(_, _, part)| part.uri == hint), "{hint} came");
        assert!(play.get(&hint).body == hinted.body, "{hint} is one part");
    }
    let whole = within(30, "more than the skip boundary", || {
        player.reload();
        let length: f64 = player.media.segments.iter().map(|segment| segment.seconds()).sum();
        (length > 16.0).then(|| player.media.clone())
    });
    let delta = Media::parse(&player.ask("_HLS_skip=YES").text());
    assert!(delta.skipped > 0 && delta.sequence == whole.sequence);
    for shown in &delta.segments {
        if let Some(known) = whole.segments.iter().find(|known| known.number == shown.number) {
            assert_eq!((&known.uri, &known.map, &known.extinf), (&shown.uri, &shown.map, &shown.extinf));
        }
    }
    push.kill();
}

#[test]
fn who_waits_for_an_encoder_that_hangs_or_leaves_is_told() {
    let (server, push) = on_air();
    let play = server.play("e");
    let mut player = Player::open(&play, "video-1");
    player.reload();
    push.pause();
    // What was on its way still comes.
    let hung = within(20, "a request that nothing meets", || {
        let (msn, part) = player.next();
        let begun = Instant::now();
        let answer = player.ask(&format!("_HLS_msn={msn}&_HLS_part={part}"));
        match answer.status {
            200 => {
                player.media = Media::parse(&answer.text());
                None
            }
            _ => Some((answer, begun.elapsed())),
        }
    });
    let (answer, held) = hung;
    assert_eq!((answer.status, answer.header("retry-after")), (503, "2"));
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!((5900..9000).contains(&held.as_millis()), "held for {held:?}, three target durations");
    let stood_still = Media::parse(&player.entry.wait_for(&format!("video-1.m3u8?s={}", player.session)));
    assert_eq!(stood_still.low_latency().hints, player.media.low_latency().hints, "it may still come");

    thread::scope(|scope| {
        let (msn, part) = player.next();
        let (whole, next) = (format!("_HLS_msn={}", msn + 1), format!("_HLS_msn={msn}&_HLS_part={part}"));
        let waiting = [whole, next].map(|directives| {
            let player = &player;
            scope.spawn(move || player.ask(&directives))
        });
        push.kill();
        for waiting in waiting {
            let answer = waiting.join().expect("an answer");
            assert_eq!(answer.status, 200);
        }
    });
    let last = within(10, "EXT-X-ENDLIST", || {
        let (msn, _) = (player.media.last().number, ());
        let answer = player.ask(&format!("_HLS_msn={}", msn + 2));
        let media = (answer.status == 200).then(|| Media::parse(&answer.text()));
        media.filter(|media| media.ended)
    });
    assert!(last.low_latency.is_none(), "nothing more is said of parts");
}
