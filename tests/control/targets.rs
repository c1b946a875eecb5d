//! Targets that are other Headwaters, by whatever carries a codec there; and one that takes nothing any more.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::restream::{FAR, Listener, SETTINGS, Target, assert_run, free_port, heard, pictures};
use crate::show::Show;
use crate::support::hls::Media;
use crate::support::probe::hashes;
use crate::support::server::Entry;
use crate::support::source::{Source, USUAL, kept};
use crate::support::{Push, Server, within};
use crate::valve::Valve;

/// What is encoded into a file of one track, kept between runs.
fn source(encoded: &str) -> PathBuf {
    let words = format!("-hide_banner -nostdin -loglevel error -y {encoded}");
    kept(&words.split_ascii_whitespace().map(str::to_owned).collect::<Vec<_>>(), "matroska")
}

const HEVC: &str = "-f lavfi -i testsrc2=size=320x180:rate=25:duration=14 -c:v libx265 -preset ultrafast -pix_fmt yuv420p \
                    -x265-params log-level=none:keyint=25:min-keyint=25:open-gop=0:scenecut=0:bframes=2";
const AV1: &str = "-f lavfi -i testsrc2=size=320x180:rate=25:duration=14 -c:v libaom-av1 -cpu-used 8 -usage realtime \
                   -pix_fmt yuv420p -b:v 200k -g 25 -keyint_min 25 -lag-in-frames 0 -threads 2";
const OPUS: &str = "-f lavfi -i sine=frequency=440:sample_rate=48000:duration=14 -c:a libopus -b:a 32k -ac 2";
const EAC3: &str = "-f lavfi -i sine=frequency=440:sample_rate=48000:duration=14 -c:a eac3 -b:a 96k -ac 2";
const AC3: &str = "-f lavfi -i sine=frequency=440:sample_rate=48000:duration=14 -c:a ac3 -b:a 96k -ac 2";

/// All that came is what was sent, from some frame on to the last.
fn assert_rest(got: &[String], of: &[String], what: &str) {
    assert!(got.len() >= 150, "{what}: only {} frames of {}", got.len(), of.len());
    assert!(of.ends_with(got), "{what}: {} frames are not the last of {}", got.len(), of.len());
}

/// Everything of an entry that is over, once it is.
fn over(play: &Entry, rendition: &str, folder: &Path) -> PathBuf {
    let media = within(30, "it is over there", || {
        Some(Media::parse(&play.wait_for(&format!("{rendition}.m3u8")))).filter(|media| media.ended)
    });
    assert_eq!(media.discontinuities(), 0, "{rendition}");
    let mut bytes = play.get(&media.segments[0].map).body;
    media.segments.iter().for_each(|segment| bytes.extend(play.get(&segment.uri).body));
    let file = folder.join(format!("{rendition}.mp4"));
    std::fs::write(&file, bytes).expect("a file");
    file
}

#[test]
fn what_enhanced_rtmp_brings_goes_on_by_enhanced_rtmp() {
    for (video, audio, names) in [(HEVC, OPUS, ["hvc1.", "opus"]), (AV1, AC3, ["av01.", "ac-3"])] {
        let (video, audio) = (source(video), source(audio));
        let far = Server::start(FAR, &["e"]);
        let server = Server::start(SETTINGS, &[]);
        let show = Show::new(&server, json!({}));
        let (target, _) = Target::add(&show, json!({ "name": "far", "url": far.publish_url("e") }));
        let push = Push::enhanced_live(show.url(), &[&video, &audio]);
        target.wait_for("sending");
        push.done();
        assert_eq!(show.act("end").status, 200);
        let (play, folder) = (far.play("e"), far.folder());
        assert_rest(&hashes(&over(&play, "video-1", folder), "v"), &hashes(&video, "v"), names[0]);
        assert_rest(&hashes(&over(&play, "audio-1", folder), "a"), &hashes(&audio, "a"), names[1]);
        let master = play.wait_for("master.m3u8");
        assert!(names.iter().all(|name| master.contains(name)), "{master}");
        assert_eq!(target.status()["skipped"], 0);
    }
}

#[test]
fn another_headwater_gets_every_frame_by_encrypted_srt() {
    const PASSPHRASE: &str = "correct-horse-battery";
    let entry = format!("entry = \"e\"\nkey = \"key-e\"\npassphrase = \"{PASSPHRASE}\"\n");
    let far = Server::start(&format!("{FAR}srt.enabled = true\n[[streams]]\n{entry}"), &[]);
    let server = Server::start(SETTINGS, &[]);
    let show = Show::new(&server, json!({}));
    let url = |passphrase| {
        format!("srt://{}?streamid=publish:key-e&passphrase={passphrase}&latency=500", far.srt())
    };
    let (target, _) = Target::add(&show, json!({ "name": "by SRT", "url": url("another-horse-battery") }));
    let source = Source { seconds: 14, gop: 25, ..USUAL }.file();
    let push = crate::show::publish(show.url(), &source);
    let status = target.wait_for("refused");
    assert!(status["error"].as_str().is_some_and(|error| error.contains("SRT")), "{status:#}");
    target.change(json!({ "url": url(PASSPHRASE) }));
    target.wait_for("sending");
    push.done();
    assert_eq!(show.act("end").status, 200);
    let (play, folder) = (far.play("e"), far.folder());
    assert_rest(&hashes(&over(&play, "audio-1", folder), "a"), &hashes(&source, "a"), "sound");
    assert_rest(&pictures(&over(&play, "video-1", folder)), &pictures(&source), "pictures");
    assert_eq!(target.status()["skipped"], 0);
    let (near, far) = (server.log(), far.log());
    assert!(!near.contains(PASSPHRASE) && !far.contains(PASSPHRASE), "no passphrase in the log");
}

/// By types and descriptors of MPEG-TS, as Headwater and FFmpeg read them.
#[test]
fn other_codecs_go_on_by_srt_too() {
    let sounds = [("e", OPUS, "opus"), ("f", AC3, "ac-3"), ("g", EAC3, "ec-3")];
    let far = Server::start(&format!("{FAR}srt.enabled = true\n"), &["e", "f", "g"]);
    let server = Server::start(SETTINGS, &[]);
    let listener = format!("srt://127.0.0.1:{}", free_port());
    let by_ffmpeg = Listener::start(server.folder(), "got.mkv", &[], &format!("{listener}?mode=listener"));
    let shows = sounds.map(|_| Show::new(&server, json!({})));
    let video = source(HEVC);
    let add = |show, url: String| Target::add(show, json!({ "name": "far", "url": url })).0;
    let mut targets = vec![add(&shows[0], format!("{listener}?latency=500"))];
    let mut pushes = Vec::new();
    for (show, (entry, audio, _)) in shows.iter().zip(sounds) {
        let url = format!("srt://{}?streamid=publish:key-{entry}&latency=500", far.srt());
        targets.push(add(show, url));
        pushes.push(Push::enhanced_live(show.url(), &[&video, &source(audio)]));
    }
    targets.iter().for_each(|target| drop(target.wait_for("sending")));
    pushes.into_iter().for_each(Push::done);
    shows.iter().for_each(|show| assert_eq!(show.act("end").status, 200));
    for (entry, audio, name) in sounds {
        let (play, folder) = (far.play(entry), far.folder());
        let sound = over(&play, "audio-1", folder);
        assert_rest(&hashes(&sound, "a"), &hashes(&source(audio), "a"), name);
        assert_rest(&pictures(&over(&play, "video-1", folder)), &pictures(&video), "pictures");
        let master = play.wait_for("master.m3u8");
        assert!(master.contains(name) && master.contains("hvc1."), "{master}");
    }
    assert!(targets.iter().all(|target| target.status()["skipped"] == 0));
    let file = by_ffmpeg.file();
    assert_run(&hashes(&file, "a"), &hashes(&source(OPUS), "a"), "sound at FFmpeg");
    let shown = pictures(&file);
    // A demuxer that is cut off keeps what it does not know to be whole.
    assert_run(&shown[..shown.len() - 4], &pictures(&video), "pictures at FFmpeg");
}

/// Bytes of memory that a server has now.
fn memory(server: &Server) -> u64 {
    let status = server.proc("status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line of VmRSS");
    line.trim().trim_end_matches("kB").trim().parse::<u64>().expect("a number") << 10
}

fn says(status: &Value, words: &str) -> bool {
    status["error"].as_str().is_some_and(|error| error.contains(words))
}

/// A target takes nothing for so long: it is told of after `restream.stall_timeout` and what buffers hold.
#[test]
fn a_target_that_takes_nothing_any_more_is_told_of_given_up_and_tried_again() {
    const MOST: u64 = 24 << 20;
    let far = Server::start(FAR, &["e", "f", "g"]);
    let settings = "restream.stall_timeout = \"6s\"\nrestream.connect_timeout = \"2s\"\n";
    let server = Server::start(&format!("{SETTINGS}{settings}"), &[]);
    let show = Show::new(&server, json!({}));
    let valve = Valve::start(far.rtmp());
    let add = |url: String| Target::add(&show, json!({ "name": "far", "url": url })).0;
    let [one, two] = ["e", "f"].map(|entry| add(format!("rtmp://{}/live/key-{entry}", valve.address())));
    let well = add(far.publish_url("g"));
    let _push = show.on_air();
    [&one, &two, &well].into_iter().for_each(|target| drop(target.wait_for("sending")));
    far.play("e").wait_for("video-1.m3u8");
    let before = memory(&server);

    valve.turn();
    for target in [&one, &two] {
        within(20, "it is behind, and says so", || {
            let status = target.status();
            (status["state"] == "sending" && status["behind_ms"].as_u64() > Some(2000)).then_some(())
        });
    }
    two.switch(false);
    within(4, "switched off while it takes nothing", || (two.status()["state"] == "off").then_some(()));
    let given_up =
        within(30, "it is given up", || Some(one.status()).filter(|it| says(it, "took nothing for 6s")));
    let again = within(30, "it is tried again, and says nothing", || {
        Some(one.status()).filter(|it| says(it, "not ready to be sent to within 2s"))
    });
    assert!(again["attempts"].as_u64() > given_up["attempts"].as_u64(), "{again:#}");
    within(30, "and again", || {
        let status = one.status();
        (status["state"] == "connecting" && status["attempts"].as_u64() > again["attempts"].as_u64())
            .then_some(())
    });
    one.switch(false);
    within(4, "switched off while it is called", || (one.status()["state"] == "off").then_some(()));

    let (now, file) = (memory(&server), crate::show::file());
    assert!(now < before + MOST, "{} KB, {} KB before", now >> 10, before >> 10);
    for (play, name) in [(&show.public, "here"), (&far.play("g"), "the other target")] {
        assert_eq!(Media::parse(&play.wait_for("video-1.m3u8")).discontinuities(), 0, "{name}");
        for rendition in ["video-1", "audio-1"] {
            let got = heard(play, rendition, far.folder());
            assert_run(&got, &hashes(&file, &rendition[..1]), &format!("{rendition} {name}"));
        }
    }
    assert_eq!((&well.status()["skipped"], &well.status()["attempts"]), (&json!(0), &json!(1)));

    let stood = Media::parse(&far.play("e").wait_for("video-1.m3u8")).last().number;
    valve.turn();
    one.switch(true);
    one.wait_for("sending");
    within(20, "it is on air there again", || {
        let media = Media::parse(&far.play("e").wait_for("video-1.m3u8"));
        (media.last().number > stood + 1).then_some(())
    });
}
