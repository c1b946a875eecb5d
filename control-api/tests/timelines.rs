//! Named timelines of live entries.

mod common;

use catalog::{Caller, NewEntry, Role};
use common::House;
use serde_json::json;

async fn entry(house: &House) -> String {
    house
        .catalog
        .entries()
        .create(&Caller::server(), NewEntry::live("show"))
        .await
        .expect("an entry")
        .0
        .id
        .to_string()
}

#[tokio::test]
async fn a_timeline_is_added_shown_changed_and_deleted() {
    let house = House::new().await;
    let token = house.token(Role::Producer).await;
    let path = format!("/api/v1/live/{}/timelines", entry(&house).await);
    let body =
        json!({"name": "evening", "start": "2026-11-22T19:30:00+01:00", "end": "2026-11-22T21:00:00Z"});
    let created = house.post(&token, &path, &body).await;
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!(created.header("location"), format!("{path}/evening"));
    let view = &created.body;
    assert_eq!((&view["start"], &view["air"]), (&json!("2026-11-22T18:30:00.000Z"), &json!("live")));
    assert_eq!(view["session"], json!(null), "nothing is on");
    let hls = view["hls"].as_str().expect("a URL");
    assert!(
        hls.starts_with("http://example.org:8080/play/0_") && hls.ends_with("/master.m3u8?timeline=evening")
    );
    assert_eq!(house.post(&token, &path, &body).await.problem(), (409, "conflict"), "the name is taken");

    let one = format!("{path}/evening");
    let found = house.get(&token, &one).await;
    assert_eq!((found.status, &found.body), (200, view));
    let patched = house.patch(&token, &one, &json!({"end": null, "air": "preview"})).await;
    assert_eq!((&patched.body["end"], &patched.body["air"]), (&json!(null), &json!("preview")));
    assert_eq!(patched.body["version"], 2);
    let stale = house.send(&token, http::Method::DELETE, &one, &[("if-match", "\"1\"")], None).await;
    assert_eq!(stale.status, 412);
    assert_eq!(house.get(&token, &path).await.body["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(house.delete(&token, &one).await.status, 204);
    assert_eq!(house.get(&token, &one).await.problem(), (404, "not-found"));
    assert_eq!(house.delete(&token, &one).await.problem(), (404, "not-found"));
}

#[tokio::test]
async fn it_begins_now_when_nothing_is_said() {
    let house = House::new().await;
    let token = house.token(Role::Producer).await;
    let path = format!("/api/v1/live/{}/timelines", entry(&house).await);
    let view = house.post(&token, &path, &json!({"name": "now"})).await.body;
    let age = |text: &str| time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339);
    let start = age(view["start"].as_str().expect("a time")).expect("RFC 3339");
    assert!((time::OffsetDateTime::now_utc() - start).whole_seconds() < 60);
    let ends_first =
        house.patch(&token, &format!("{path}/now"), &json!({"end": "2020-01-01T00:00:00Z"})).await;
    assert_eq!((ends_first.status, ends_first.fields()), (422, vec!["end"]), "{}", ends_first.text);
}

#[tokio::test]
async fn what_cannot_be_is_refused_by_its_field() {
    let house = House::new().await;
    let token = house.token(Role::Producer).await;
    let path = format!("/api/v1/live/{}/timelines", entry(&house).await);
    for (body, field) in [
        (json!({"name": ""}), "name"),
        (json!({"name": "a".repeat(33)}), "name"),
        (json!({"name": "Evening"}), "name"),
        (json!({"name": "a/b"}), "name"),
        (json!({"name": "public"}), "name"),
        (json!({"name": "preview"}), "name"),
        (json!({}), "name"),
        (json!({"name": "a", "start": "tomorrow"}), "start"),
        (json!({"name": "a", "start": null}), "start"),
        (json!({"name": "a", "end": "2026-11-22"}), "end"),
        (json!({"name": "a", "start": "2026-11-22T10:00:00Z", "end": "2026-11-22T10:00:00Z"}), "end"),
        (json!({"name": "a", "air": "public"}), "air"),
        (json!({"name": "a", "from": 1}), "from"),
    ] {
        let refused = house.post(&token, &path, &body).await;
        assert_eq!((refused.status, refused.fields()), (422, vec![field]), "{body}: {}", refused.text);
    }
    for at in 0..16 {
        assert_eq!(house.post(&token, &path, &json!({"name": format!("t{at}")})).await.status, 201);
    }
    assert_eq!(house.post(&token, &path, &json!({"name": "more"})).await.problem(), (409, "conflict"));
    assert_eq!(house.get(&token, "/api/v1/live/0_00000000/timelines").await.status, 404);
}

#[tokio::test]
async fn sent_twice_with_a_key_it_is_added_once() {
    let house = House::new().await;
    let token = house.token(Role::Producer).await;
    let path = format!("/api/v1/live/{}/timelines", entry(&house).await);
    let (key, body) = ([("idempotency-key", "k1")], json!({"name": "evening"}));
    let first = house.send(&token, http::Method::POST, &path, &key, Some(&body)).await;
    let second = house.send(&token, http::Method::POST, &path, &key, Some(&body)).await;
    assert_eq!((first.status, second.status), (201, 201));
    assert_eq!(first.body, second.body);
}
