//! A database that is locked, and a disk that is full: live goes on, and nothing is lost that was promised.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::bystander::{Bystander, ENTRY, SETTINGS};
use crate::control::{FREELY, id};
use crate::process::assert_few;
use crate::publisher::Publisher;
use crate::rtmp::Rtmp;
use crate::support::api::{Api, Reply};
use crate::support::lock::Lock;
use crate::support::server::{BINARY, Site};
use crate::support::wait::throughout;
use crate::support::{Server, within};

/// Names of what was answered with success.
#[derive(Default)]
struct Accepted(Vec<String>);

impl Accepted {
    /// Creates one; the answer.
    fn create(&mut self, api: &Api, description: &str) -> Reply {
        let name = format!("kept {}", self.0.len());
        let reply = api.post("/live", &json!({"name": name, "description": description}));
        if reply.status == 201 {
            self.0.push(id(&reply.body));
        }
        reply
    }

    fn assert_there(&self, api: &Api) {
        for entry in &self.0 {
            assert_eq!(api.get(&format!("/live/{entry}")).status, 200, "{entry} was lost");
        }
    }
}

/// Refused with the reason, and when to ask again.
fn assert_unavailable(reply: &Reply) {
    assert_eq!(reply.problem(), (503, "unavailable"));
    let seconds = reply.headers["retry-after"].to_str().ok().and_then(|text| text.parse::<u64>().ok());
    assert!(seconds.is_some_and(|seconds| (1..=60).contains(&seconds)), "{reply:?}");
}

/// An entry that can be published to, and its key.
fn provisioned(api: &Api) -> (String, String) {
    let live = api.post("/live", &json!({"name": "show"})).done();
    (id(&live), live["keys"]["primary"].as_str().expect("a key").to_owned())
}

/// Somebody with a right key gets in, and is played.
fn assert_lets_in(server: &Server, entry: &str, key: &str) {
    let mut publisher = Publisher { rtmp: Rtmp::publish(server.rtmp(), key) };
    assert!(publisher.rtmp.has_heard("NetStream.Publish.Start"), "not let in");
    publisher.describe(true, false);
    publisher.run(0, 4, false);
    assert!(server.play(entry).wait_for("video-1.m3u8").contains("#EXTINF"));
    assert!(Rtmp::publish(server.rtmp(), "a-wrong-key").has_heard("NetStream.Publish.BadName"));
}

#[test]
fn while_the_database_is_locked_live_goes_on_and_changes_are_refused() {
    let server = Server::start(&format!("{FREELY}{SETTINGS}"), &[ENTRY]);
    let bystander = Bystander::on_air(&server);
    let api = Api::admin(&server);
    let (entry, key) = provisioned(&api);
    let mut accepted = Accepted::default();
    accepted.create(&api, "before").done();
    let lock = Lock::of(&server.folder().join("data/catalog.db"));
    for _ in 0..2 {
        assert_unavailable(&accepted.create(&api, "while it is locked"));
        assert_eq!(api.get(&format!("/live/{entry}")).status, 200, "reading needs no lock");
    }
    assert_lets_in(&server, &entry, &key);
    bystander.assert_undisturbed();
    drop(lock);
    within(10, "changes again", || (accepted.create(&api, "after").status == 201).then_some(()));
    accepted.assert_there(&api);
    let listed = api.get("/live?limit=500").done();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(accepted.0.len() + 1), "nothing half-done");
    assert_few(&server, "unavailable");
    bystander.assert_undisturbed();
    drop(bystander);
    let server = server.kill().start();
    accepted.assert_there(&Api::admin(&server));
}

/// A server whose data directory is a small file system of its own, which only it sees; gone when it ends.
struct Small {
    server: Server,
    data: PathBuf,
}

impl Small {
    /// `None` where this user may make no name space with a mount of its own.
    fn start(megabytes: u32) -> Option<Small> {
        let mount = format!("mount -t tmpfs -o size={megabytes}m tmpfs data && exec \"$0\" \"$@\"");
        let apart = ["--map-root-user", "--mount", "--"];
        let may =
            Command::new("unshare").args(apart).args(["mount", "-t", "tmpfs", "tmpfs", "/mnt"]).status();
        if !may.is_ok_and(|status| status.success()) {
            return None;
        }
        let site = Site::new(&format!("{FREELY}{SETTINGS}"), &[ENTRY]);
        fs::create_dir(site.folder().join("data")).expect("a folder");
        let mut command = Command::new("unshare");
        command.args(apart).args(["sh", "-c", &mount, BINARY]);
        let server = site.start_by(command);
        let data = PathBuf::from(format!("/proc/{}/root{}/data", server.pid(), server.folder().display()));
        Some(Small { server, data })
    }

    fn api(&self) -> Api {
        let token = fs::read_to_string(self.data.join("admin-token")).expect("a token");
        Api::by(&self.server, token.trim())
    }

    /// Takes all the room there is.
    fn fill(&self) -> PathBuf {
        let path = self.data.join("filler");
        let mut filler = OpenOptions::new().create(true).append(true).open(&path).expect("a file");
        for size in [1 << 20, 1 << 12, 1] {
            while filler.write_all(&vec![0; size]).is_ok() {}
        }
        path
    }
}

#[test]
fn while_the_disk_is_full_live_goes_on_and_changes_are_refused() {
    let Some(small) = Small::start(16) else {
        eprintln!("skipped: no mount name space for this user");
        return;
    };
    let (server, api) = (&small.server, small.api());
    let bystander = Bystander::on_air(server);
    let (entry, key) = provisioned(&api);
    let mut accepted = Accepted::default();
    accepted.create(&api, "before").done();
    let filler = small.fill();
    let description = "x".repeat(9000);
    // What the database has of its own is used up first.
    let refused = within(60, "a refusal", || {
        Some(accepted.create(&api, &description)).filter(|reply| reply.status != 201)
    });
    assert_unavailable(&refused);
    assert_lets_in(server, &entry, &key);
    throughout(Duration::from_secs(3), || assert_eq!(api.get(&format!("/live/{entry}")).status, 200));
    bystander.assert_undisturbed();
    fs::remove_file(filler).expect("a file");
    within(30, "changes again", || (accepted.create(&api, &description).status == 201).then_some(()));
    accepted.assert_there(&api);
    let listed = api.get("/live?limit=500").done();
    let names = |listed: &Value| listed["items"].as_array().map(Vec::len);
    assert_eq!(names(&listed), Some(accepted.0.len() + 1), "nothing half-done");
    bystander.assert_undisturbed();
}
