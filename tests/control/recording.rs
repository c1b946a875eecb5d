//! What was on air is in its files: by itself, as its producer wishes, over restarts, and again once a full disk has room.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::events::follower::Follower;
use crate::show::Show;
use crate::support::probe::packets;
use crate::support::push::run;
use crate::support::{Api, Server, within};

impl Show {
    fn recording(&self, action: &str) -> (u16, Value) {
        let reply = self.act(&format!("recording/{action}"));
        (reply.status, reply.body)
    }

    fn recordings(&self) -> Vec<Value> {
        let listed = self.api.get(&format!("/entries/{}/recordings", self.id)).done();
        listed["items"].as_array().expect("a list").clone()
    }

    fn recorded(&self, what: &str, so: impl Fn(&Value) -> bool) -> Value {
        self.when(what, |status| so(&status["recording"]))["recording"].clone()
    }
}

/// Files of media below a folder, by name.
fn media(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = Vec::new();
    for item in std::fs::read_dir(folder).expect("a folder") {
        let path = item.expect("readable").path();
        if path.is_dir() {
            files.extend(media(&path));
        } else if path.extension().is_some_and(|it| it == "mp4") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// That ffmpeg decodes each file without an error; gives the seconds that they hold of video.
fn decoded(files: &[PathBuf]) -> f64 {
    let mut seconds = 0.0;
    for file in files {
        let path = file.to_str().expect("a path in UTF-8");
        run("ffmpeg", &["-v", "error", "-xerror", "-nostdin", "-i", path, "-f", "null", "-"]);
        if path.contains("/video-1.") {
            seconds += packets(file, "v").packets.len() as f64 / 25.0;
        }
    }
    seconds
}

#[test]
fn a_producer_pauses_goes_on_stops_and_starts_anew() {
    let server = Server::start("", &[]);
    let show = Show::new(&server, json!({}));
    let follower = Follower::new(&Api::admin(&server), None);
    assert_eq!(show.recording("start").0, 409, "nothing is on");
    let _push = show.on_air();
    let on = show.recorded("recording", |it| it["state"] == "recording" && it["bytes"] != 0);
    let id = on["recording"].as_str().expect("an id").to_owned();
    for action in ["start", "resume"] {
        let (status, problem) = show.recording(action);
        assert_eq!((status, problem["type"].as_str()), (409, Some("/api/problems/conflict")), "{action}");
    }
    let (status, paused) = show.recording("pause");
    assert_eq!((status, &paused["state"]), (200, &json!("paused")));
    assert_eq!(show.recording("pause").0, 409, "it is paused");
    show.recorded("a gap", |it| it["gaps"][0]["reason"] == "paused");
    assert_eq!(show.recording("resume").1["state"], "recording");
    show.recorded("the end of the gap", |it| it["gaps"][0]["last"].is_u64());
    let (status, stopped) = show.recording("stop");
    assert_eq!((status, &stopped["state"], &stopped["recording"]), (200, &json!("off"), &json!(id)));
    assert_eq!(show.recording("pause").0, 409, "it is stopped");
    assert_eq!(show.recording("start").1["state"], "recording");
    let before = stopped["length"].as_f64().expect("a length");
    show.recorded("more of it", |it| it["length"].as_f64() >= Some(before + 2.0));
    show.act("end").done();
    let rows = within(20, "the end of the recording", || {
        Some(show.recordings())
            .filter(|rows| rows.len() == 1 && rows[0]["state"] == "finished" && rows[0]["ended"].is_string())
    });
    assert_eq!(rows[0]["id"], json!(id), "what was stopped is appended to");
    let at_rest = show.recorded("the end", |it| it["state"] == "off");
    assert_eq!(rows[0]["bytes"], at_rest["bytes"]);
    let seconds = decoded(&media(&server.folder().join("data/recordings").join(&show.id)));
    let length = at_rest["length"].as_f64().expect("a length");
    assert!((seconds - length).abs() < 0.2, "{seconds} s in files of {length} s");
    let mut kinds = Vec::new();
    while kinds.iter().filter(|kind| *kind == "recording.ended").count() < 2 {
        let event = follower.next();
        if event.kind.starts_with("recording.") {
            assert_eq!(event.data["data"]["recording"], json!(id));
            kinds.push(event.kind);
        }
    }
    kinds.dedup();
    let [started, ended] = ["recording.started", "recording.ended"];
    assert_eq!(kinds, [started, "recording.lost", "recording.resumed", ended, started, ended]);
}

#[test]
fn a_session_of_its_own_is_a_recording_of_its_own_and_a_restart_is_none() {
    let server = Server::start("", &[]);
    let show = Show::new(&server, json!({"settings": {"recorder": "per-session"}}));
    let push = show.on_air();
    let first = show.recorded("recording", |it| it["length"].as_f64() > Some(1.5));
    let server = server.stop();
    drop(push);

    let server = server.start();
    let show = Show { api: Api::admin(&server), public: server.play(&show.id), ..show };
    let url = server.rtmp_url(&format!("live/{}", show.created["keys"]["primary"].as_str().expect("a key")));
    let _push = crate::show::publish(&url, &crate::show::file());
    let length = first["length"].as_f64();
    let again =
        show.recorded("more of it", |it| it["state"] == "recording" && it["length"].as_f64() > length);
    assert_eq!(again["recording"], first["recording"], "the session goes on, and so does its recording");
    show.act("end").done();
    within(20, "the end", || Some(show.recordings()).filter(|rows| rows[0]["state"] == "finished"));
    let folder = server.folder().join("data/recordings").join(&show.id);
    assert!(decoded(&media(&folder)) > 2.0);

    let _next = within(20, "the entry is free again", || {
        let push = crate::show::publish(&url, &crate::show::file());
        let on = |status: &Value| status["status"] == "live" && status["recording"]["state"] == "recording";
        let end = std::time::Instant::now() + std::time::Duration::from_secs(8);
        while std::time::Instant::now() < end {
            if on(&show.status()) {
                return Some(push);
            }
            crate::support::wait::pause();
        }
        None
    });
    let next = show.recorded("another one", |it| it["length"].as_f64() > Some(1.0));
    assert_ne!(next["recording"], first["recording"]);
    within(20, "its row", || Some(show.recordings()).filter(|rows| rows.len() == 2));
}

/// A small file system, unmounted when dropped.
struct Small(tempfile::TempDir);

impl Small {
    /// `None` where mounting is not allowed.
    fn new(size: &str) -> Option<Small> {
        let folder = tempfile::tempdir().expect("a folder");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(folder.path());
        mount.status().is_ok_and(|status| status.success()).then_some(Small(folder))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_costs_the_recording_a_gap_and_live_nothing() {
    let Some(disk) = Small::new("8m") else {
        eprintln!("skipped: this user may not mount a small file system to fill");
        return;
    };
    let folder = disk.0.path();
    let settings = format!("storage.recordings = {:?}\n", folder.join("recordings"));
    let server = Server::start(&settings, &[]);
    let show = Show::new(&server, json!({}));
    let follower = Follower::new(&Api::admin(&server), None);
    let _push = show.on_air();
    show.recorded("recording", |it| it["bytes"] != 0);
    let filler = folder.join("filler");
    // Until it is full: the error is what is wanted.
    let _ = std::fs::write(&filler, vec![0; 9 << 20]);
    let full = show.recorded("a gap", |it| it["gaps"][0]["reason"] == "no-space");
    assert_eq!(full["gaps"][0]["last"], Value::Null);
    let edge = show.playlist().last().number;
    within(20, "live goes on", || Some(show.playlist()).filter(|media| media.last().number >= edge + 3));
    let listed = show.playlist();
    assert!(
        listed.segments.iter().all(|segment| !segment.gap && show.public.get(&segment.uri).status == 200)
    );
    std::fs::remove_file(&filler).expect("it is there");
    let bytes = full["bytes"].as_u64();
    show.recorded("more", |it| it["gaps"][0]["last"].is_u64() && it["bytes"].as_u64() > bytes);
    // Sound may be recorded again before the picture is.
    let edge = show.playlist().last().number;
    within(20, "both go on", || Some(show.playlist()).filter(|media| media.last().number >= edge + 3));
    show.act("end").done();
    show.recorded("the end", |it| it["state"] == "off");
    assert!(decoded(&media(&folder.join("recordings"))) > 2.0);
    let lost = std::iter::repeat_with(|| follower.next()).find(|event| event.kind == "recording.lost");
    let told = &lost.expect("endless").data["data"];
    assert_eq!(told["reason"], "no-space");
    assert!(told["text"].as_str().is_some_and(|text| !text.is_empty()));
    let log = server.log();
    assert!(log.contains("segments are not recorded") && log.contains("segments are recorded again"));
}
