//! Smooth Streaming: every listed fragment comes, and is what was sent, as ffprobe sees it.

use std::path::Path;

use crate::support::hls::Media;
use crate::support::probe::{Packets, packets};
use crate::support::server::Entry;
use crate::support::smooth::{Followed, Manifest};
use crate::support::source::{Source, USUAL};
use crate::support::{Push, Server, within};

const SHORT_RECONNECT: &str = "stream.reconnect = \"2s\"\n";

/// One millisecond of RTMP, and a unit.
const ROUNDING_MILLIS: f64 = 1.1;

#[test]
fn every_frame_comes_back_through_smooth() {
    let kinds = [
        ("b-frames", USUAL),
        ("closed", Source { b_frames: 0, rate: "30", gop: 60, audio_rate: 44_100, ..USUAL }),
        ("ntsc", Source { rate: "30000/1001", gop: 60, ..USUAL }),
    ];
    let files = kinds.map(|(_, source)| source.file());
    let server = Server::start(SHORT_RECONNECT, &kinds.map(|(entry, _)| entry));
    std::thread::scope(|scope| {
        for ((entry, _), file) in kinds.iter().zip(&files) {
            let (play, push) = (server.play(entry), Push::live(&server, entry, file));
            scope.spawn(move || {
                let streams = follow(&play);
                push.done();
                for (followed, kind) in streams.iter().zip(["v", "a"]) {
                    assert_whole(file, &play, followed, kind);
                }
            });
        }
    });
}

fn follow(play: &Entry) -> [Followed; 2] {
    ["video", "audio"]
        .map(|name| {
            let play = play.clone();
            std::thread::spawn(move || Manifest::follow(&play, name))
        })
        .map(|stream| stream.join().expect("Smooth can be followed"))
}

/// As many frames as were sent, with their bytes, as far apart as they were, and without a hole between fragments.
fn assert_whole(sent: &Path, play: &Entry, followed: &Followed, kind: &str) {
    let rendition = if kind == "v" { "video-1" } else { "audio-1" };
    let media = Media::parse(&play.wait_for(&format!("{rendition}.m3u8")));
    let init = play.get(&media.segments[0].map).body;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (sent, got) = (packets(sent, kind), packets(&followed.write(&init, folder.path()), kind));
    let hashes = |packets: &Packets| packets.packets.iter().map(|it| it.hash.clone()).collect::<Vec<_>>();
    assert_eq!(hashes(&got), hashes(&sent), "{rendition}");
    let pairs = sent.packets.iter().zip(&got.packets);
    let moved = pairs.map(|(one, other)| got.millis(other.dts) - sent.millis(one.dts));
    let (least, most) =
        moved.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), by| (least.min(by), most.max(by)));
    assert!(most - least <= ROUNDING_MILLIS, "{rendition} moved by {least} to {most} ms");
    let contiguous =
        |pair: &[crate::support::smooth::Stretch]| pair[0].time + pair[0].duration == pair[1].time;
    assert!(followed.chunks.windows(2).all(contiguous), "{:?}", followed.chunks);
    assert_eq!(followed.chunks.len(), media.segments.len(), "as many as HLS has");
    let wall = followed.chunks[0].time as f64 / 1e4;
    assert!((wall - media.segments[0].program_date_time).abs() <= 1.0, "they begin at the same time");
}

#[test]
fn a_quality_keeps_its_url_when_the_server_is_restarted() {
    let file = Source { seconds: 30, gop: 25, ..USUAL }.file();
    // Nothing is recorded: what was on air is gone with the process.
    let server = Server::start("packager.segment = \"1s\"\nrecorder.mode = \"off\"\n", &["e"]);
    let push = Push::live(&server, "e", &file);
    let before = Manifest::parse(&server.play("e").wait_for("Manifest"));
    let site = server.stop();
    drop(push);

    let server = site.start();
    let play = server.play("e");
    assert_eq!(play.get("Manifest").status, 503, "the encoder is expected back");
    let _push = Push::live(&server, "e", &file);
    let after = within(20, "a manifest", || {
        let answer = play.get("Manifest");
        (answer.status == 200).then(|| Manifest::parse(&answer.text()))
    });
    for (before, after) in before.streams.iter().zip(&after.streams) {
        assert_eq!((&before.name, before.bitrate), (&after.name, after.bitrate));
        let end = before.chunks.iter().map(|chunk| chunk.time + chunk.duration).max().expect("chunks");
        assert!(after.chunks[0].time >= end, "no URL has two bodies");
        assert_eq!(play.get(&before.url_of(before.chunks[0].time)).status, 410);
    }
}
