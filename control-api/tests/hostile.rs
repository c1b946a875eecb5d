//! What a request can have in it that is not meant well.

mod common;

use std::time::Duration;

use axum::body::Body;
use catalog::Role;
use common::House;
use control_api::Settings;
use http::{Method, Request};
use serde_json::{Value, json};

#[tokio::test]
async fn texts_of_any_kind_come_back_as_they_were() {
    let house = House::new().await;
    let token = house.token(Role::Producer).await;
    for text in [
        r#""><script>alert(1)</script>"#,
        "a\nb\r\nX-Header: 1",
        "\u{1f3ac}\u{202e}\u{feff}é",
        "'; DROP TABLE entries; --",
        "{{7*7}} ${x} %s \\ \u{1}",
        &"ö".repeat(250),
    ] {
        let new = json!({"name": text, "description": text, "owner": text, "metadata": {text: text}, "tags": ["t"]});
        let made = house.post(&token, "/api/v1/live", &new).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let shown = house.get(&token, made.header("location")).await;
        for field in ["name", "description", "owner"] {
            assert_eq!(shown.body[field], text);
        }
        assert_eq!(shown.body["metadata"][text], text);
        assert!(!shown.body["playback"]["embed"].as_str().expect("HTML").contains("script"));
    }
}

#[tokio::test]
async fn what_is_too_long_or_cannot_be_stored_is_named() {
    let house = House::new().await;
    let token = house.token(Role::Producer).await;
    let long = "x".repeat(10_240);
    for (new, field) in [
        (json!({"name": long}), "name"),
        (json!({"name": "a\u{0}b"}), "name"),
        (json!({"name": "a", "description": "\u{0}"}), "description"),
        (json!({"name": "a", "tags": [long]}), "tags[0]"),
        (json!({"name": "a", "tags": vec!["t"; 51]}), "tags"),
        (json!({"name": "a", "metadata": {"x": "y".repeat(40_000)}}), "metadata"),
        (json!({"name": "a", "metadata": []}), "metadata"),
        (json!({"name": "a", "settings": {"segment": 2}}), "settings.segment"),
        (json!({"name": "a", "settings": []}), "settings"),
        (json!({"name": null}), "name"),
        (json!({}), "name"),
        (json!([]), "."),
    ] {
        let refused = house.post(&token, "/api/v1/live", &new).await;
        assert_eq!(
            (refused.problem(), refused.fields()),
            ((422, "invalid"), vec![field]),
            "{}",
            refused.text
        );
    }
}

#[tokio::test]
async fn nothing_can_be_written_that_is_not_meant_to_be() {
    let house = House::new().await;
    let token = house.token(Role::Producer).await;
    let made = house.post(&token, "/api/v1/live", &json!({"name": "a"})).await;
    for field in ["id", "account", "kind", "version", "status", "created", "keys", "air", "publish", "role"] {
        let patch = json!({field: "x"});
        let refused = house.patch(&token, made.header("location"), &patch).await;
        assert_eq!(
            (refused.problem(), refused.fields()),
            ((422, "invalid"), vec![field]),
            "{}",
            refused.text
        );
    }
    for field in ["id", "kind", "version", "status", "keys", "created"] {
        let refused = house.post(&token, "/api/v1/live", &json!({"name": "a", field: "x"})).await;
        assert_eq!(refused.problem(), (422, "invalid"), "{}", refused.text);
    }
    assert_eq!(house.get(&token, made.header("location")).await.body, made.body);
}

#[tokio::test]
async fn a_body_is_json_of_a_bounded_size() {
    let house = House::new().await;
    let token = house.token(Role::Producer).await;
    let request = |kind: &str, body: Body| {
        let request =
            Request::post("/api/v1/live").header("host", "example.org").header("content-type", kind);
        request.header("authorization", format!("Bearer {token}")).body(body).expect("a request")
    };
    let large = format!(r#"{{"name": "{}"}}"#, "x".repeat(70_000));
    let deep = format!(r#"{{"name": "a", "metadata": {}1{}}}"#, r#"{"a":"#.repeat(1000), "}".repeat(1000));
    for (kind, body, expected) in [
        ("application/json", large.as_str(), (413, "too-large")),
        ("application/json", deep.as_str(), (400, "malformed")),
        ("application/json", "{", (400, "malformed")),
        ("application/json", "\u{feff}{}", (400, "malformed")),
        ("application/json", r#"{"name": "a", "name": "b"}"#, (422, "invalid")),
        ("text/plain", r#"{"name": "a"}"#, (415, "media-type")),
        ("application/x-www-form-urlencoded", "name=a", (415, "media-type")),
    ] {
        let refused = house.ask(request(kind, Body::from(body.to_owned()))).await;
        assert_eq!(refused.problem(), expected, "{}", refused.text);
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let settings = Settings { body_timeout: Duration::from_millis(50), ..Settings::default() };
    let house = House::with(settings).await;
    let token = house.token(Role::Producer).await;
    let never = Body::from_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let request = Request::post("/api/v1/live")
        .header("host", "example.org")
        .header("content-type", "application/json");
    let request = request.header("authorization", format!("Bearer {token}")).body(never).expect("a request");
    assert_eq!(house.ask(request).await.problem(), (408, "timeout"));
}

#[tokio::test]
async fn paths_and_methods_that_are_not_there_are_problems_too() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    for path in [
        "/api/v1/nothing",
        "/api/v2/live",
        "/api/x",
        "/api/v1/live/",
        "/api/v1/live/..%2f..%2fetc",
        "/api/v1/live/%ff",
        "/api/v1/live/0_K3X9P2AB",
        "/api/v1/entries/0_k3x9p2ab/nothing",
        "/api/problems/none",
    ] {
        let answer = house.get(&token, path).await;
        assert_eq!(answer.problem(), (404, "not-found"), "{path}: {}", answer.text);
    }
    let refused = house.send(&token, Method::PUT, "/api/v1/live", &[], None).await;
    assert_eq!(refused.problem(), (405, "method-not-allowed"));
    assert_eq!(refused.header("allow"), "GET,HEAD,POST");
    assert_eq!(refused.header("content-type"), "application/problem+json");
}

#[tokio::test]
async fn a_host_that_is_none_gets_into_no_answer() {
    let house = House::new().await;
    let token = house.token(Role::Viewer).await;
    let request = Request::get("/api/v1/live").header("host", "a\"><script>");
    let request =
        request.header("authorization", format!("Bearer {token}")).body(Body::empty()).expect("valid");
    let refused = house.ask(request).await;
    assert_eq!(refused.problem(), (400, "malformed"));
    assert_eq!(refused.body.get("errors"), None::<&Value>);
}
