//! Streams that lack a track, get one late, or whose timestamps cross a boundary of the protocol.

use std::path::Path;

use crate::compare::{assert_whole, kind, read};
use crate::support::dash::Mpd;
use crate::support::hls::{Media, children};
use crate::support::probe::{Packets, packets};
use crate::support::source::{Source, USUAL};
use crate::support::{Download, Push, Server};

/// Ends soon, so that what was sent last is there soon.
const SHORT_RECONNECT: &str = "stream.reconnect = \"1s\"\n";

/// Everything of `source`, sent as fast as it is taken, comes back in one period.
fn check(source: Source, offset_seconds: u32, renditions: &[&str]) {
    let file = source.file();
    let server = Server::start(SHORT_RECONNECT, &["e"]);
    let play = server.play("e");
    let offset = offset_seconds.to_string();
    Push::to(&server.publish_url("e"), &file, &[], &["-output_ts_offset", &offset]).done();
    let download = Download::hls(&play);
    assert_eq!(download.stretches.len(), renditions.len(), "renditions and periods");
    assert_whole(&file, &download, renditions);
}

#[test]
fn audio_alone() {
    check(Source { video: false, ..USUAL }, 0, &["audio-1"]);
}

#[test]
fn video_alone() {
    check(Source { audio: false, ..USUAL }, 0, &["video-1"]);
}

/// 2^24 ms, from where the timestamp of a chunk is extended, lies in the middle.
#[test]
fn timestamps_that_become_extended() {
    check(USUAL, 16_770, &["video-1", "audio-1"]);
}

/// 2^31 ms, where FFmpeg's timestamps begin anew, lies in the middle.
#[test]
fn timestamps_that_wrap() {
    check(USUAL, 2_147_477, &["video-1", "audio-1"]);
}

/// A track that appears later opens a period at the next keyframe; what was on air goes on until there.
#[test]
fn audio_that_comes_late() {
    let source = Source { audio_delay: 5, ..USUAL };
    let file = source.file();
    let server = Server::start(SHORT_RECONNECT, &["e"]);
    let play = server.play("e");
    // Without this ffmpeg keeps the video to itself until there is audio beside it.
    let at_once = ["-max_interleave_delta", "100000"];
    let push = Push::to(&server.publish_url("e"), &file, &["-re"], &at_once);
    let first = play.wait_for("master.m3u8");
    assert_eq!(children(&first).len(), 1, "video alone to begin with:\n{first}");
    let mut download = Download::dash(&play);
    push.done();
    assert_late_audio(&file, &download);
    download = Download::hls_now(&play, &["video-1", "audio-1"]);
    assert_late_audio(&file, &download);
    assert_eq!(Media::parse(&play.wait_for("video-1.m3u8")).discontinuities(), 1);
    let mpd = Mpd::parse(&play.wait_for("manifest.mpd"));
    let tracks: Vec<usize> = mpd.periods.iter().map(|period| period.representations.len()).collect();
    assert_eq!(tracks, [1, 2]);
}

/// All of the video in two periods, and all of the audio beside the second.
fn assert_late_audio(file: &Path, download: &Download) {
    assert_eq!((download.of("video-1").len(), download.of("audio-1").len()), (2, 1));
    let (sent, got) = hashes(file, download, "video-1");
    assert!(got == sent, "{} frames of {}", got.len(), sent.len());
    let (sent, got) = hashes(file, download, "audio-1");
    // The period begins at six seconds, the audio at five.
    assert!(sent.ends_with(&got) && sent.len() - got.len() <= 48, "{} frames of {}", got.len(), sent.len());
}

/// Of all frames that were sent, and of those that came back.
fn hashes(file: &Path, download: &Download, rendition: &str) -> (Vec<String>, Vec<String>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let hashes = |packets: Packets| packets.packets.into_iter().map(|packet| packet.hash);
    let stretches = download.of(rendition).into_iter();
    let got = stretches.flat_map(|stretch| hashes(read(stretch, folder.path()))).collect();
    (hashes(packets(file, kind(rendition))).collect(), got)
}
