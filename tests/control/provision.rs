//! One call with a name: everything that is needed to go on air, and it works as it is pasted.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::{Value, json};

use crate::show::Show;
use crate::support::http::get;
use crate::support::push::run;
use crate::support::{Api, Push, Server};

fn is_made_of(text: &str, length: usize, legal: impl Fn(char) -> bool) -> bool {
    text.len() == length && text.chars().all(legal)
}

fn lower(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit()
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer} in {value:#}"))
}

#[test]
fn a_name_is_answered_with_all_that_is_needed() {
    let server = Server::start("", &[]);
    let reply = Api::admin(&server).post("/live", &json!({"name": "Sunday service"}));
    assert_eq!(reply.status, 201);
    let (id, live) = (text(&reply.body, "/id").to_owned(), &reply.body);
    assert_eq!(reply.headers["location"], format!("/api/v1/live/{id}"));
    assert!(is_made_of(id.strip_prefix("0_").expect("0_ before it"), 8, lower), "{id}");
    assert_eq!((text(live, "/name"), text(live, "/status")), ("Sunday service", "offline"));
    assert_keys(live);
    let (primary, backup) = (text(live, "/keys/primary"), text(live, "/keys/backup"));
    let rtmp = json!({
        "primary": server.rtmp_url(&format!("live/{primary}")),
        "backup": server.rtmp_url(&format!("backup/{backup}")),
    });
    assert_eq!(live["publish"], json!({"rtmp": rtmp, "rtmps": null, "srt": null, "whip": null}));
    assert_playback(&server, live);
    let service =
        json!({"server": server.rtmp_url("live"), "key": primary, "bwtest": false, "use_auth": false});
    assert_eq!(live["encoders"]["obs"]["service"], json!({"type": "rtmp_custom", "settings": service}));
    assert_eq!(live["encoders"]["obs"]["output"]["keyint_sec"], 2);
    let again = Api::admin(&server).get(&format!("/live/{id}"));
    assert_eq!((again.headers["etag"].clone(), &again.body), (reply.headers["etag"].clone(), live));
}

fn assert_keys(live: &Value) {
    let (primary, backup) = (text(live, "/keys/primary"), text(live, "/keys/backup"));
    assert!(is_made_of(primary, 24, lower) && is_made_of(backup, 24, lower), "{primary} {backup}");
    assert_ne!(primary, backup);
}

fn assert_playback(server: &Server, live: &Value) {
    let id = text(live, "/id");
    let url = |path: String| json!(server.http_url(&path));
    let playback = &live["playback"];
    assert_eq!(playback["hls"], url(format!("play/{id}/master.m3u8")));
    assert_eq!(playback["dash"], url(format!("play/{id}/manifest.mpd")));
    assert_eq!(playback["watch"], url(format!("watch/{id}")));
    let embed = text(live, "/playback/embed");
    assert!(embed.starts_with("<iframe ") && embed.contains(&format!("/embed/{id}\"")), "{embed}");
    assert_eq!(playback["smooth"], url(format!("play/{id}/Manifest")));
    assert_eq!(playback.get("whep"), Some(&Value::Null), "whep is there, and null");
}

#[test]
fn the_ffmpeg_line_goes_on_air_as_it_is_pasted() {
    check_pasted("ffmpeg", |_| {});
}

#[test]
fn the_gstreamer_line_goes_on_air_as_it_is_pasted() {
    if Command::new("gst-launch-1.0").arg("--version").output().is_err() {
        eprintln!("skipped: GStreamer is not installed");
        return;
    }
    check_pasted("gstreamer", |video| assert_eq!(video["b_frames"], true));
}

/// Pastes an encoder's line into a shell; then the stream is live, all of it is known, and it plays.
fn check_pasted(encoder: &str, further: impl Fn(&Value)) {
    let server = Server::start("", &[]);
    let show = Show::new(&server, json!({"settings": {"segment": "2s"}}));
    let _push = Push::pasted(text(&show.created, &format!("/encoders/{encoder}")));
    let ready = show.within(60, "it is ready and nothing speaks against it", |status| {
        let health = &status["legs"][0]["health"];
        // A source that catches up with its clock at first counts as faster until that is past.
        let rate = health["tracks"][0]["frame_rate"].as_f64();
        let steady = rate.is_some_and(|rate| (29.5..30.5).contains(&rate));
        health["verdict"] == "ready"
            && steady
            && severities(health).is_disjoint(&["warning", "problem"].into())
    });
    assert_eq!((&ready["status"], &ready["playable"]), (&json!("live"), &json!(true)));
    assert_leg(&ready["legs"][0], further);
    let played = text(&show.created, "/playback/hls");
    assert_eq!(get(played, &[]).status, 200);
    let arguments =
        ["-v", "error", "-show_entries", "stream=codec_name,width,height", "-of", "csv=p=0", played];
    let streams = String::from_utf8(run("ffprobe", &arguments)).expect("text");
    let streams: BTreeSet<&str> = streams.split_whitespace().collect();
    assert_eq!(streams, BTreeSet::from(["aac", "h264,1280,720"]));
    show.when("who watched is counted", |status| {
        status["viewers"].as_u64().is_some_and(|viewers| viewers > 0)
    });
}

fn severities(health: &Value) -> BTreeSet<&str> {
    let findings = health["findings"].as_array().expect("findings");
    findings.iter().map(|finding| text(finding, "/severity")).collect()
}

fn assert_leg(leg: &Value, further: impl Fn(&Value)) {
    assert_eq!((&leg["leg"], &leg["protocol"]), (&json!("primary"), &json!("rtmp")));
    assert!(text(leg, "/peer").starts_with("127.0.0.1:"));
    assert!(leg["uptime"].as_f64().is_some_and(|seconds| seconds > 4.0), "{leg:#}");
    let tracks = leg["health"]["tracks"].as_array().expect("tracks");
    let [video, audio] = &tracks[..] else { panic!("not two tracks: {leg:#}") };
    let near = |value: &Value, from: f64, to: f64| {
        let number = value.as_f64().unwrap_or_else(|| panic!("no number: {leg:#}"));
        assert!((from..to).contains(&number), "{number} is not {from} to {to}: {leg:#}");
    };
    assert!(text(video, "/codec").starts_with("avc1.64"), "{leg:#}");
    assert_eq!((&video["width"], &video["height"]), (&json!(1280), &json!(720)));
    near(&video["keyframe_interval"]["last"], 1.9, 2.1);
    near(&video["bitrate"], 300e3, 4e6);
    assert_eq!(audio["codec"], "mp4a.40.2");
    assert_eq!((&audio["sample_rate"], &audio["channels"]), (&json!(48_000), &json!(2)));
    near(&audio["bitrate"], 1e3, 200e3);
    further(video);
}
