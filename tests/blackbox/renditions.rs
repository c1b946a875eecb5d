//! Several pushes into one switching set, from one ffmpeg and from several.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::download::{Download, Stretch};
use crate::support::probe::packets;
use crate::support::wait::throughout;
use crate::support::{Push, Server, within};

const SHORT_RECONNECT: &str = "stream.reconnect = \"2s\"\n";
const QUALITIES: [(&str, &str); 3] = [("1080p", "320x180"), ("720p", "192x108"), ("480p", "128x72")];
const KEYFRAMES: &str = "-force_key_frames 'expr:gte(t,n_forced*2)' -sc_threshold 0 -g 250";
const SOURCES: &str = "-f lavfi -i testsrc2=size=320x180:rate=30000/1001 -f lavfi -i sine=sample_rate=48000";

/// What one output is encoded as.
fn output(server: &Server, quality: &str, size: &str) -> String {
    format!(
        "-map 0:v -map 1:a -c:v libx264 -preset ultrafast -s {size} -b:v 200k {KEYFRAMES} -c:a aac -b:a 64k \
         -f flv {}_{quality}",
        server.publish_url("e")
    )
}

/// One encoder with three outputs.
fn together(server: &Server, seconds: u32) -> Push {
    let outputs = QUALITIES.map(|(quality, size)| format!("-t {seconds} {}", output(server, quality, size)));
    Push::pasted(&format!("ffmpeg -hide_banner -nostdin -loglevel error -re {SOURCES} {}", outputs.join(" ")))
}

/// An encoder of its own for a quality.
fn alone(server: &Server, at: usize, seconds: u32) -> Push {
    let (quality, size) = QUALITIES[at];
    let output = output(server, quality, size);
    Push::pasted(&format!("ffmpeg -hide_banner -nostdin -loglevel error -re {SOURCES} -t {seconds} {output}"))
}

/// Start and duration in seconds of every segment of a rendition, by number.
fn segments(download: &Download, rendition: &str) -> BTreeMap<u64, f64> {
    let stretches = download.of(rendition);
    let all = stretches.iter().flat_map(|stretch| &stretch.segments);
    all.map(|segment| (segment.number, segment.duration)).collect()
}

/// ISO/IEC 14496-12 §8.8.12: every frame of the sound begins where the one before it ended.
fn assert_unbroken(stretches: &[&Stretch]) -> usize {
    let [stretch] = stretches else { panic!("{} periods", stretches.len()) };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("audio.mp4");
    let bytes: Vec<u8> = stretch
        .header
        .iter()
        .chain(stretch.segments.iter().flat_map(|segment| &segment.body))
        .copied()
        .collect();
    std::fs::write(&file, bytes).expect("a file of ours");
    let frames = packets(&file, "a");
    let steps = frames.packets.windows(2).map(|pair| pair[1].dts - pair[0].dts);
    assert_eq!(steps.filter(|step| *step != 1024).collect::<Vec<_>>(), Vec::<i64>::new());
    frames.packets.len()
}

/// RFC 8216bis §6.2.4: matching content has matching timestamps in all variants.
#[test]
fn three_outputs_of_one_ffmpeg_are_one_switching_set() {
    let server = Server::start(SHORT_RECONNECT, &["e"]);
    let push = together(&server, 14);
    let play = server.play("e");
    let master = play.wait_for("master.m3u8");
    assert_eq!(master.matches("#EXT-X-STREAM-INF").count(), 3, "from the first playlist on: {master}");
    assert_eq!(master.matches("TYPE=AUDIO").count(), 1, "{master}");
    let mpd = play.wait_for("manifest.mpd");
    let period = mpd.rsplit("<Period").next().unwrap_or_default();
    assert_eq!(period.matches("<AdaptationSet").count(), 2, "{mpd}");
    let download = Download::hls(&play);
    push.done();
    let first = segments(&download, "video-1080p");
    assert!(first.len() >= 6, "{first:?}");
    for other in ["video-720p", "video-480p"] {
        let other = segments(&download, other);
        assert_eq!(other.keys().collect::<Vec<_>>(), first.keys().collect::<Vec<_>>());
        // The last one ends where the encoder left.
        for (number, duration) in first.iter().take(first.len() - 1) {
            assert!((other[number] - duration).abs() < 1e-6, "{number}: {duration} and {}", other[number]);
        }
    }
    assert!(assert_unbroken(&download.of("audio-1")) > 600);
}

/// The push whose sound is heard is killed: the others carry on in the same period.
#[test]
fn of_three_ffmpegs_one_is_killed_and_its_sound_is_carried_on() {
    let server = Server::start(SHORT_RECONNECT, &["e"]);
    let first = alone(&server, 0, 60);
    // Its sound is the first that is there.
    throughout(Duration::from_millis(100), || ());
    let others = [alone(&server, 1, 26), alone(&server, 2, 26)];
    let play = server.play("e");
    let download = std::thread::scope(|scope| {
        let download = scope.spawn(|| {
            within(20, "three variants", || {
                let master = play.wait_for("master.m3u8");
                (master.matches("#EXT-X-STREAM-INF").count() == 3).then_some(())
            });
            Download::hls(&play)
        });
        throughout(Duration::from_secs(12), || ());
        first.kill();
        within(15, "two variants", || {
            let master = play.wait_for("master.m3u8");
            (master.matches("#EXT-X-STREAM-INF").count() == 2).then_some(())
        });
        download.join().expect("followed to the end")
    });
    others.into_iter().for_each(Push::done);
    for name in ["video-720p", "video-480p"] {
        let stretches = download.of(name);
        assert_eq!(stretches.len(), 1, "{name}: no discontinuity");
        assert!(stretches[0].segments.len() >= 10, "{name}");
    }
    assert!(assert_unbroken(&download.of("audio-1")) > 1000);
    assert!(segments(&download, "video-1080p").len() < segments(&download, "video-720p").len());
}
