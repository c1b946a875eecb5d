//! A show that ends in an object store, and is played from there: over a restart, an outage, and the loss of the disk.

#[path = "../../depot/tests/common/weed.rs"]
mod weed;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use weed::Weed;

use crate::support::hls::Media;
use crate::support::server::{Entry, Site};
use crate::support::source::{Source, USUAL};
use crate::support::{Push, Server, within};

/// Every file of a presentation, by its address.
type Bodies = BTreeMap<String, Vec<u8>>;

fn settings(weed: &Weed) -> String {
    format!(
        "packager.segment = \"1s\"\nstream.reconnect = \"0s\"\n[storage]\nobject_url = \"s3://shows/live\"\n\
         object_endpoint = \"{}\"\nobject_region = \"us-east-1\"\nobject_access_key = \"key\"\n\
         object_secret_key = \"sesame\"\nobject_keep_local = false\n",
        weed.endpoint()
    )
}

#[test]
fn a_show_comes_home_and_plays_from_there_whatever_happens_to_the_machine() {
    let mut weed = Weed::start();
    let site = Site::new(&settings(&weed), &["e"]);
    let server = site.start();
    weed.kill();
    Push::fast(&server, "e", &Source { seconds: 12, gop: 25, ..USUAL }.file()).done();
    let aired = bodies(&server.play("e"));
    assert!(aired.len() > 12, "{:?}", aired.keys());
    assert!(!media(&server).is_empty(), "what is not there yet stays here");

    weed.resume();
    within(120, "everything is in the store, and there alone", || media(&server).is_empty().then_some(()));
    assert!(bodies(&server.play("e")) == aired, "no URL has two bodies");

    let server = server.stop().start();
    assert!(bodies(&server.play("e")) == aired, "nothing of it was in memory");
    let samples = server.play("e").get("manifest.mpd").text();
    assert!(samples.contains("type=\"static\""), "{samples}");

    let site = server.kill();
    fs::remove_dir_all(site.folder().join("data/recordings")).expect("the disk is lost");
    let server = site.start();
    assert!(bodies(&server.play("e")) == aired, "the store is enough");
    assert!(!server.log().contains("sesame"));
}

/// Everything that the playlists of an ended entry name.
fn bodies(play: &Entry) -> Bodies {
    let mut bodies = Bodies::new();
    for playlist in ["video-1.m3u8", "audio-1.m3u8"] {
        let media = within(30, "video on demand", || {
            let answer = play.get(playlist);
            (answer.status == 200).then(|| Media::parse(&answer.text())).filter(|it| it.ended)
        });
        for segment in &media.segments {
            for uri in [&segment.map, &segment.uri] {
                let answer = play.get(uri);
                assert_eq!(answer.status, 200, "{uri}");
                bodies.insert(uri.clone(), answer.body);
            }
        }
    }
    bodies
}

/// Files of media in the data directory.
fn media(server: &Server) -> Vec<PathBuf> {
    let below = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).into_iter().flatten();
        entries.filter_map(Result::ok).map(|entry| entry.path()).collect()
    };
    let recordings = below(&server.folder().join("data/recordings/e"));
    let files = recordings.iter().flat_map(|recording| below(recording));
    files.filter(|path| path.extension().is_some_and(|it| it == "mp4")).collect()
}
