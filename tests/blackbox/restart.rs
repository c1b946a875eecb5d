//! A server that stops, or dies, while live: the stream goes on where it was, and no name means two things.

use std::collections::HashMap;

use crate::support::hls::{Media, session};
use crate::support::server::{Entry, Site};
use crate::support::source::{Source, USUAL};
use crate::support::{Push, Server, within};

const SETTINGS: &str = "packager.segment = \"1s\"\n";

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
