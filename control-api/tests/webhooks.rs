//! Webhooks over HTTP: created with a secret that is shown once, edited, tried out, and looked after.
#![allow(clippy::unwrap_used)]

mod common;

use catalog::deliveries::{Attempt, Then};
use catalog::{Role, Scope};
use common::House;
use http::Method;
use media::WallTime;
use serde_json::{Value, json};

const PATH: &str = "/api/v1/webhooks";

async fn created(house: &House, token: &str) -> (String, String) {
    let made = house.post(token, PATH, &json!({"url": "https://example.org/hook"})).await;
    assert_eq!(made.status, 201, "{}", made.text);
    (made.header("location").to_owned(), made.body["secret"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_webhook_is_created_with_a_secret_that_is_shown_once() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    let new = json!({"url": "https://EXAMPLE.org/hook?a=b", "kinds": ["stream.live", "publish.started"], "description": "pager"});
    let made = house.post(&token, PATH, &new).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let secret = made.body["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_") && made.header("cache-control") == "no-store");
    assert_eq!(made.body["url"], "https://example.org/hook?a=b");
    assert_eq!(made.body["kinds"], json!(["publish.started", "stream.live"]));
    assert_eq!(made.body["enabled"], true);
    assert_eq!(made.header("etag"), "\"1\"");
    let shown = house.get(&token, made.header("location")).await;
    let mut expected = made.body.clone();
    expected.as_object_mut().unwrap().remove("secret");
    assert_eq!(shown.body, expected);
    let listed = house.get(&token, PATH).await;
    assert_eq!(listed.body["items"], json!([expected]));
    let rotated = house
        .send(&token, Method::POST, &format!("{}/rotate-secret", made.header("location")), &[], None)
        .await;
    assert_eq!((rotated.status, rotated.header("etag")), (200, "\"2\""));
    assert_ne!(rotated.body["secret"], made.body["secret"]);
}

#[tokio::test]
async fn a_repeated_creation_makes_one_and_shows_no_secret_again() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    let (headers, body) = ([("idempotency-key", "once")], json!({"url": "https://example.org/hook"}));
    let first = house.send(&token, Method::POST, PATH, &headers, Some(&body)).await;
    assert_eq!(first.status, 201);
    let again = house.send(&token, Method::POST, PATH, &headers, Some(&body)).await;
    assert_eq!(again.problem(), (409, "conflict"));
    assert!(again.text.contains(first.body["id"].as_str().unwrap()) && !again.text.contains("whsec_"));
    assert_eq!(house.get(&token, PATH).await.body["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_wrong_is_said_with_its_field() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    let wrong = json!({"url": "", "kinds": ["stream.live", "nonsense"], "description": "x".repeat(1001)});
    let refused = house.post(&token, PATH, &wrong).await;
    assert_eq!(refused.problem(), (422, "invalid"), "{}", refused.text);
    assert_eq!(refused.fields(), ["url", "description", "kinds[1]"]);
    for url in
        ["example.org", "ftp://example.org/", "https://user:hidden@example.org/", "https://example.org/#a"]
    {
        let refused = house.post(&token, PATH, &json!({"url": url})).await;
        assert_eq!(refused.problem(), (422, "invalid"), "{url}");
        assert_eq!(refused.fields(), ["url"], "{url}");
        assert!(!refused.text.contains("hidden"), "{}", refused.text);
    }
}

#[tokio::test]
async fn an_edit_is_a_merge_and_can_be_conditional() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    let new = json!({"url": "https://example.org/hook", "kinds": ["stream.live"], "description": "pager"});
    let made = house.post(&token, PATH, &new).await;
    let path = made.header("location");
    let patch = json!({"kinds": null, "enabled": false});
    let edited = house.send(&token, Method::PATCH, path, &[("if-match", "\"1\"")], Some(&patch)).await;
    assert_eq!(edited.status, 200, "{}", edited.text);
    assert_eq!((&edited.body["kinds"], &edited.body["enabled"]), (&json!([]), &json!(false)));
    assert_eq!((&edited.body["description"], &edited.body["url"]), (&new["description"], &new["url"]));
    let stale = house.send(&token, Method::PATCH, path, &[("if-match", "\"1\"")], Some(&patch)).await;
    assert_eq!(stale.problem(), (412, "stale"));
    let same = house.send(&token, Method::GET, path, &[("if-none-match", "\"2\"")], None).await;
    assert_eq!(same.status, 304);
    let disabled = house.send(&token, Method::POST, &format!("{path}/test"), &[], None).await;
    assert_eq!(disabled.problem(), (409, "conflict"));
    assert_eq!(house.delete(&token, path).await.status, 204);
    assert_eq!(house.get(&token, path).await.problem(), (404, "not-found"));
}

#[tokio::test]
async fn a_test_call_and_what_came_of_it() {
    let house = House::new().await;
    let token = house.token(Role::Admin).await;
    let (path, _) = created(&house, &token).await;
    let test = house.send(&token, Method::POST, &format!("{path}/test"), &[], None).await;
    assert_eq!(test.status, 202, "{}", test.text);
    let delivery = test.header("location");
    assert_eq!(house.get(&token, delivery).await.body, test.body);
    assert_eq!(test.body["state"], "queued");
    assert_eq!(test.body["payload"]["type"], "webhook.test");

    let id = catalog::WebhookId::parse(path.rsplit('/').next().unwrap()).unwrap();
    let now = WallTime::from(std::time::SystemTime::now());
    let deliveries = house.catalog.deliveries();
    let due = deliveries.claim(&id, now, 1, std::time::Duration::from_secs(60)).await.unwrap();
    let attempt =
        Attempt { status: Some(500), error: Some("it answered 500".into()), excerpt: Some("<oh>".into()) };
    deliveries.settle(&due[0].delivery, attempt, Then::Dead).await.unwrap();
    let dead = house.get(&token, delivery).await.body;
    assert_eq!(
        (&dead["state"], &dead["status"], &dead["answer"]),
        (&json!("dead"), &json!(500), &json!("<oh>"))
    );
    assert!(!house.get(&token, &path).await.body["failing_since"].is_null());

    let again = house.send(&token, Method::POST, &format!("{delivery}/redeliver"), &[], None).await;
    assert_eq!(
        (again.status, &again.body["state"], &again.body["id"]),
        (202, &json!("queued"), &test.body["id"])
    );
    let list = |query: &str| format!("{path}/deliveries{query}");
    let count =
        async |query: &str| house.get(&token, &list(query)).await.body["items"].as_array().unwrap().len();
    assert_eq!((count("").await, count("?state=queued").await, count("?state=dead").await), (1, 1, 0));
    assert_eq!(house.get(&token, &list("?state=lost")).await.problem(), (422, "invalid"));
    for missing in [format!("{path}/deliveries/dlv_00000000"), format!("{path}/deliveries/x")] {
        assert_eq!(house.get(&token, &missing).await.problem(), (404, "not-found"), "{missing}");
    }
}

#[tokio::test]
async fn they_are_for_administrators_and_foreign_ones_are_not_there() {
    let house = House::new().await;
    let (mine, theirs) = (house.account("mine").await, house.account("theirs").await);
    for role in [Role::Viewer, Role::Producer] {
        let token = house.token_in(role, mine.clone()).await;
        assert_eq!(house.get(&token, PATH).await.problem(), (403, "forbidden"), "{role}");
    }
    let (me, they) =
        (house.token_in(Role::Admin, mine.clone()).await, house.token_in(Role::Admin, theirs.clone()).await);
    let (path, _) = created(&house, &they).await;
    let test = house.send(&they, Method::POST, &format!("{path}/test"), &[], None).await;
    let delivery = test.header("location");
    for (method, path) in [
        (Method::GET, path.clone()),
        (Method::DELETE, path.clone()),
        (Method::POST, format!("{path}/test")),
        (Method::POST, format!("{path}/rotate-secret")),
        (Method::GET, format!("{path}/deliveries")),
        (Method::GET, delivery.to_owned()),
        (Method::POST, format!("{delivery}/redeliver")),
    ] {
        let refused = house.send(&me, method.clone(), &path, &[], None).await;
        assert_eq!(refused.problem(), (404, "not-found"), "{method} {path}");
    }
    let patch = house.patch(&me, &path, &json!({"enabled": false})).await;
    assert_eq!(patch.problem(), (404, "not-found"));
    assert_eq!(house.get(&me, PATH).await.body["items"], json!([]));
    let Scope::Account(theirs) = theirs else { unreachable!("an account") };
    let planted = json!({"url": "https://example.org/", "account": theirs.as_str()});
    assert_eq!(house.post(&me, PATH, &planted).await.problem(), (404, "not-found"));
    let servers = house.token(Role::Admin).await;
    let placed = house.post(&servers, PATH, &planted).await;
    assert_eq!((placed.status, &placed.body["account"]), (201, &Value::from(theirs.as_str())));
    let everybodys = house.post(&servers, PATH, &json!({"url": "https://example.org/"})).await;
    assert_eq!(everybodys.body["account"], Value::Null);
}
