//! Two encoders and one key.

use std::net::Ipv4Addr;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use crate::bystander::{Bystander, ENTRY, SETTINGS};
use crate::process::assert_told;
use crate::publisher::Publisher;
use crate::rtmp::Rtmp;
use crate::support::hls::{Media, session};
use crate::support::server::Entry;
use crate::support::{Server, within};

const STARTED: &str = "NetStream.Publish.Start";
const REFUSED: &str = "NetStream.Publish.BadName";
/// Another address of this machine.
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// A newcomer is on air this long after he asked; the rest is for a busy machine.
const SOON: Duration = Duration::from_millis(1000);

fn playlist(play: &Entry) -> Media {
    Media::parse(&play.wait_for("video-1.m3u8"))
}

/// A stream with segments, whose encoder then falls silent without closing its connection, as one does that lost its
/// network.
fn frozen(server: &Server, entry: &str) -> (Publisher, Media) {
    let mut publisher = Publisher::on_air(server.rtmp(), entry, false);
    publisher.run(0, 6, false);
    let play = server.play(entry);
    let media = within(10, "segments", || Some(playlist(&play)).filter(|media| media.segments.len() >= 4));
    (publisher, media)
}

/// The readers see one discontinuity, in the session that they opened.
fn assert_one_switch(play: &Entry, id: u64) {
    let media = within(10, "the newcomer's segments", || {
        Some(playlist(play)).filter(|media| media.discontinuities() > 0 && !media.last().discontinuity)
    });
    assert_eq!((media.discontinuities(), media.ended), (1, false));
    assert_eq!(session(&play.wait_for("master.m3u8")), id, "open players stay where they are");
}

#[test]
fn an_encoder_that_is_back_before_its_old_connection_died_is_on_air_within_a_second() {
    let server = Server::start(SETTINGS, &[ENTRY, "e"]);
    let bystander = Bystander::on_air(&server);
    let (mut old, _) = frozen(&server, "e");
    let play = server.play("e");
    let id = session(&play.wait_for("master.m3u8"));
    let asked = Instant::now();
    let mut back = Publisher::on_air(server.rtmp(), "e", false);
    assert!(asked.elapsed() < SOON, "{:?}", asked.elapsed());
    back.run(0, 6, false);
    assert!(old.rtmp.closed(Duration::from_secs(5)).is_some(), "the old connection is let go");
    assert!(old.rtmp.has_heard("another publisher took over"));
    assert_one_switch(&play, id);
    bystander.assert_undisturbed();
}

#[test]
fn one_from_elsewhere_waits_until_the_incumbent_has_been_silent_for_a_second() {
    let server = Server::start(SETTINGS, &[ENTRY, "e"]);
    let bystander = Bystander::on_air(&server);
    let (mut old, _) = frozen(&server, "e");
    let play = server.play("e");
    let id = session(&play.wait_for("master.m3u8"));
    old.picture(6000, true, 100);
    let early = Rtmp::publish_from(ELSEWHERE, server.rtmp(), "key-e");
    assert!(early.has_heard(REFUSED) && early.has_heard("already being published by 127.0.0.1:"));
    assert_told(&server, "busy", &early.address());
    let asked = Instant::now();
    let mut newcomer = within(5, "a silent incumbent gives way", || {
        let rtmp = Rtmp::publish_from(ELSEWHERE, server.rtmp(), "key-e");
        rtmp.has_heard(STARTED).then_some(Publisher { rtmp })
    });
    assert!(asked.elapsed() < 2 * SOON, "{:?}", asked.elapsed());
    newcomer.describe(true, false);
    newcomer.run(0, 6, false);
    assert_one_switch(&play, id);
    drop(old);
    bystander.assert_undisturbed();
}

/// How a race ended for one of two.
struct Racer {
    rtmp: Rtmp,
    started: bool,
}

/// Two who ask for the same key at the same time.
fn race(server: &Server, key: &str, from: [Ipv4Addr; 2]) -> [Racer; 2] {
    let line = Barrier::new(2);
    thread::scope(|scope| {
        let racers = from.map(|from| {
            let line = &line;
            scope.spawn(move || {
                let mut rtmp = Rtmp::open_from(from, server.rtmp());
                rtmp.shake();
                line.wait();
                rtmp.ask("live", key);
                assert!(rtmp.hear("NetStream.Publish."), "an answer");
                let started = rtmp.has_heard(STARTED);
                Racer { rtmp, started }
            })
        });
        racers.map(|racer| racer.join().expect("both are answered"))
    })
}

#[test]
fn of_two_who_race_for_a_key_one_is_on_air_and_the_other_knows() {
    let entries: Vec<String> = (0..100).map(|at| format!("e{at}")).collect();
    let mut names: Vec<&str> = entries.iter().map(String::as_str).collect();
    names.push(ENTRY);
    let server = Server::start(SETTINGS, &names);
    let bystander = Bystander::on_air(&server);
    for (at, entry) in entries.iter().enumerate() {
        let same = at % 2 == 0;
        let second = if same { Ipv4Addr::LOCALHOST } else { ELSEWHERE };
        let racers = race(&server, &format!("key-{entry}"), [Ipv4Addr::LOCALHOST, second]);
        assert_one_winner(racers, same, entry);
    }
    bystander.assert_undisturbed();
}

/// From two addresses the second one is refused. From one address he takes over, once, and the first is told.
fn assert_one_winner(racers: [Racer; 2], same: bool, entry: &str) {
    let mut standing = 0;
    for mut racer in racers {
        match racer.started {
            true if racer.rtmp.stands() && !racer.rtmp.has_heard("took over") => standing += 1,
            true => assert!(same && racer.rtmp.has_heard("NetStream.Unpublish.Success"), "{entry}"),
            false => assert!(!same && racer.rtmp.has_heard(REFUSED), "{entry}"),
        }
    }
    assert_eq!(standing, 1, "{entry}");
}

/// Both try again whenever they are sent away, as encoders do.
#[test]
fn two_who_both_insist_do_not_switch_all_the_time() {
    let server = Server::start(SETTINGS, &[ENTRY, "e"]);
    let bystander = Bystander::on_air(&server);
    let mut on_air = Publisher::on_air(server.rtmp(), "e", false);
    let (begun, mut switches, mut millis) = (Instant::now(), 0, 0);
    while begun.elapsed() < Duration::from_secs(8) {
        on_air.run(millis, 1, false);
        millis += 1000;
        let insistent = Rtmp::publish(server.rtmp(), "key-e");
        if insistent.has_heard(STARTED) {
            switches += 1;
            on_air = Publisher { rtmp: insistent };
            on_air.describe(true, false);
        }
        thread::park_timeout(Duration::from_millis(200));
    }
    assert_eq!(switches, 1);
    let media = playlist(&server.play("e"));
    assert!(media.discontinuities() <= 1, "{media:?}");
    bystander.assert_undisturbed();
}
