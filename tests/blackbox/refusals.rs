//! Who may not publish is told why; who may, pushes out whom the configuration lets him.

use crate::support::hls::Media;
use crate::support::source::USUAL;
use crate::support::{Push, Server, within};

/// Two encoders with one key.
fn takeover(policy: &str) -> String {
    format!("[stream]\ntakeover = \"{policy}\"\n[packager]\nsegment = \"1s\"\n")
}

/// One-second GOPs, long enough for any of these tests.
fn file() -> std::path::PathBuf {
    crate::support::source::Source { seconds: 30, gop: 25, ..USUAL }.file()
}

fn assert_refused(push: Push, reason: &str) {
    let (success, said) = push.outcome();
    assert!(!success, "it was let in:\n{said}");
    assert!(said.contains(reason), "the reason is not in\n{said}");
}

#[test]
fn an_unknown_key_or_application_is_told_so() {
    let server = Server::start("", &["e"]);
    let push = |path: &str| Push::to(&server.rtmp_url(path), &file(), &[], &[]);
    assert_refused(push("live/stranger"), "unknown stream key");
    assert_refused(push("live/key-e2"), "unknown stream key");
    assert_refused(push("vod/key-e"), "unknown application; publish to /live/KEY or /backup/KEY");
    assert_refused(push("backup/key-e"), "the backup leg: not supported by this version");
    assert_eq!(server.play("e").get("master.m3u8").status, 404);
    assert!(!server.log().contains("stranger"), "a key is a secret, a wrong one too:\n{}", server.log());
}

#[test]
fn never_means_that_the_incumbent_stays() {
    let server = Server::start(&takeover("never"), &["e"]);
    let play = server.play("e");
    let incumbent = Push::live(&server, "e", &file());
    play.wait_for("master.m3u8");
    assert_refused(Push::live(&server, "e", &file()), "stream is already being published by 127.0.0.1:");
    let before = Media::parse(&play.wait_for("video-1.m3u8")).last().number;
    let media = within(10, "the incumbent goes on", || {
        Some(Media::parse(&play.wait_for("video-1.m3u8"))).filter(|media| media.last().number >= before + 2)
    });
    assert_eq!(media.discontinuities(), 0);
    incumbent.kill();
}

#[test]
fn always_means_that_the_newcomer_goes_on_air() {
    check_pushed_out("always");
}

#[test]
fn stale_lets_in_who_comes_from_the_same_address() {
    check_pushed_out("stale");
}

fn check_pushed_out(policy: &str) {
    let server = Server::start(&takeover(policy), &["e"]);
    let play = server.play("e");
    let incumbent = Push::live(&server, "e", &file());
    play.wait_for("master.m3u8");
    let newcomer = Push::live(&server, "e", &file());
    let (success, said) = incumbent.outcome();
    assert!(!success, "the incumbent was not told:\n{said}");
    let media = within(10, "the newcomer is on air", || {
        let media = Media::parse(&play.wait_for("video-1.m3u8"));
        let after = media.segments.iter().skip_while(|segment| !segment.discontinuity).count();
        (after >= 2).then_some(media)
    });
    assert_eq!(media.discontinuities(), 1);
    assert!(!media.ended);
    newcomer.kill();
}
