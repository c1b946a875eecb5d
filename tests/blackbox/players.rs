//! A demuxer that reads the manifests itself decodes every frame, live and after the end.

use crate::support::push::run;
use crate::support::server::Entry;
use crate::support::source::USUAL;
use crate::support::{Push, Server, within};

const FRAMES: u32 = 25 * USUAL.seconds;

/// How many frames of video ffprobe decodes between the first of a manifest and its end.
fn decoded(play: &Entry, manifest: &str, options: &[&str]) -> u32 {
    let url = play.url(manifest);
    let arguments = ["-v", "error", "-count_frames", "-select_streams", "v:0"];
    let shown = ["-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", &url];
    let output =
        String::from_utf8(run("ffprobe", &[&arguments[..], options, &shown].concat())).expect("text");
    let count = output.lines().next().unwrap_or_default().trim_end_matches(',');
    count.parse().unwrap_or_else(|_| panic!("{manifest}: {output:?} is no count of frames"))
}

#[test]
fn every_frame_decodes_after_the_end() {
    let server = Server::start("stream.reconnect = \"1s\"\n", &["e"]);
    let play = server.play("e");
    Push::fast(&server, "e", &USUAL.file()).done();
    within(10, "the end", || play.get("video-1.m3u8").text().contains("#EXT-X-ENDLIST").then_some(()));
    for manifest in ["master.m3u8", "manifest.mpd"] {
        assert_eq!(decoded(&play, manifest, &[]), FRAMES, "{manifest}");
    }
}

#[test]
fn a_player_that_follows_hls_live_sees_the_end() {
    let server = Server::start("stream.reconnect = \"1s\"\n", &["e"]);
    let play = server.play("e");
    let push = Push::live(&server, "e", &USUAL.file());
    play.wait_for("master.m3u8");
    let count = decoded(&play, "master.m3u8", &["-live_start_index", "0"]);
    push.done();
    assert_eq!(count, FRAMES);
}
