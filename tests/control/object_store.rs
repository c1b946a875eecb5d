//! A recording that ends in an object store: how far it is, whether it is sound there, and that it goes with its removal.

#[path = "../../depot/tests/common/weed.rs"]
mod weed;

use std::path::PathBuf;

use serde_json::{Value, json};
use weed::Weed;

use super::show::Show;
use crate::support::source::{Source, USUAL};
use crate::support::{Api, Push, Server, within};

fn settings(weed: &Weed) -> String {
    format!(
        "recorder.mode = \"per-session\"\nstream.reconnect = \"0s\"\n[storage]\n\
         object_url = \"s3://shows/live\"\nobject_endpoint = \"{}\"\nobject_region = \"us-east-1\"\n\
         object_access_key = \"key\"\nobject_secret_key = \"sesame\"\nobject_keep_local = false\n",
        weed.endpoint()
    )
}

/// A finished recording, by the API of whichever process serves it.
struct Recorded {
    entry: String,
    id: String,
}

impl Recorded {
    fn new(server: &Server) -> Recorded {
        let show = Show::new(server, json!({}));
        Push::to(show.url(), &Source { seconds: 20, gop: 25, ..USUAL }.file(), &[], &[]).done();
        let newest = within(30, "a finished recording", || {
            let listed = show.api.get(&format!("/entries/{}/recordings", show.id)).done();
            listed["items"].get(0).filter(|it| it["state"] == "finished").cloned()
        });
        Recorded { id: newest["id"].as_str().expect("an id").to_owned(), entry: show.id }
    }

    fn path(&self) -> String {
        format!("/entries/{}/recordings/{}", self.entry, self.id)
    }

    fn wait_moved(&self, api: &Api) -> Value {
        within(120, "its media is in the store alone", || {
            let shown = api.get(&self.path()).done();
            (shown["object_store"]["stage"] == "moved").then(|| shown["object_store"].clone())
        })
    }

    fn folder(&self, server: &Server) -> PathBuf {
        server.folder().join("data/recordings").join(&self.entry).join(&self.id)
    }

    /// Where its files are in the bucket.
    fn objects(&self, server: &Server) -> Vec<String> {
        let moved = std::fs::read_to_string(self.folder(server).join("moved")).expect("a list");
        let names = moved.lines().filter_map(|line| Some(line.split_once(' ')?.1));
        names.chain(["index"]).map(|name| format!("live/{}/{}/{name}", self.entry, self.id)).collect()
    }
}

#[test]
fn a_recording_says_how_far_it_is_and_what_the_store_lost_of_it() {
    let mut weed = Weed::start();
    let server = Server::start(&settings(&weed), &[]);
    let (recorded, api) = (Recorded::new(&server), Api::admin(&server));
    let copy = recorded.wait_moved(&api);
    assert!(copy["bytes"].as_u64().is_some_and(|bytes| bytes > 100_000), "{copy}");
    assert_eq!((&copy["uploaded_bytes"], &copy["failing"]), (&copy["bytes"], &json!(false)));

    let report = || api.get(&format!("{}/integrity?verify=true", recorded.path()));
    let whole = report().done();
    let stored: u64 =
        whole["renditions"].as_array().into_iter().flatten().filter_map(|it| it["stored"].as_u64()).sum();
    assert!(stored > 30 && whole["complete"] == true, "{whole:#}");
    assert_eq!(whole["verified"]["checked"], stored);

    let video = recorded.objects(&server).into_iter().find(|it| it.contains("/video")).expect("video");
    weed.lose(&video);
    let lost = report().done();
    assert_eq!(lost["complete"], false);
    let damaged = lost["verified"]["damaged"].as_array().expect("a list");
    let is_lost =
        |it: &Value| it["rendition"] == "video-1" && it["place"] == "object-store" && it["missing"] == true;
    assert!(!damaged.is_empty() && damaged.iter().all(is_lost), "{lost:#}");
    weed.kill();
    assert_eq!(report().problem(), (503, "unavailable"), "nobody can say");
}

#[test]
fn what_is_removed_while_the_store_is_away_goes_from_it_also_when_the_server_is_killed() {
    let mut weed = Weed::start();
    let server = Server::start(&settings(&weed), &[]);
    let (recorded, api) = (Recorded::new(&server), Api::admin(&server));
    recorded.wait_moved(&api);
    let (objects, folder) = (recorded.objects(&server), recorded.folder(&server));
    assert!(objects.len() > 2 && objects.iter().all(|it| weed.has(it)), "{objects:?}");
    weed.kill();
    assert_eq!(api.delete(&recorded.path()).status, 204);
    assert!(!folder.exists(), "nobody waits for a store");
    let server = server.kill().start();
    weed.resume();
    within(120, "it is gone there too", || (!objects.iter().any(|it| weed.has(it))).then_some(()));
    let notes = server.folder().join("data/depot/removed");
    within(20, "nothing is left to be done", || {
        (std::fs::read_dir(&notes).ok()?.next().is_none()).then_some(())
    });
}
