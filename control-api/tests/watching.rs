//! Who may watch an entry: rules, and tokens for viewers.

mod common;

use std::time::{Instant, SystemTime};

use access::Signer;
use catalog::Role;
use common::House;
use serde_json::{Value, json};

fn open() -> Value {
    json!({
        "playback": "open", "referrers": [], "require_referrer": false,
        "addresses": {"allow": [], "deny": []}, "from": null, "until": null,
    })
}

#[tokio::test]
async fn rules_are_given_at_once_or_patched_later_and_shown() {
    let house = House::new().await;
    let token = house.token(Role::Producer).await;
    let plain = house.post(&token, "/api/v1/live", &json!({"name": "a"})).await;
    assert_eq!(plain.body["access"], open());
    let rules = json!({"playback": "signed", "addresses": {"deny": ["192.0.2.7"]}});
    let made = house.post(&token, "/api/v1/live", &json!({"name": "a", "access": rules})).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.body["access"]["addresses"], json!({"allow": [], "deny": ["192.0.2.7/32"]}));

    let path = format!("/api/v1/entries/{}", made.id());
    let patch = json!({"access": {
        "referrers": ["Example.org"], "addresses": {"allow": ["2001:db8::/32"]}, "until": "2027-01-01T01:00:00+01:00",
    }});
    let edited = house.patch(&token, &path, &patch).await;
    assert_eq!(edited.status, 200, "{}", edited.text);
    let expected = json!({
        "playback": "signed", "referrers": ["example.org"], "require_referrer": false,
        "addresses": {"allow": ["2001:db8::/32"], "deny": ["192.0.2.7/32"]},
        "from": null, "until": "2027-01-01T00:00:00.000Z",
    });
    assert_eq!(edited.body["access"], expected);
    assert_eq!(house.get(&token, &path).await.body["access"], expected);
    assert!(house.catalog.keys().rules(made.id()).is_some(), "the origin knows it");

    let cleared = house.patch(&token, &path, &json!({"access": {"addresses": null, "playback": null}})).await;
    assert_eq!(cleared.body["access"]["addresses"], open()["addresses"]);
    assert_eq!(cleared.body["access"]["referrers"], json!(["example.org"]));
    let cleared = house.patch(&token, &path, &json!({"access": null})).await;
    assert_eq!(cleared.body["access"], open());
    assert_eq!(house.catalog.keys().rules(made.id()), None);
}

#[tokio::test]
async fn rules_that_are_none_are_refused_by_their_place() {
    let house = House::new().await;
    let token = house.token(Role::Producer).await;
    for (rules, field) in [
        (json!({"referrers": ["https://a.org"]}), "access.referrers"),
        (json!({"addresses": {"allow": ["10.0.0.0/33"]}}), "access.addresses.allow"),
        (json!({"from": "tomorrow"}), "access.from"),
        (json!({"from": "2027-01-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"}), "access.until"),
        (json!({"playback": "secret"}), "access.playback"),
        (json!({"play": "open"}), "access.play"),
        (json!([]), "access"),
        (json!({"addresses": []}), "access.addresses"),
    ] {
        let refused = house.post(&token, "/api/v1/live", &json!({"name": "a", "access": rules})).await;
        assert_eq!(refused.problem(), (422, "invalid"), "{rules}: {}", refused.text);
        assert_eq!(refused.fields(), [field], "{rules}");
    }
}

#[tokio::test]
async fn a_playback_token_opens_its_entry_for_its_time() {
    let house = House::new().await;
    let token = house.token(Role::Producer).await;
    let entry = house.post(&token, "/api/v1/live", &json!({"name": "a"})).await;
    let path = format!("/api/v1/entries/{}/playback-token", entry.id());
    let request = json!({"expires_in": 60, "ip": "192.0.2.7", "preview": true});
    let made = house.post(&token, &path, &request).await;
    assert_eq!((made.status, made.header("cache-control")), (201, "no-store"), "{}", made.text);
    let text = made.body["token"].as_str().expect("a token");
    let url = format!("http://example.org:8080/t/{text}");
    let id = entry.id();
    assert_eq!(made.body["urls"]["hls"], format!("{url}/play/{id}/master.m3u8"));
    assert_eq!(made.body["urls"]["dash"], format!("{url}/play/{id}/manifest.mpd"));
    assert_eq!(made.body["urls"]["watch"], format!("{url}/watch/{id}"));
    assert_eq!(made.body["urls"]["embed"], format!("{url}/embed/{id}"));

    let signer = Signer::new(house.catalog.playback_secret().expose().as_bytes());
    let now = SystemTime::now().into();
    let ticket = signer.verify(text, now).expect("a good token");
    assert_eq!((ticket.entry.as_str(), ticket.preview), (id, true));
    assert_eq!(ticket.network, access::network("192.0.2.7"));
    assert_eq!(made.body["expires_at"], ticket.expires.to_string());
    let left = (ticket.expires - now).seconds();
    assert!((50.0..=60.0).contains(&left), "{left}");

    let usual = house.send(&token, http::Method::POST, &path, &[], None).await;
    let ticket = signer.verify(usual.body["token"].as_str().expect("a token"), now).expect("a good token");
    assert!(!ticket.preview && ticket.network.is_none());
    assert!((3500.0..=3601.0).contains(&(ticket.expires - now).seconds()));
}

#[tokio::test]
async fn who_may_not_run_an_entry_makes_no_token_for_it() {
    let house = House::new().await;
    let (viewer, producer) = (house.token(Role::Viewer).await, house.token(Role::Producer).await);
    let stranger = house.account("other").await;
    let stranger = house.token_in(Role::Producer, stranger).await;
    let entry = house.post(&producer, "/api/v1/live", &json!({"name": "a"})).await;
    let path = format!("/api/v1/entries/{}/playback-token", entry.id());
    assert_eq!(house.post(&viewer, &path, &json!({})).await.problem(), (403, "forbidden"));
    assert_eq!(house.post(&stranger, &path, &json!({})).await.problem(), (404, "not-found"));
    assert_eq!(house.post("", &path, &json!({})).await.status, 401);
    for (request, field) in [
        (json!({"expires_in": 9}), "expires_in"),
        (json!({"expires_in": 604_801}), "expires_in"),
        (json!({"ip": "example.org"}), "ip"),
        (json!({"entry": "x"}), "entry"),
    ] {
        let refused = house.post(&producer, &path, &request).await;
        assert_eq!(refused.fields(), [field], "{}", refused.text);
    }
}

#[tokio::test]
async fn the_status_says_how_many_watch() {
    let house = House::new().await;
    let token = house.token(Role::Producer).await;
    let entry = house.post(&token, "/api/v1/live", &json!({"name": "a"})).await;
    for viewer in [1, 2, 2] {
        house.audience.note(entry.id(), viewer, Instant::now());
    }
    let status = house.get(&token, &format!("/api/v1/live/{}/status", entry.id())).await;
    assert_eq!(status.body["viewers"], 2, "{}", status.text);
}
