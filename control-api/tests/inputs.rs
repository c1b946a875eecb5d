//! Inputs of live entries: made, shown, changed, deleted; what cannot be is refused with its reason.

mod common;

use catalog::{Caller, NewEntry, Role};
use common::House;
use control_api::{InputRules, Settings};
use http::Method;
use serde_json::json;

async fn path(house: &House) -> String {
    let entry = house.catalog.entries().create(&Caller::server(), NewEntry::live("show")).await;
    format!("/api/v1/live/{}/inputs", entry.expect("an entry").0.id)
}

const SECRET: &str = "srt://192.0.2.1:9000?latency=200&passphrase=topsecretword&streamid=read:akey";

#[tokio::test]
async fn an_input_is_added_shown_changed_and_deleted() {
    let house = House::new().await;
    let (token, path) = (house.token(Role::Producer).await, path(&house).await);
    let created =
        house.post(&token, &path, &json!({"url": SECRET, "name": "venue", "rendition": "720p"})).await;
    assert_eq!(created.status, 201, "{}", created.text);
    let one = format!("{path}/{}", created.id());
    assert_eq!(created.header("location"), one);
    let view = &created.body;
    assert_eq!(
        (&view["url"], &view["enabled"], &view["rendition"]),
        (&json!(SECRET), &json!(true), &json!("720p"))
    );
    assert_eq!(
        (&view["configured"], &view["status"]["state"]),
        (&json!(false), &json!("off")),
        "nobody runs it here"
    );
    let found = house.get(&token, &one).await;
    assert_eq!((found.status, &found.body), (200, view));
    let off = house.patch(&token, &one, &json!({"enabled": false, "rendition": null})).await;
    assert_eq!(
        (&off.body["enabled"], &off.body["rendition"], &off.body["version"]),
        (&json!(false), &json!(null), &json!(2))
    );
    assert_eq!(off.body["url"], SECRET);
    let stale = house.send(&token, Method::DELETE, &one, &[("if-match", "\"1\"")], None).await;
    assert_eq!(stale.status, 412);
    assert_eq!(house.post(&token, &format!("{one}/restart"), &json!({})).await.status, 204);
    assert_eq!(house.get(&token, &path).await.body["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(house.delete(&token, &one).await.status, 204);
    for gone in [house.get(&token, &one).await, house.delete(&token, &one).await] {
        assert_eq!(gone.problem(), (404, "not-found"));
    }
}

#[tokio::test]
async fn a_viewer_sees_no_passphrase_and_no_stream_id() {
    let house = House::new().await;
    let (producer, viewer) = (house.token(Role::Producer).await, house.token(Role::Viewer).await);
    let path = path(&house).await;
    let created = house.post(&producer, &path, &json!({"url": SECRET})).await;
    let one = format!("{path}/{}", created.id());
    for shown in [house.get(&viewer, &path).await, house.get(&viewer, &one).await] {
        assert_eq!(shown.status, 200);
        assert!(shown.text.contains("192.0.2.1:9000?latency=200&passphrase=hidden"), "{}", shown.text);
        assert!(!shown.text.contains("topsecret") && !shown.text.contains("akey"), "{}", shown.text);
    }
    assert_eq!(house.post(&viewer, &path, &json!({"url": SECRET})).await.problem(), (403, "forbidden"));
    assert_eq!(house.delete(&viewer, &one).await.problem(), (403, "forbidden"));
}

#[tokio::test]
async fn what_cannot_be_is_refused_by_its_field_and_with_its_reason() {
    let house = House::new().await;
    let (token, path) = (house.token(Role::Producer).await, path(&house).await);
    for (body, field, reason) in [
        (json!({}), "url", "missing"),
        (json!({"url": "file:///etc/passwd"}), "url", "scheme"),
        (json!({"url": "http://example.org/a.ts"}), "url", "scheme"),
        (json!({"url": "srt://example.org"}), "url", "no port"),
        (json!({"url": "udp://example.org:5000"}), "url", "a name"),
        (json!({"url": "tcp://0.0.0.0:5000"}), "url", "?listen"),
        (json!({"url": "srt://h.example:9000?passphrase=short"}), "url", "10 to 79"),
        (json!({"url": "udp://0.0.0.0:5000", "rendition": "HD"}), "rendition", "a-z"),
        (json!({"url": "udp://0.0.0.0:5000", "name": "a".repeat(201)}), "name", "200"),
        (json!({"url": "udp://0.0.0.0:5000", "leg": "backup"}), "leg", "unknown"),
    ] {
        let refused = house.post(&token, &path, &body).await;
        assert_eq!((refused.status, refused.fields()), (422, vec![field]), "{body}: {}", refused.text);
        assert!(refused.text.contains(reason), "{body}: {}", refused.text);
    }
    assert_eq!(house.get(&token, "/api/v1/live/0_00000000/inputs").await.status, 404);
    assert_eq!(house.get(&token, &format!("{path}/cfg_1")).await.status, 404);
    let body = json!({"url": "udp://0.0.0.0:5000"});
    for _ in 0..16 {
        assert_eq!(house.post(&token, &path, &body).await.status, 201);
    }
    assert_eq!(house.post(&token, &path, &body).await.problem(), (409, "conflict"));
}

#[tokio::test]
async fn a_server_may_allow_no_ports_and_no_addresses_of_its_own_network() {
    let inputs = InputRules { listen: false, private: false };
    let house = House::with(Settings { inputs, ..Settings::default() }).await;
    let (token, path) = (house.token(Role::Producer).await, path(&house).await);
    for (url, setting) in [
        ("udp://0.0.0.0:5000", "input.allow_listen"),
        ("udp://239.1.1.1:5000", "input.allow_listen"),
        ("tcp://0.0.0.0:5000?listen", "input.allow_listen"),
        ("tcp://127.0.0.1:5000", "input.allow_private"),
        ("srt://169.254.169.254:9000", "input.allow_private"),
        ("srt://[::1]:9000", "input.allow_private"),
    ] {
        let refused = house.post(&token, &path, &json!({"url": url})).await;
        assert_eq!((refused.status, refused.fields()), (422, vec!["url"]), "{url}: {}", refused.text);
        assert!(refused.text.contains(setting), "{}", refused.text);
    }
    let fine = house.post(&token, &path, &json!({"url": "srt://8.8.8.8:9000"})).await;
    assert_eq!(fine.status, 201, "{}", fine.text);
    let one = format!("{path}/{}", fine.id());
    let patched = house.patch(&token, &one, &json!({"url": "tcp://10.0.0.1:9000"})).await;
    assert_eq!((patched.status, patched.fields()), (422, vec!["url"]));
}

#[tokio::test]
async fn sent_twice_with_a_key_it_is_added_once() {
    let house = House::new().await;
    let (token, path) = (house.token(Role::Producer).await, path(&house).await);
    let (key, body) = ([("idempotency-key", "k1")], json!({"url": SECRET}));
    let first = house.send(&token, Method::POST, &path, &key, Some(&body)).await;
    let second = house.send(&token, Method::POST, &path, &key, Some(&body)).await;
    assert_eq!((first.status, second.status), (201, 201));
    assert_eq!(first.body, second.body);
}
