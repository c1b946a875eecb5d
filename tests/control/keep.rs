//! Recordings are kept within their limits, leave room for the next, and are looked at for what they lack.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::show::Show;
use crate::support::source::{Source, USUAL};
use crate::support::{Api, Push, Server, within};

/// One recording a session, which is over when the encoder leaves.
const SETTINGS: &str = "recorder.mode = \"per-session\"\nstream.reconnect = \"0s\"\n";
/// A show that was on air, and its recording.
struct Recorded {
    show: Show,
    id: String,
}

impl Recorded {
    /// Half a minute, sent at once; some two megabytes.
    fn new(server: &Server, settings: Value) -> Recorded {
        let show = Show::new(server, json!({ "settings": settings }));
        Recorded { id: once_more(&show, 1), show }
    }

    fn path(&self) -> String {
        format!("/entries/{}/recordings/{}", self.show.id, self.id)
    }
}

/// Publishes, and waits until so many recordings are finished. Gives the id of the newest.
fn once_more(show: &Show, finished: usize) -> String {
    let file = Source { seconds: 30, gop: 25, ..USUAL }.file();
    Push::to(show.url(), &file, &[], &[]).done();
    let newest = within(30, "a finished recording", || {
        let all = recordings(&show.api, &show.id);
        let over = all.len() == finished && all.iter().all(|it| it["state"] == "finished");
        over.then(|| all.last().cloned()).flatten()
    });
    newest["id"].as_str().expect("an id").to_owned()
}

fn recordings(api: &Api, entry: &str) -> Vec<Value> {
    let listed = api.get(&format!("/entries/{entry}/recordings")).done();
    listed["items"].as_array().expect("items").clone()
}

fn folder(server: &Server, entry: &str, recording: &str) -> PathBuf {
    server.folder().join("data/recordings").join(entry).join(recording)
}

/// Bytes of the files in a folder.
fn bytes(folder: &Path) -> u64 {
    let inside = std::fs::read_dir(folder).into_iter().flatten();
    inside.filter_map(|file| Some(file.ok()?.metadata().ok()?.len())).sum()
}

#[test]
fn a_recording_is_removed_with_its_files_unless_it_is_protected() {
    let server = Server::start(SETTINGS, &[]);
    let recorded = Recorded::new(&server, json!({}));
    let (api, files) = (&recorded.show.api, folder(&server, &recorded.show.id, &recorded.id));
    assert!(bytes(&files) > 1_000_000, "{}", files.display());
    api.patch(&recorded.path(), &json!({ "protected": true })).done();
    assert_eq!(api.delete(&recorded.path()).problem(), (409, "conflict"));
    assert!(files.exists());
    api.patch(&recorded.path(), &json!({ "protected": false })).done();
    assert_eq!(api.delete(&recorded.path()).status, 204);
    assert!(!files.exists(), "its files are gone with the answer");
    assert_eq!(recordings(api, &recorded.show.id), Vec::<Value>::new());
    assert_eq!(api.get(&recorded.path()).status, 404);
}

#[test]
fn a_report_tells_what_is_there_and_what_was_damaged() {
    let server = Server::start(SETTINGS, &[]);
    let recorded = Recorded::new(&server, json!({}));
    let api = &recorded.show.api;
    let report = |query: &str| api.get(&format!("{}/integrity{query}", recorded.path())).done();
    let whole = report("?verify=true");
    assert_eq!(whole["complete"], true, "{whole:#}");
    let renditions = whole["renditions"].as_array().expect("renditions");
    let stored: u64 = renditions.iter().map(|it| it["stored"].as_u64().expect("a number")).sum();
    assert!(renditions.len() == 2 && stored >= 40, "{whole:#}");
    assert_eq!(whole["verified"]["checked"], stored);

    let files = folder(&server, &recorded.show.id, &recorded.id);
    let mut video = std::fs::read_dir(&files).expect("a folder").filter_map(|it| Some(it.ok()?.path()));
    let name = |path: &Path| path.file_name().is_some_and(|it| it.to_string_lossy().starts_with("video"));
    let video = video.find(|path| name(path)).expect("a file of video");
    let mut media = std::fs::read(&video).expect("readable");
    let middle = media.len() / 2;
    media[middle] ^= 1;
    std::fs::write(&video, media).expect("written");
    assert_eq!(report("")["complete"], true, "the index alone does not tell");
    let damaged = report("?verify=true");
    assert_eq!(damaged["complete"], false, "{damaged:#}");
    let found = damaged["verified"]["damaged"].as_array().expect("a list");
    assert!(found.len() == 1 && found[0]["rendition"] == "video-1", "{damaged:#}");
}

#[test]
fn limits_take_the_oldest_and_what_was_removed_stays_removed() {
    let server = Server::start(SETTINGS, &[]);
    let recorded = Recorded::new(&server, json!({ "keep_count": 1 }));
    let (api, show) = (&recorded.show.api, &recorded.show);
    let files = folder(&server, &show.id, &recorded.id);
    Push::to(show.url(), &Source { seconds: 30, gop: 25, ..USUAL }.file(), &[], &[]).done();
    within(40, "the older recording goes", || {
        let all = recordings(api, &show.id);
        (all.len() == 1 && all[0]["id"] != json!(recorded.id) && !files.exists()).then_some(())
    });
    let log = api.get(&format!("/audit?subject={}", recorded.id)).done();
    let newest = &log["items"][0];
    assert_eq!((&newest["who"], &newest["action"]), (&json!("server"), &json!("delete")), "{log:#}");
    assert_eq!(newest["reason"], "the newest 1 recordings of an entry are kept");
    let left = recordings(api, &show.id)[0]["id"].clone();
    let id = show.id.clone();
    let server = server.stop().start();
    let all = recordings(&Api::admin(&server), &id);
    assert_eq!(all.iter().map(|it| it["id"].clone()).collect::<Vec<_>>(), [left], "also after a restart");
}

#[test]
fn a_deleted_entry_takes_its_recordings_along() {
    let server = Server::start(SETTINGS, &[]);
    let recorded = Recorded::new(&server, json!({}));
    let files = folder(&server, &recorded.show.id, &recorded.id);
    assert_eq!(recorded.show.api.delete(&format!("/entries/{}", recorded.show.id)).status, 204);
    within(20, "its files go", || (!files.exists()).then_some(()));
}

#[test]
fn a_deleted_recording_is_gone_for_viewers_and_its_files_with_the_last_clip() {
    let server = Server::start(SETTINGS, &[]);
    let recorded = Recorded::new(&server, json!({}));
    let api = &recorded.show.api;
    let clip = json!({ "name": "best of", "start": 2, "end": 6 });
    let clip = api.post(&format!("/entries/{}/clips", recorded.show.id), &clip).done();
    let files = folder(&server, &recorded.show.id, &recorded.id);
    let play = |server: &Server| server.play(&recorded.id).get("master.m3u8").status;
    assert_eq!(play(&server), 200);
    assert_eq!(api.delete(&recorded.path()).status, 204);
    within(5, "nobody is shown it", || (play(&server) == 404).then_some(()));
    assert!(files.exists(), "the clip is made of it");

    let server = server.stop().start();
    let api = Api::admin(&server);
    assert_eq!(play(&server), 404, "also after a restart");
    assert_eq!(recordings(&api, &recorded.show.id), Vec::<Value>::new());
    let files = folder(&server, &recorded.show.id, &recorded.id);
    assert!(files.exists());
    assert_eq!(api.delete(&format!("/entries/{}", clip["id"].as_str().expect("an id"))).status, 204);
    within(20, "its files go", || (!files.exists()).then_some(()));
}

/// A small disk, unmounted when dropped.
struct SmallDisk(TempDir);

impl SmallDisk {
    fn mount(megabytes: u32) -> Option<SmallDisk> {
        let folder = tempfile::tempdir().expect("a folder");
        let size = format!("size={megabytes}m");
        let mut mount = Command::new("mount");
        let mounted = mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder.path()).status();
        mounted.is_ok_and(|it| it.success()).then_some(SmallDisk(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

/// Two recordings lie on a disk of ten megabytes, the older one protected. A third one is being made when the disk fills
/// up: the second one goes, and the third goes on.
#[test]
fn a_full_disk_regains_space_and_recording_goes_on() {
    let Some(disk) = SmallDisk::mount(10) else {
        eprintln!("skipped: this machine lets us mount nothing");
        return;
    };
    let root = disk.0.path();
    let storage = format!("storage = {{ recordings = \"{}\", keep_free = \"10%\" }}\n", root.display());
    let server = Server::start(&[SETTINGS, &storage].concat(), &[]);
    let protected = Recorded::new(&server, json!({}));
    protected.show.api.patch(&protected.path(), &json!({ "protected": true })).done();
    let oldest = Recorded::new(&server, json!({}));
    let live = Show::new(&server, json!({}));
    let _push = live.on_air();
    let now = within(10, "a recording", || recordings(&live.api, &live.id).first().cloned());
    let growing = root.join(&live.id).join(now["id"].as_str().expect("an id"));
    within(20, "it grows", || (bytes(&growing) > 100_000).then_some(()));

    let left = |show: &Recorded| root.join(&show.show.id).join(&show.id).exists();
    assert!(left(&protected) && left(&oldest), "there is room");
    let used: u64 = [&protected, &oldest].map(|it| bytes(&root.join(&it.show.id).join(&it.id))).iter().sum();
    // A tenth of ten is to be free: half of that is.
    let filler = (10 << 20) - (1 << 19) - used - bytes(&growing);
    std::fs::write(root.join("something-else"), vec![7; filler as usize]).expect("there is room");
    within(30, "the oldest goes", || (!left(&oldest)).then_some(()));
    assert!(left(&protected), "and the protected one stays");
    let then = bytes(&growing);
    within(30, "the recording goes on", || (bytes(&growing) > then + 200_000).then_some(()));
    assert!(!live.playlist().ended, "which live never noticed");
    let log = live.api.get(&format!("/audit?subject={}", oldest.id)).done();
    let reason = log["items"][0]["reason"].as_str().expect("a reason");
    assert!(reason.contains("to be free on the disk"), "{reason}");
}
