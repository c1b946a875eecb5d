//! MPEG-TS: what players that know nothing of fragments are given, as ffmpeg and a strict reader see it.

use std::path::Path;
use std::process::Command;

use crate::support::hls::Media;
use crate::support::probe::{Packets, packets};
use crate::support::server::Entry;
use crate::support::source::{Source, USUAL};
use crate::support::transport::Transport;
use crate::support::{Push, Server, within};

const SHORT_RECONNECT: &str = "stream.reconnect = \"2s\"\n";

/// One millisecond of RTMP and a tick.
const ROUNDING_MILLIS: f64 = 1.1;

/// Every file that a playlist lists until its end.
fn follow(play: &Entry, playlist: &str) -> Vec<Vec<u8>> {
    let mut files: Vec<(u64, Vec<u8>)> = Vec::new();
    within(60, "EXT-X-ENDLIST", || {
        let media = Media::parse(&play.wait_for(playlist));
        for segment in &media.segments {
            if files.last().is_none_or(|(last, _)| segment.number > *last) {
                let answer = play.get(&format!("ts/{}", segment.uri));
                assert_eq!((answer.status, answer.header("content-type")), (200, "video/mp2t"));
                files.push((segment.number, answer.body));
            }
        }
        media.ended.then_some(())
    });
    files.into_iter().map(|(_, file)| file).collect()
}

#[test]
fn every_frame_comes_back_in_one_unbroken_stream() {
    let pyramid = Source { b_frames: 3, x264: "b-pyramid=normal", ..USUAL };
    let kinds = [
        ("b-frames", USUAL),
        ("pyramid", pyramid),
        ("closed", Source { b_frames: 0, rate: "30", gop: 60, audio_rate: 44_100, ..USUAL }),
        ("open", Source { x264: "open-gop=1:b-pyramid=none", ..USUAL }),
        ("silent", Source { audio: false, ..USUAL }),
    ];
    let files = kinds.map(|(_, source)| source.file());
    let server = Server::start(SHORT_RECONNECT, &kinds.map(|(entry, _)| entry));
    std::thread::scope(|scope| {
        for ((entry, source), file) in kinds.iter().zip(&files) {
            let (play, push) = (server.play(entry), Push::live(&server, entry, file));
            scope.spawn(move || {
                let multivariant = play.wait_for("ts/master.m3u8");
                let child = multivariant.lines().find(|line| line.starts_with("video-1.m3u8?s="));
                let got = follow(&play, &format!("ts/{}", child.expect("a variant")));
                push.done();
                assert_whole(file, &got.concat(), source.audio);
            });
        }
    });
}

#[test]
fn sound_alone_is_a_variant() {
    let file = Source { video: false, ..USUAL }.file();
    let server = Server::start(SHORT_RECONNECT, &["e"]);
    let push = Push::live(&server, "e", &file);
    let play = server.play("e");
    assert!(play.wait_for("ts/master.m3u8").contains("\naudio-1.m3u8?s="));
    let got = follow(&play, "ts/audio-1.m3u8").concat();
    push.done();
    let transport = Transport::read(&got);
    assert!(transport.video().is_empty() && !transport.audio().is_empty());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let received = write(folder.path(), &got);
    assert_quiet(&received);
    assert_times(&packets(&file, "a"), &packets(&received, "a"));
}

fn assert_whole(sent: &Path, got: &[u8], audio: bool) {
    // Continuity counters, tables, clocks, lengths.
    Transport::read(got);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let received = write(folder.path(), got);
    assert_quiet(&received);
    assert_times(&packets(sent, "v"), &packets(&received, "v"));
    if audio {
        assert_times(&packets(sent, "a"), &packets(&received, "a"));
    }
}

fn write(folder: &Path, bytes: &[u8]) -> std::path::PathBuf {
    let file = folder.join("got.ts");
    std::fs::write(&file, bytes).expect("a file in a temporary folder");
    file
}

/// ffmpeg decodes all of it and has nothing to say.
fn assert_quiet(file: &Path) {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-hide_banner", "-nostdin", "-v", "warning", "-i"]).arg(file);
    let output = ffmpeg.args(["-f", "null", "-"]).output().expect("ffmpeg runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}");
}

/// As many frames, and all as far apart as they were.
fn assert_times(sent: &Packets, got: &Packets) {
    assert_eq!(got.packets.len(), sent.packets.len());
    let pairs = sent.packets.iter().zip(&got.packets);
    let moved: Vec<f64> =
        pairs.map(|(sent_one, one)| got.millis(one.pts) - sent.millis(sent_one.pts)).collect();
    let (least, most) = moved
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), &by| (least.min(by), most.max(by)));
    assert!(most - least <= ROUNDING_MILLIS, "moved by {least} to {most} ms");
    assert!(got.packets.iter().all(|packet| packet.dts <= packet.pts), "decoded before it is shown");
    assert!(got.packets.windows(2).all(|pair| pair[0].dts < pair[1].dts), "decode times rise");
}
