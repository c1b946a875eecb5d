//! Names that would like to be paths, markup, or lines of a log.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::bystander::{Bystander, ENTRY, SETTINGS};
use crate::process::assert_told;
use crate::publisher::Publisher;
use crate::rtmp::{DATA, Rtmp, message, text};
use crate::support::Server;
use crate::support::dash::Mpd;
use crate::support::hls::{Media, children};
use crate::web::{exchange, get, status};

pub const JSON: &str = "log.format = \"json\"\n";

pub fn odd_names() -> Vec<String> {
    let long = "k".repeat(10_000);
    let names = [
        "../../../../tmp/x",
        "..",
        ".",
        "/etc/passwd",
        "%2e%2e%2fx",
        "a\0b",
        "key-e\0",
        "\u{1f3a5}",
        "\"'<>&",
        "<script>",
        "a\nWARN forged line",
        "a\r\nX: y",
        "\x1b[2J",
        "key-e/..",
        "key e",
        "$(reboot)",
        "key-e;",
        "\u{202e}e-yek",
        &long,
    ];
    names.map(str::to_owned).to_vec()
}

/// Everything below a folder but what is recorded of the bystander.
pub fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let others = entries.filter(|path| !path.ends_with("recordings/bystander"));
    others.flat_map(|path| if path.is_dir() { files(&path) } else { BTreeSet::from([path]) }).collect()
}

#[test]
pub fn odd_names_are_refused_and_leave_no_trace() {
    let server = Server::start(&format!("{JSON}{SETTINGS}"), &[ENTRY, "e"]);
    let bystander = Bystander::on_air(&server);
    let before = files(server.folder());
    let mut peers = Vec::new();
    for name in odd_names() {
        let mut rtmp = Rtmp::shaken(server.rtmp());
        rtmp.ask("live", &name);
        assert!(rtmp.hear("NetStream.Publish.BadName"), "{name:?} as a key");
        peers.push(rtmp.address());
        let mut rtmp = Rtmp::shaken(server.rtmp());
        rtmp.ask(&name, "key-e");
        assert!(rtmp.hear("NetConnection.Connect.Rejected"), "{name:?} as an application");
    }
    assert_told(&server, "bad-name", &peers[0]);
    assert_eq!(files(server.folder()), before, "no file came of it");
    assert_log_is_whole(&server);
    bystander.assert_undisturbed();
}

/// Each line is one object of JSON, and nobody forged one.
pub fn assert_log_is_whole(server: &Server) {
    for line in server.log().lines() {
        let parsed: Result<serde_json::Value, _> = serde_json::from_str(line);
        assert!(parsed.is_ok(), "{line}");
        assert!(!line.contains("forged") && !line.contains('\x1b'), "{line}");
    }
}

#[test]
fn odd_paths_have_the_right_status() {
    let server = Server::start(&format!("{JSON}{SETTINGS}"), &[ENTRY]);
    let bystander = Bystander::on_air(&server);
    for name in odd_names() {
        // What cannot stand in a request line is percent-encoded by whoever can be bothered.
        let encoded: String = name.bytes().map(|byte| format!("%{byte:02x}")).collect();
        for path in [
            format!("/play/{encoded}/master.m3u8"),
            format!("/play/{ENTRY}/{encoded}.m3u8"),
            format!("/{encoded}"),
        ] {
            let answer = exchange(server.http(), get(&path).as_bytes()).expect("an answer");
            assert!(matches!(status(&answer), 404 | 414), "{} to {path:.60}", status(&answer));
        }
        let raw =
            exchange(server.http(), get(&format!("/play/{name}/master.m3u8")).as_bytes()).expect("an end");
        assert!(matches!(status(&raw), 0 | 400 | 404 | 414), "{} to {name:.60?}", status(&raw));
        assert!(!String::from_utf8_lossy(&raw).contains("<script>"), "nothing is repeated to the reader");
    }
    assert_log_is_whole(&server);
    bystander.assert_undisturbed();
}

#[test]
fn metadata_cannot_get_into_a_manifest() {
    let server = Server::start(SETTINGS, &[ENTRY, "e"]);
    let bystander = Bystander::on_air(&server);
    let mut publisher = Publisher::on_air(server.rtmp(), "e", true);
    let evil = "\"><S t=\"0\"/>\n#EXT-X-ENDLIST\n</MPD>";
    let properties: Vec<u8> = ["title", "encoder", "language", "videocodecid", evil]
        .iter()
        .flat_map(|name| [&text(name)[1..], &text(evil)].concat())
        .collect();
    let metadata = [&text("onMetaData")[..], b"\x08\xff\xff\xff\xff", &properties, b"\x00\x00\x09"].concat();
    publisher.rtmp.send(&message(DATA, 0, &metadata));
    publisher.run(0, 6, true);
    let play = server.play("e");
    let multivariant = play.wait_for("master.m3u8");
    let mpd = play.wait_for("manifest.mpd");
    assert_eq!(children(&multivariant).len(), 2, "{multivariant}");
    let media = play.wait_for("video-1.m3u8");
    assert!(!Media::parse(&media).ended);
    assert_eq!(Mpd::parse(&mpd).periods.len(), 1);
    for text in [multivariant, mpd, media, server.log()] {
        assert!(!text.contains("><S") && !text.contains("ENDLIST"), "{text}");
    }
    bystander.assert_undisturbed();
}
