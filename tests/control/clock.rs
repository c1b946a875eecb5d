//! What is over, in a player that keeps time by a clock: GStreamer's playbin, by Smooth Streaming. Such a player begins at
//! zero, and waits for what stands at another time.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::show::{Show, publish};
use crate::support::source::{Source, USUAL};
use crate::support::{Server, within};

/// For a player to start and to stop, in seconds, on a machine that does other things too.
const SLACK: f64 = 15.0;

/// How long a player takes that shows what it plays in time, and how many pictures it shows.
fn played(url: &str) -> (Duration, usize) {
    let (uri, began) = (format!("uri={url}"), Instant::now());
    let sinks = ["video-sink=fakesink name=pictures sync=true silent=false", "audio-sink=fakesink sync=true"];
    let output = Command::new("timeout")
        .args(["90", "gst-launch-1.0", "-v", "playbin", &uri])
        .args(sinks)
        .output()
        .expect("GStreamer runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let tail: Vec<&str> = said.lines().rev().take(20).collect();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{url}: {}\n{errors}\n{tail:#?}", output.status);
    assert!(said.contains("Got EOS"), "{url}: {tail:#?}");
    let shown = |line: &&str| line.contains("pictures: last-message = chain");
    (began.elapsed(), said.lines().filter(shown).count())
}

#[test]
fn a_player_with_a_clock_plays_a_recording_and_a_clip_in_their_time() {
    if Command::new("gst-launch-1.0").arg("--version").output().is_err() {
        eprintln!("skipped: GStreamer is not installed");
        return;
    }
    let server = Server::start("stream.reconnect = \"1s\"\n", &[]);
    let show = Show::new(&server, json!({}));
    publish(show.url(), &Source { seconds: 10, gop: 25, ..USUAL }.file()).done();
    let path = format!("/entries/{}", show.id);
    let recording = within(20, "a recording that is over", || {
        let listed = show.api.get(&format!("{path}/recordings")).done();
        let id = listed["items"][0]["id"].as_str()?.to_owned();
        let manifest = server.play(&id).get("Manifest");
        (manifest.status == 200 && manifest.text().contains("Duration=\"100")).then_some(id)
    });
    let clip = show.api.post(&format!("{path}/clips"), &json!({"start": 2, "end": 6, "name": "goal"})).done();
    for (id, seconds) in [(recording.as_str(), 10), (clip["id"].as_str().expect("an id"), 4)] {
        let manifest = server.play(id).get("Manifest").text();
        assert!(manifest.contains("<c t=\"0\"") && manifest.contains("Url=\"from/"), "{manifest}");
        let (took, pictures) = played(&server.http_url(&format!("play/{id}/Manifest")));
        let seconds = f64::from(seconds);
        assert!((seconds - 1.0..seconds + SLACK).contains(&took.as_secs_f64()), "{id}: {took:?}");
        assert!(pictures as f64 >= (seconds - 0.5) * 25.0, "{id}: {pictures} pictures");
    }
}
