//! Targets of live entries: written, read, and never their secrets.

mod common;

use catalog::Role;
use common::House;
use serde_json::{Value, json};

#[tokio::test]
async fn a_target_is_written_and_its_secrets_are_not_read() {
    let house = House::new().await;
    let (producer, viewer) = (house.token(Role::Producer).await, house.token(Role::Viewer).await);
    let live = house.post(&producer, "/api/v1/live", &json!({ "name": "show" })).await;
    let path = format!("/api/v1/live/{}/targets", live.id());
    let new = json!({ "name": "there", "url": "rtmp://a.example/live/very-secret", "rendition": "720p" });
    let created = house.post(&producer, &path, &new).await;
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!(created.body["url"], "rtmp://a.example/live");
    assert_eq!((&created.body["has_stream_key"], &created.body["enabled"]), (&json!(true), &json!(true)));
    assert_eq!(created.body["status"]["state"], "off", "nobody sends here");
    let one = format!("{path}/{}", created.id());
    assert_eq!(created.header("location"), one);
    for answer in [house.get(&viewer, &path).await, house.get(&viewer, &one).await, created] {
        assert!(answer.status < 300 && !answer.text.contains("very-secret"), "{}", answer.text);
    }
    let off = house.patch(&producer, &one, &json!({ "enabled": false, "rendition": null })).await;
    assert_eq!((&off.body["enabled"], &off.body["rendition"]), (&json!(false), &Value::Null));
    let bare = house.patch(&producer, &one, &json!({ "url": "rtmp://b.example/live" })).await;
    assert_eq!(bare.fields(), ["stream_key"], "the key is told nobody else: {}", bare.text);
    let moved = json!({ "url": "srt://b.example:9000?streamid=x&passphrase=0123456789" });
    let moved = house.patch(&producer, &one, &moved).await;
    assert_eq!(
        (&moved.body["url"], &moved.body["has_passphrase"]),
        (&json!("srt://b.example:9000"), &json!(true))
    );
    assert_eq!(house.post(&viewer, &path, &new).await.status, 403);
    assert_eq!(house.delete(&viewer, &one).await.status, 403);
    assert_eq!(house.delete(&producer, &one).await.status, 204);
    assert_eq!(house.get(&viewer, &one).await.status, 404);
}

#[tokio::test]
async fn what_cannot_be_sent_to_is_said() {
    let house = House::new().await;
    let producer = house.token(Role::Producer).await;
    let live = house.post(&producer, "/api/v1/live", &json!({ "name": "show" })).await;
    let path = format!("/api/v1/live/{}/targets", live.id());
    for (body, field) in [
        (json!({ "name": "x", "url": "http://a.example/live/abc" }), "url"),
        (json!({ "name": "x", "url": "rtmp://a.example/live" }), "stream_key"),
        (json!({ "name": "", "url": "rtmp://a.example/live/abc" }), "name"),
        (json!({ "name": "x", "url": "srt://a.example:1", "passphrase": "short" }), "passphrase"),
    ] {
        let refused = house.post(&producer, &path, &body).await;
        assert_eq!((refused.status, refused.fields()), (422, vec![field]), "{}", refused.text);
    }
}
