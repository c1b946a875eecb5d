//! Thumbnails and storyboards of a real stream.

use std::process::Command;

use crate::support::push::run;
use crate::support::server::BINARY;
use crate::support::source::{Source, USUAL};
use crate::support::stills::{assert_built, keep, psnr, size};
use crate::support::{Push, Server, within};

const SETTINGS: &str = "stream.reconnect = \"1s\"\n";

#[test]
fn a_thumbnail_shows_the_keyframe_at_its_time_in_the_size_asked_for() {
    assert_built();
    let source = Source { b_frames: 2, ..USUAL }.file();
    let server = Server::start(SETTINGS, &["e"]);
    let push = Push::live(&server, "e", &source);
    let play = server.play("e");
    within(20, "the second of 5", || (play.get("thumb.jpg?at=5").status == 200).then_some(()));
    let file = server.folder().join("thumb.jpg");
    for (seconds, keyframe) in [(0.0, 0.0), (1.9, 0.0), (2.2, 2.0), (5.0, 4.0)] {
        keep(&play.get(&format!("thumb.jpg?at={seconds}&width=160")), &file);
        let like = |at| psnr(&file, &source, at, (160, 90));
        let (own, other) = (like(keyframe), like(keyframe + 2.0));
        assert!(own > 30.0 && own > other + 6.0, "at {seconds}: {own} dB, two seconds on {other} dB");
    }
    for (width, expected) in [("16", (16, 8)), ("160", (160, 90)), ("1920", (320, 180))] {
        keep(&play.get(&format!("thumb.jpg?width={width}")), &file);
        assert_eq!(size(&file), expected, "{width}");
    }
    drop(push);
}

#[test]
fn a_storyboard_of_what_has_ended_shows_all_of_it() {
    assert_built();
    let source = USUAL.file();
    let server = Server::start(SETTINGS, &["e"]);
    let push = Push::fast(&server, "e", &source);
    let play = server.play("e");
    play.wait_for("master.m3u8");
    push.done();
    let text = within(20, "a tile for each segment of two seconds", || {
        let text = play.wait_for("storyboard.vtt");
        (text.matches("#xywh=").count() == 6).then_some(text)
    });
    let cues: Vec<_> = text.lines().filter_map(|line| line.split_once("#xywh=")).collect();
    let file = server.folder().join("sheet.jpg");
    let tile = server.folder().join("tile.jpg");
    for (at, (sheet, region)) in cues.into_iter().enumerate() {
        keep(&play.get(sheet), &file);
        let numbers: Vec<&str> = region.split(',').collect();
        let [x, y, width, height] = numbers[..] else { panic!("Media Fragments URI §4.2.2: {region}") };
        let crop = format!("crop={width}:{height}:{x}:{y}");
        let (from, to) = (file.to_str().expect("UTF-8"), tile.to_str().expect("UTF-8"));
        let options = ["-hide_banner", "-loglevel", "error", "-y", "-i", from, "-vf", &crop, "-q:v", "1", to];
        run("ffmpeg", &options);
        let like = psnr(&tile, &source, at as f64 * 2.0, (160, 90));
        assert!(like > 28.0, "tile {at} is like its keyframe: {like} dB");
    }
}

#[test]
fn the_server_itself_links_no_library_of_ffmpeg() {
    let output = Command::new("ldd").arg(BINARY).output().expect("ldd runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("libc.so"), "{text}");
    for library in ["libav", "libsw", "libpostproc"] {
        assert!(!text.contains(library), "{text}");
    }
}

#[test]
fn the_worker_command_becomes_the_worker() {
    assert_built();
    let output = Command::new(BINARY).arg("worker").output().expect("it runs");
    assert!(output.status.success(), "its input ends at once");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("libavcodec"), "{said}");
}
