//! Live entries are provisioned in one round trip, edited with conditions, and run.

mod common;

use catalog::Role;
use common::House;
use http::Method;
use serde_json::json;

#[tokio::test]
async fn a_name_is_enough_and_the_answer_is_everything() {
    let house = House::new().await;
    let token = house.token(Role::Producer).await;
    let made = house.post(&token, "/api/v1/live", &json!({"name": "Sunday service"})).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let id = made.id();
    assert_eq!(made.header("location"), format!("/api/v1/live/{id}"));
    assert_eq!(made.header("etag"), "\"1-offline\"");
    assert_eq!(made.header("cache-control"), "no-store");
    let key = made.body["keys"]["primary"].as_str().expect("a key");
    assert_eq!(made.body["status"], "offline");
    assert_eq!(made.body["publish"]["rtmp"]["primary"], format!("rtmp://example.org:1935/live/{key}"));
    assert!(made.body["publish"]["srt"].is_null() && made.body["publish"]["whip"].is_null());
    assert_eq!(made.body["playback"]["hls"], format!("http://example.org:8080/play/{id}/master.m3u8"));
    assert_eq!(made.body["encoders"]["obs"]["service"]["settings"]["key"], key);
    let opened = house.catalog.keys().find(key).expect("it can be published to at once");
    assert_eq!(opened.entry.id.as_str(), id);
    let shown = house.get(&token, made.header("location")).await;
    assert_eq!(shown.body, made.body);
}

#[tokio::test]
async fn everything_that_is_wrong_is_said_at_once() {
    let house = House::new().await;
    let token = house.token(Role::Producer).await;
    let wrong = json!({
        "name": " ",
        "tags": ["a", ""],
        "settings": {"segment": "45s", "part": "3s", "starts_at": "tomorrow", "window": "4s"},
    });
    let refused = house.post(&token, "/api/v1/live", &wrong).await;
    assert_eq!(refused.problem(), (422, "invalid"), "{}", refused.text);
    let fields =
        ["name", "tags[1]", "settings.segment", "settings.part", "settings.starts_at", "settings.window"];
    assert_eq!(refused.fields(), fields);
}

#[tokio::test]
async fn an_edit_is_a_merge_and_can_be_conditional() {
    let house = House::new().await;
    let token = house.token(Role::Producer).await;
    let new = json!({"name": "a", "owner": "o", "metadata": {"x": {"y": 1, "z": 2}}, "settings": {"segment": "4s"}});
    let made = house.post(&token, "/api/v1/live", &new).await;
    let path = format!("/api/v1/live/{}", made.id());
    let patch = json!({"owner": null, "metadata": {"x": {"y": null}}, "settings": {"dvr": "1h"}});
    let headers = [("if-match", made.header("etag"))];
    let edited = house.send(&token, Method::PATCH, &path, &headers, Some(&patch)).await;
    assert_eq!(edited.status, 200, "{}", edited.text);
    assert_eq!(edited.header("etag"), "\"2-offline\"");
    assert_eq!(edited.body["owner"], json!(null));
    assert_eq!(edited.body["metadata"], json!({"x": {"z": 2}}));
    assert_eq!(edited.body["settings"]["segment"], "4s");
    assert_eq!(edited.body["settings"]["dvr"], "1h");
    let late = house.send(&token, Method::PATCH, &path, &headers, Some(&json!({"name": "late"}))).await;
    assert_eq!(late.problem(), (412, "stale"));
    let late = house.send(&token, Method::DELETE, &path, &headers, None).await;
    assert_eq!(late.problem(), (412, "stale"));
    let same =
        house.send(&token, Method::GET, &path, &[("if-none-match", edited.header("etag"))], None).await;
    assert_eq!((same.status, same.text.as_str()), (304, ""));
    assert_eq!(house.delete(&token, &path).await.status, 204);
    assert_eq!(house.get(&token, &path).await.problem(), (404, "not-found"));
}
