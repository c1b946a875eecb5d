//! A server that stops, or dies, while live: the stream goes on where it was, and no name means two things.

use std::collections::HashMap;

use crate::support::hls::{Media, session};
use crate::support::server::{Entry, Site};
use crate::support::source::{Source, USUAL};
use crate::support::{Push, Server, within};

/// Nothing is recorded: what was on air is gone with the process.
const SETTINGS: &str = "packager.segment = \"1s\"\nrecorder.mode = \"off\"\n";
/// What was on air is in its recording.
const RECORDED: &str = "packager.segment = \"1s\"\nrecorder.mode = \"append\"\n";

fn file() -> std::path::PathBuf {
    Source { seconds: 30, gop: 25, ..USUAL }.file()
}

fn playlist(play: &Entry) -> Media {
    Media::parse(&play.wait_for("video-1.m3u8"))
}

fn segments(play: &Entry, count: usize) -> Media {
    within(20, "segments", || Some(playlist(play)).filter(|media| media.segments.len() >= count))
}

/// On the same data, with the encoder still away.
fn start_again(site: Site) -> Server {
    let server = site.start();
    let answer = server.play("e").get("video-1.m3u8");
    assert_eq!(answer.status, 503, "the encoder is expected back");
    assert!(!answer.header("retry-after").is_empty());
    assert_eq!(server.play("e").get("manifest.mpd").status, 503);
    server
}

#[test]
fn a_deploy_is_not_the_end_of_the_show() {
    let server = Server::start(SETTINGS, &["e"]);
    let push = Push::live(&server, "e", &file());
    let before = segments(&server.play("e"), 3);
    let id = session(&server.play("e").wait_for("master.m3u8"));
    assert!(!before.ended);
    let site = server.stop();
    assert!(!push.outcome().0, "the encoder is told");

    let server = start_again(site);
    let play = server.play("e");
    let _push = Push::live(&server, "e", &file());
    let after = segments(&play, 2);
    assert_eq!(session(&play.wait_for("master.m3u8")), id);
    assert_eq!(Media::parse(&play.wait_for(&format!("video-1.m3u8?s={id}"))).target_duration, 1);
    assert!(after.sequence > before.last().number);
    assert!(after.discontinuity_sequence > before.discontinuity_sequence);
    assert!(after.segments[0].program_date_time >= before.last().end());
    assert!(after.segments.iter().all(|segment| !segment.gap), "the last segment was finished");
}

#[test]
fn no_url_has_two_bodies_even_when_the_server_is_killed() {
    let mut site = Site::new(SETTINGS, &["e"]);
    let mut bodies = Bodies::default();
    let mut last = 0;
    for run in 0..3 {
        let server = if run == 0 { site.start() } else { start_again(site) };
        let play = server.play("e");
        let _push = Push::live(&server, "e", &file());
        let media = segments(&play, 3);
        bodies.take(&play, &media);
        if run > 0 {
            assert_burnt(&play, &media, last);
        }
        last = bodies.open_part(&play, media.last().number + 1);
        bodies.check(&play);
        site = server.kill();
    }
}

#[test]
fn what_was_on_air_before_a_kill_is_fetched_by_the_same_urls_after_it() {
    let server = Site::new(RECORDED, &["e"]).start();
    let push = Push::live(&server, "e", &file());
    let before = segments(&server.play("e"), 5);
    let id = session(&server.play("e").wait_for("master.m3u8"));
    let known = fetched(&server.play("e"), &before);
    let mpd = server.play("e").get("manifest.mpd").text();
    let site = server.kill();
    drop(push);

    let server = site.start();
    let play = server.play("e");
    let waiting = playlist(&play);
    assert!(!waiting.ended && waiting.segments.len() >= before.segments.len(), "{waiting:?}");
    assert_eq!(fetched(&play, &before), known, "before the encoder is back");
    let last = waiting.last().number;
    let _push = Push::live(&server, "e", &file());
    let after =
        within(20, "a new period", || Some(playlist(&play)).filter(|media| media.last().number >= last + 3));
    assert_eq!(session(&play.wait_for("master.m3u8")), id);
    assert_eq!(fetched(&play, &before), known, "bytes, types and ETags");
    assert!(
        after.sequence >= before.sequence && after.discontinuity_sequence >= before.discontinuity_sequence
    );
    assert_eq!(after.target_duration, before.target_duration);
    // RFC 8216bis §6.2.2: what is still listed is what was listed, under its sequence number.
    for segment in before.segments.iter().filter(|segment| segment.number >= after.sequence) {
        let same = after.segments.iter().find(|it| it.number == segment.number).expect("it is listed");
        assert_eq!((&same.uri, &same.extinf, &same.map), (&segment.uri, &segment.extinf, &segment.map));
    }
    // ISO/IEC 23009-1 §5.3.2.1: Periods keep their ids and starts.
    let now = play.get("manifest.mpd").text();
    let period = |mpd: &str| {
        mpd.split("<Period ")
            .nth(1)
            .and_then(|rest| rest.split('>').next())
            .map(|it| it.split(" duration").next().unwrap_or(it).to_owned())
    };
    assert_eq!(period(&now), period(&mpd), "{now}");
    assert_eq!(now.matches("<Period ").count(), 2);
}

/// ETag and body of everything that a playlist lists.
fn fetched(play: &Entry, media: &Media) -> Vec<(String, Vec<u8>)> {
    let listed = media.segments.iter().flat_map(|segment| [&segment.map, &segment.uri]);
    let fetch = |uri: &String| {
        let answer = play.get(uri);
        assert_eq!(answer.status, 200, "{uri}");
        (answer.header("etag").to_owned(), answer.body)
    };
    listed.map(fetch).collect()
}

/// What was cut off by the kill, at `last` or after it, is listed as a gap and never answers.
fn assert_burnt(play: &Entry, media: &Media, last: u64) {
    let burnt = &media.segments[0];
    assert!(burnt.number >= last, "{} after {last}", burnt.number);
    assert!(burnt.gap, "{media:?}");
    assert!(media.segments[1].discontinuity);
    assert_eq!(media.segments[1].number, burnt.number + 1);
    assert_eq!(play.get(&burnt.uri).status, 410);
}

/// Everything that a URL ever answered.
#[derive(Default)]
struct Bodies(HashMap<String, Vec<u8>>);

impl Bodies {
    fn take(&mut self, play: &Entry, media: &Media) {
        for segment in media.segments.iter().filter(|segment| !segment.gap) {
            for uri in [&segment.uri, &segment.map] {
                self.get(play, uri);
            }
        }
    }

    /// Waits for a part of a segment that is not finished; returns the number that it has now.
    fn open_part(&mut self, play: &Entry, number: u64) -> u64 {
        let uri = format!("video-1/{number}.0.m4s");
        within(10, &uri, || (play.get(&uri).status == 200).then_some(()));
        self.get(play, &uri);
        number
    }

    fn get(&mut self, play: &Entry, uri: &str) {
        let answer = play.get(uri);
        assert_eq!(answer.status, 200, "{uri}");
        let before = self.0.entry(uri.to_owned()).or_insert_with(|| answer.body.clone());
        assert!(*before == answer.body, "{uri} has two bodies");
    }

    /// Whatever still answers, answers the same.
    fn check(&self, play: &Entry) {
        for (uri, body) in &self.0 {
            let answer = play.get(uri);
            match answer.status {
                200 => assert!(*body == answer.body, "{uri} has two bodies"),
                status => assert_eq!(status, 410, "{uri}"),
            }
        }
    }
}
