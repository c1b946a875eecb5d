//! Pictures that nobody can decode, workers that die or hang, and crowds that want images.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use rustix::process::{Signal, kill_process};

use crate::bystander::{Bystander, ENTRY, SETTINGS};
use crate::publisher::Publisher;
use crate::support::server::{BINARY, Entry, Site};
use crate::support::source::USUAL;
use crate::support::stills::{assert_built, patient, worker};
use crate::support::{Push, Server, within};

#[test]
fn a_picture_that_nobody_can_decode_is_told_of_in_words() {
    assert_built();
    let server = Server::start(SETTINGS, &[ENTRY, "e"]);
    let bystander = Bystander::on_air(&server);
    let mut publisher = Publisher::on_air(server.rtmp(), "e", false);
    publisher.run(0, 4, true);
    let play = server.play("e");
    play.wait_for("master.m3u8");
    for _ in 0..20 {
        let answer = play.get("thumb.jpg");
        assert_eq!((answer.status, answer.header("cache-control")), (404, "public, max-age=1"));
        assert!(answer.text().contains("cannot be decoded"));
    }
    bystander.assert_undisturbed();
}

#[test]
fn a_worker_that_is_killed_or_stopped_costs_images_and_nothing_that_is_live() {
    assert_built();
    let server = Server::start(SETTINGS, &[ENTRY, "e"]);
    let bystander = Bystander::on_air(&server);
    let _push = Push::live(&server, "e", &USUAL.file());
    let play = server.play("e");
    shown(&play, "thumb.jpg?width=100");
    kill_process(worker(&server), Signal::KILL).expect("a worker");
    assert_eq!(play.get("thumb.jpg?width=102").status, 200, "another one takes over");

    kill_process(worker(&server), Signal::STOP).expect("a worker");
    let since = Instant::now();
    thread::scope(|scope| {
        let hung = scope.spawn(|| patient(&play.url("thumb.jpg?width=104")));
        bystander.assert_undisturbed();
        assert_eq!(play.get("master.m3u8").status, 200, "its own entry plays on");
        let (status, words) = hung.join().expect("no panic");
        assert_eq!(status, 404, "{words}");
    });
    assert!(since.elapsed().as_secs() < 30, "it was given up");
    assert_eq!(play.get("thumb.jpg?width=106").status, 200, "and replaced");
    assert!(server.log().contains("headwater-worker failed"), "an operator reads of it");
}

#[test]
fn a_thousand_images_at_once_are_made_or_refused() {
    assert_built();
    let server = Server::start(SETTINGS, &[ENTRY, "e"]);
    let bystander = Bystander::on_air(&server);
    let _push = Push::live(&server, "e", &USUAL.file());
    let play = server.play("e");
    shown(&play, "thumb.jpg");
    let (next, made, refused) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..100 {
            scope.spawn(|| {
                while let at @ 0..1000 = next.fetch_add(1, Ordering::Relaxed) {
                    let (width, seconds) = (16 + at % 150 * 2, at / 150 % 3);
                    match play.get(&format!("thumb.jpg?at={seconds}&width={width}")).status {
                        200 => made.fetch_add(1, Ordering::Relaxed),
                        503 | 404 => refused.fetch_add(1, Ordering::Relaxed),
                        status => panic!("{status}"),
                    };
                }
            });
        }
    });
    let (made, refused) = (made.into_inner(), refused.into_inner());
    assert_eq!(made + refused, 1000);
    assert!(made > 0, "{made} made, {refused} refused");
    bystander.assert_undisturbed();
}

#[test]
fn a_worker_does_not_outlive_its_server() {
    assert_built();
    let server = Server::start(SETTINGS, &["e"]);
    let _push = Push::live(&server, "e", &USUAL.file());
    shown(&server.play("e"), "thumb.jpg");
    let program = format!("/proc/{}/exe", worker(&server).as_raw_nonzero());
    assert!(std::fs::read_link(&program).is_ok());
    let site = server.kill();
    within(5, "the worker is gone", || std::fs::read_link(&program).is_err().then_some(()));
    drop(site);
}

#[test]
fn a_server_without_a_worker_serves_everything_else() {
    let site = Site::new(SETTINGS, &[ENTRY]);
    let program = site.folder().join("alone");
    std::fs::hard_link(BINARY, &program)
        .or_else(|_| std::fs::copy(BINARY, &program).map(drop))
        .expect("a copy");
    let server = site.start_by(Command::new(&program));
    let bystander = Bystander::on_air(&server);
    let answer = bystander.play().get("thumb.jpg");
    assert_eq!((answer.status, answer.header("retry-after")), (503, "30"));
    assert!(answer.text().contains("headwater-worker"));
    within(5, "a line for the operator", || server.log().contains("not beside the server").then_some(()));
    bystander.assert_undisturbed();
}

/// Waits until there is an image.
fn shown(play: &Entry, path: &str) {
    within(20, "an image", || (play.get(path).status == 200).then_some(()));
}
