//! What happens is told in order: to who follows, to who comes back, and by signed calls.

pub mod follower;
pub mod receiver;

use serde_json::json;

use crate::show::Show;
use crate::support::push::run;
use crate::support::{Api, Server, within};
use follower::{Event, Follower};
use receiver::{Call, Receiver};

/// Everything up to the end of a show, told as it happens.
fn until_the_end(follower: &Follower) -> Vec<Event> {
    let mut events = Vec::new();
    while events.last().is_none_or(|event: &Event| event.kind != "stream.ended") {
        events.push(follower.next());
    }
    events
}

/// That these kinds are among the events, in this order.
fn assert_in_order(events: &[Event], kinds: &[&str]) {
    let mut rest = events.iter().map(|event| event.kind.as_str());
    for kind in kinds {
        assert!(rest.any(|told| told == *kind), "no {kind} in its place: {events:#?}");
    }
}

#[test]
fn a_show_is_told_in_order_and_who_comes_back_is_told_what_he_missed() {
    let server = Server::start("", &[]);
    let follower = Follower::new(&Api::admin(&server), None);
    let show = Show::new(&server, json!({}));
    let push = show.on_air();
    show.act("end").done();
    let events = until_the_end(&follower);
    drop(push);
    assert_in_order(&events, &["entry.created", "publish.started", "stream.live", "stream.ended"]);
    assert!(events.is_sorted_by(|a, b| a.id < b.id), "{events:#?}");
    for event in &events {
        assert_eq!(
            (&event.data["type"], &event.data["data"]["entry"]),
            (&json!(event.kind), &json!(show.id))
        );
    }
    let key = show.created["keys"]["primary"].as_str().expect("a key");
    assert!(!format!("{events:?}").contains(key), "a key is a secret");

    for missed in 0..events.len() - 1 {
        let again = until_the_end(&Follower::new(&show.api, Some(events[missed].id)));
        assert_eq!(again, events[missed + 1..], "no more and no less");
    }
    let server = server.stop().start();
    assert_eq!(until_the_end(&Follower::new(&Api::admin(&server), Some(0))), events, "a restart loses none");
}

#[test]
fn a_preview_that_goes_live_has_not_ended_and_a_show_that_goes_back_has() {
    let server = Server::start("", &[]);
    let follower = Follower::new(&Api::admin(&server), None);
    let show = Show::new(&server, json!({"air": "preview"}));
    let _push = show.publish();
    let next = |wanted: &str| {
        let is_of_the_stream =
            |event: &Event| event.kind.starts_with("stream.") && event.kind != "stream.health";
        let told = within(30, wanted, || Some(follower.next()).filter(is_of_the_stream));
        assert_eq!(told.kind, wanted);
    };
    next("stream.preview");
    show.act("go-live").done();
    next("stream.live");
    show.act("preview").done();
    next("stream.ended");
    next("stream.preview");
}

#[test]
fn a_refused_encoder_is_told_of_without_its_key() {
    let server = Server::start("", &[]);
    let follower = Follower::new(&Api::admin(&server), None);
    let show = Show::new(&server, json!({"settings": {"ends_at": "2026-01-01T00:00:00Z"}}));
    assert!(!show.publish().outcome().0);
    let refused = within(20, "publish.refused", || {
        Some(follower.next()).filter(|event| event.kind == "publish.refused")
    });
    assert_eq!(refused.data["data"]["entry"], show.id.as_str());
    assert_eq!(refused.data["data"]["reason"], "not-now");
    let key = show.created["keys"]["primary"].as_str().expect("a key");
    assert!(!refused.data.to_string().contains(key));
}

#[test]
fn an_account_is_told_of_its_own_alone() {
    let server = Server::start("", &[]);
    let admin = Api::admin(&server);
    let account = admin.post("/accounts", &json!({"name": "tenant"})).done()["id"].clone();
    let token = admin.post("/tokens", &json!({"role": "viewer", "name": "t", "account": account})).done();
    let follower = Follower::new(&Api::by(&server, token["secret"].as_str().expect("a secret")), None);
    Show::new(&server, json!({}));
    let own = Show::new(&server, json!({"account": account}));
    let first = follower.next();
    assert_eq!((first.kind.as_str(), &first.data["data"]["entry"]), ("entry.created", &json!(own.id)));
}

#[test]
fn a_webhook_is_called_signed_and_again_when_it_failed() {
    let receiver = Receiver::new(&[500]);
    let server = Server::start("webhooks.allow_private = true\n", &[]);
    let api = Api::admin(&server);
    let wanted = json!({"url": receiver.url(), "kinds": ["stream.live", "stream.ended"]});
    let webhook = api.post("/webhooks", &wanted).done();
    let secret = webhook["secret"].as_str().expect("a secret");
    let path = format!("/webhooks/{}", webhook["id"].as_str().expect("an id"));
    let delivery = api.send("POST", &format!("{path}/test"), &[], None).done();
    let (first, second) = (receiver.next(), receiver.next());
    assert_eq!(first.header("webhook-id"), second.header("webhook-id"), "the same call again");
    assert_eq!(first.body, second.body);
    assert_eq!(first.json()["type"], "webhook.test");

    let show = Show::new(&server, json!({}));
    let _push = show.on_air();
    show.act("end").done();
    let told = [receiver.next(), receiver.next()];
    let mut kinds = told.each_ref().map(|call| call.json()["type"].clone());
    kinds.sort_by_key(|kind| kind != "stream.live");
    assert_eq!(kinds, ["stream.live", "stream.ended"]);
    for call in told.iter().chain([&first, &second]) {
        assert_signed(call, secret);
    }
    assert!(told.iter().all(|call| call.json()["data"]["entry"] == show.id.as_str()));

    let path = format!("{path}/deliveries/{}", delivery["id"].as_str().expect("an id"));
    let delivered = within(10, "it is known as delivered", || {
        Some(api.get(&path).done()).filter(|delivery| delivery["state"] == "delivered")
    });
    assert_eq!((&delivered["attempts"], &delivered["status"]), (&json!(2), &json!(204)));
}

/// Standard Webhooks, by an implementation that is none of ours.
fn assert_signed(call: &Call, secret: &str) {
    const SIGN: &str = "import sys, hmac, hashlib, base64
key = base64.b64decode(sys.argv[1].removeprefix('whsec_'))
print('v1,' + base64.b64encode(hmac.digest(key, sys.argv[2].encode(), hashlib.sha256)).decode(), end='')";
    let signed = format!("{}.{}.{}", call.header("webhook-id"), call.header("webhook-timestamp"), call.body);
    let expected = String::from_utf8(run("python3", &["-c", SIGN, secret, &signed])).expect("text");
    assert_eq!(call.header("webhook-signature"), expected);
    let sent: i64 = call.header("webhook-timestamp").parse().expect("seconds");
    let age = time::OffsetDateTime::now_utc().unix_timestamp() - sent;
    assert!((-2..120).contains(&age), "sent {age} s ago");
}
