//! Names that would like to be paths, markup, or lines of a log, by way of the control API.

use serde_json::{Value, json};

use crate::bystander::{Bystander, ENTRY, SETTINGS};
use crate::control::{FREELY, Raw, description, fill, id, operations, percent, raw};
use crate::names::{JSON, assert_log_is_whole, files, odd_names};
use crate::publisher::Publisher;
use crate::rtmp::Rtmp;
use crate::support::Server;
use crate::support::api::Api;
use crate::support::dash::Mpd;
use crate::support::hls::children;

fn server() -> (Server, Bystander, Api) {
    let server = Server::start(&format!("{JSON}{FREELY}{SETTINGS}"), &[ENTRY]);
    let (bystander, api) = (Bystander::on_air(&server), Api::admin(&server));
    (server, bystander, api)
}

/// A name is kept as it is, or refused with the fields that it does not fit; and is in no file of its own.
#[test]
fn odd_names_are_kept_as_they_are_or_refused() {
    let (server, bystander, api) = server();
    let before = files(server.folder());
    for name in odd_names() {
        let wanted = json!({"name": name, "description": name, "tags": [name], "owner": name,
            "metadata": {name.as_str(): name}});
        let reply = api.post("/live", &wanted);
        if name.contains('\0') || name.len() > 250 {
            assert_eq!(reply.problem(), (422, "invalid"), "{name:.40?}");
            let problems = reply.body["errors"].as_array().map_or(0, Vec::len);
            assert!(problems >= 3, "all of it at once: {:#}", reply.body);
            continue;
        }
        let made = reply.done();
        for shown in [&made, &api.get(&format!("/entries/{}", id(&made))).done()] {
            assert_same(shown, &wanted);
        }
        assert_found(&api, &name, &id(&made));
        assert!(!made["encoders"].to_string().contains(&json!(name).to_string()), "{:#}", made["encoders"]);
    }
    assert_eq!(files(server.folder()), before, "no file came of it");
    assert_log_is_whole(&server);
    bystander.assert_undisturbed();
}

fn assert_same(shown: &Value, wanted: &Value) {
    for (field, value) in wanted.as_object().expect("an object") {
        assert_eq!(&shown[field], value, "{field}");
    }
}

/// By its tag and its owner; and a search for it is no query of another kind.
fn assert_found(api: &Api, name: &str, id: &str) {
    for field in ["tag", "owner"] {
        let listed = api.get(&format!("/live?{field}={}", percent(name))).done();
        assert_eq!(listed["items"].as_array().map(Vec::len), Some(1), "{field} {name:?}");
        assert_eq!(listed["items"][0]["id"], id);
    }
    assert_eq!(api.get(&format!("/entries?q={}", percent(name))).status, 200, "{name:?}");
}

#[test]
fn a_stream_with_an_odd_name_has_sound_manifests() {
    let (server, bystander, api) = server();
    let evil = "\"><S t=\"0\"/>\n#EXT-X-ENDLIST\n</MPD>";
    let live =
        api.post("/live", &json!({"name": evil, "description": evil, "metadata": {"title": evil}})).done();
    let key = live["keys"]["primary"].as_str().expect("a key");
    let mut publisher = Publisher { rtmp: Rtmp::publish(server.rtmp(), key) };
    publisher.describe(true, true);
    publisher.run(0, 6, true);
    let play = server.play(&id(&live));
    let (multivariant, mpd) = (play.wait_for("master.m3u8"), play.wait_for("manifest.mpd"));
    assert_eq!(children(&multivariant).len(), 2, "{multivariant}");
    assert_eq!(Mpd::parse(&mpd).periods.len(), 1);
    let status = api.get(&format!("/live/{}/status", id(&live))).done().to_string();
    for text in [multivariant, mpd, status, server.log()] {
        assert!(!text.contains("ENDLIST") && !text.contains("><S"), "{text}");
    }
    assert_log_is_whole(&server);
    bystander.assert_undisturbed();
}

/// What has not the shape of an id is not there, whatever else it looks like.
#[test]
fn odd_ids_in_paths_are_not_there() {
    let (server, bystander, api) = server();
    let before = files(server.folder());
    let paths = operations(&description(&server)).into_iter().filter(|(_, path)| path.contains('{'));
    for (method, path) in paths {
        for name in odd_names() {
            let send = |id: &str| {
                let line = format!("{method} /api/v1{}", fill(&path, id));
                raw(server.http(), api.token(), &line, b"Content-Type: application/json\r\n", b"{}")
            };
            let encoded = send(&percent(&name));
            assert!(
                matches!(encoded.status, 400 | 404 | 414 | 422 | 431),
                "{method} {path} {name:.40?}: {encoded:?}"
            );
            assert_silent(&encoded, &name);
            let plain = send(&name);
            // A name with a slash or a space in it makes another path or a broken line.
            assert!(
                matches!(plain.status, 0 | 400 | 404 | 405 | 414 | 422 | 431),
                "{method} {path} {name:.40?}: {plain:?}"
            );
            assert_silent(&plain, &name);
        }
    }
    assert_eq!(files(server.folder()), before, "no file came of it");
    assert_log_is_whole(&server);
    bystander.assert_undisturbed();
}

/// Nothing of it is repeated to the reader; and what is answered by the API is JSON.
fn assert_silent(answer: &Raw, name: &str) {
    let odd = name.contains(['<', '\n', '\x1b']);
    assert!(!odd || !answer.body.contains(name), "{answer:?}");
    if answer.head.contains("json") {
        assert_eq!(answer.json()["status"], answer.status);
    }
}

#[test]
fn odd_parameters_and_keys_are_refused_or_taken_as_they_are() {
    let (server, bystander, api) = server();
    let lists = ["/live", "/entries", "/tokens", "/accounts", "/audit", "/jobs"];
    for name in odd_names() {
        for list in lists {
            for parameter in ["cursor", "limit", "unknown"] {
                let reply = api.get(&format!("{list}?{parameter}={}", percent(&name)));
                assert!(matches!(reply.status, 400 | 414 | 422), "{list} {parameter} {name:.40?}: {reply:?}");
            }
        }
        for parameter in ["q", "tag", "owner", "account", "created_from", "sort"] {
            let reply = api.get(&format!("/entries?{parameter}={}", percent(&name)));
            assert!(matches!(reply.status, 200 | 414 | 422), "{parameter} {name:.40?}: {reply:?}");
            if reply.status == 200 {
                assert_eq!(reply.body["items"], json!([]), "{parameter} {name:?}");
            }
        }
        let header =
            [b"Content-Type: application/json\r\nIdempotency-Key: ", name.as_bytes(), b"\r\n"].concat();
        let post = || raw(server.http(), api.token(), "POST /api/v1/accounts", &header, b"{\"name\": \"x\"}");
        let made = post();
        assert!(matches!(made.status, 201 | 400 | 422 | 431), "{name:.40?}: {made:?}");
        if made.status == 201 {
            assert_eq!(made.json(), post().json(), "{name:?} is a key");
            let account = made.json();
            assert_eq!(api.delete(&format!("/accounts/{}", id(&account))).status, 204);
        }
    }
    let audit = api.get("/audit?limit=500").done();
    assert!(audit["items"].as_array().is_some_and(|items| items.len() > 4), "{audit:#}");
    assert_log_is_whole(&server);
    bystander.assert_undisturbed();
}
