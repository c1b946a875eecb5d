//! What is sent, and that it is sent over a restart, before its turn, and beside somebody slow.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use catalog::deliveries::State;
use catalog::events::Kind;
use catalog::{Caller, Secret};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use webhooks::Settings;

use crate::home::{Home, has_failed, is_over, settings};
use crate::receiver::{Call, Receiver, Reply};

fn ok(_: usize) -> Reply {
    Reply::Status(200, "", "thanks")
}

/// What a receiver does with a call, by the scheme's own words.
fn verify(call: &Call, secret: &Secret) -> bool {
    let (id, timestamp) = (&call.headers["webhook-id"], &call.headers["webhook-timestamp"]);
    let key = STANDARD.decode(secret.expose().trim_start_matches("whsec_")).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{id}.{timestamp}.{}", call.body).as_bytes());
    let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    call.headers["webhook-signature"].split(' ').any(|it| it == expected)
}

#[tokio::test]
async fn an_event_arrives_signed() {
    let home = Home::new().await;
    let mut receiver = Receiver::start(ok).await;
    let (webhook, secret) = home.webhook(&format!("{}?a=b", receiver.url())).await;
    let work = home.work(settings());
    let event = home.record("demo");
    let call = receiver.next().await;
    assert!(verify(&call, &secret), "{call:?}");
    assert!(!verify(&call, &Secret::new("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")));
    assert_eq!(call.line, "POST /hook?a=b HTTP/1.1");
    assert_eq!(call.headers["content-type"], "application/json");
    assert_eq!(call.headers["host"], receiver.address.to_string());
    assert!(call.headers["user-agent"].starts_with("Headwater/"));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let said: u64 = call.headers["webhook-timestamp"].parse().unwrap();
    assert!(now.abs_diff(said) <= 30, "receivers refuse what is older than five minutes");

    let body: Value = serde_json::from_str(&call.body).unwrap();
    assert_eq!(body["type"], "stream.live");
    assert_eq!(
        body["data"],
        json!({"account": null, "entry": "demo", "event": event, "words": "grün \u{1f600}"})
    );
    let delivery = home.settled(&webhook, is_over).await;
    assert_eq!(delivery.id.as_str(), call.headers["webhook-id"]);
    assert_eq!((delivery.state, delivery.status, delivery.attempts), (State::Delivered, Some(200), 1));
    assert_eq!((delivery.excerpt.as_deref(), delivery.error), (Some("thanks"), None));
    work.stop().await;
}

#[tokio::test]
async fn a_rotation_leaves_receivers_time() {
    let home = Home::new().await;
    let mut receiver = Receiver::start(ok).await;
    let (webhook, old) = home.webhook(&receiver.url()).await;
    let (_, new) = home.catalog.webhooks().rotate(&Caller::server(), &webhook.id).await.unwrap();
    let work = home.work(settings());
    home.record("demo");
    let call = receiver.next().await;
    assert!(verify(&call, &old) && verify(&call, &new));
    work.stop().await;
}

#[tokio::test]
async fn what_happened_while_nobody_delivered_is_delivered_once() {
    let home = Home::new().await;
    let mut receiver = Receiver::start(ok).await;
    let (webhook, _) = home.webhook(&receiver.url()).await;
    let events = ["a", "b"].map(|entry| home.record(entry));
    let home = home.again().await;
    let work = home.work(settings());
    let mut seen: Vec<Value> = Vec::new();
    for _ in events {
        seen.push(serde_json::from_str(&receiver.next().await.body).unwrap());
    }
    work.stop().await;
    let home = home.again().await;
    let work = home.work(settings());
    let last = home.record("c");
    seen.push(serde_json::from_str(&receiver.next().await.body).unwrap());
    let mut ids: Vec<u64> = seen.iter().map(|it| it["data"]["event"].as_u64().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, [events[0], events[1], last]);
    assert_eq!(home.deliveries(&webhook).await.len(), 3);
    work.stop().await;
}

#[tokio::test]
async fn a_restart_takes_up_what_was_to_be_tried_again() {
    let home = Home::new().await;
    let mut receiver = Receiver::start(|n| Reply::Status(if n == 0 { 500 } else { 200 }, "", "")).await;
    let (webhook, _) = home.webhook(&receiver.url()).await;
    let patient = Settings { schedule: vec![Duration::from_secs(2)], ..settings() };
    let work = home.work(patient.clone());
    home.record("demo");
    let first = receiver.next().await;
    home.settled(&webhook, has_failed).await;
    work.stop().await;
    let home = home.again().await;
    let work = home.work(patient);
    let second = receiver.next().await;
    assert_eq!(first.headers["webhook-id"], second.headers["webhook-id"]);
    assert_eq!(first.body, second.body);
    let delivery = home.settled(&webhook, is_over).await;
    assert_eq!((delivery.state, delivery.attempts), (State::Delivered, 2));
    work.stop().await;
}

#[tokio::test]
async fn somebody_slow_holds_up_nobody() {
    let home = Home::new().await;
    let slow = Receiver::start(|_| Reply::Nothing).await;
    let mut quick = Receiver::start(ok).await;
    for _ in 0..10 {
        home.webhook(&slow.url()).await;
    }
    home.webhook(&quick.url()).await;
    let work = home.work(Settings { concurrency: 50, per_webhook: 4, ..settings() });
    let start = std::time::Instant::now();
    (0..20).for_each(|_| _ = home.record("demo"));
    for _ in 0..20 {
        quick.next().await;
    }
    assert!(start.elapsed() < settings().timeout, "{:?}: slow calls were waited for", start.elapsed());
    assert!(slow.connections() <= 40, "{} calls at once", slow.connections());
    let start = std::time::Instant::now();
    work.stop().await;
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}: stopping waits for slow calls", start.elapsed());
}

#[tokio::test]
async fn a_test_call_goes_out_at_once_and_to_one_only() {
    let home = Home::new().await;
    let (mut one, other) = (Receiver::start(ok).await, Receiver::start(ok).await);
    let (webhook, secret) = home.webhook(&one.url()).await;
    home.webhook(&other.url()).await;
    let work = home.work(settings());
    let test = home.catalog.webhooks().test(&Caller::server(), &webhook.id).await.unwrap();
    let call = one.next().await;
    assert!(verify(&call, &secret));
    let body: Value = serde_json::from_str(&call.body).unwrap();
    assert_eq!(body["type"], Kind::WebhookTest.as_str());
    home.settled(&webhook, is_over).await;
    home.catalog.webhooks().redeliver(&Caller::server(), &webhook.id, &test.id).await.unwrap();
    let again = one.next().await;
    assert_eq!(again.headers["webhook-id"], test.id.as_str());
    assert_eq!(other.connections(), 0);
    work.stop().await;
}
