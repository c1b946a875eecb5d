//! The day of the event: a publisher comes, is looked at, shown, cut, and ended.

mod common;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use catalog::Role;
use common::House;
use media::codec::Avc;
use media::{Codec, Sample, Sync, Timescale, Track, TrackId};
use serde_json::json;
use stream::metadata::Scheme;
use stream::{Air, Ended, Grant, Input, Leg, Pass, Peer, Protocol, Publication};

/// Whether a key still opens its entry.
#[derive(Debug)]
struct Key(catalog::Keys, String);

impl Pass for Key {
    fn check(&self) -> Option<Ended> {
        self.0.find(&self.1).is_none().then_some(Ended::KeyChanged)
    }
}

async fn publish(house: &House, entry: &str, key: &str, air: Air) -> Publication {
    let grant = Grant {
        entry: entry.into(),
        leg: Leg::Primary,
        rendition: None,
        settings: Arc::default(),
        air,
        pass: Arc::new(Key(house.catalog.keys().clone(), key.to_owned())),
    };
    let peer = Peer::new("[::ffff:192.0.2.7]:1000".parse().expect("an address"), Protocol::Rtmp);
    house.directory.publish(grant, peer).await.expect("free")
}

/// Five seconds of video with a keyframe each second, at once.
async fn send(publication: &Publication) {
    let record = Bytes::from_static(include_bytes!("../../packager/tests/common/avcc-720p.bin"));
    let codec = Codec::Avc(Avc::parse(record).expect("valid"));
    let send = async |input| publication.send(input).await.expect("on air");
    send(Input::Announce { video: true, audio: false }).await;
    send(Input::Track { id: TrackId::VIDEO, track: Track::new(codec, Timescale::MILLIS) }).await;
    for frame in 0..125 {
        let sync = if frame % 25 == 0 { Sync::Yes } else { Sync::No };
        let sample =
            Sample { dts: frame * 40, composition_offset: 0, duration: 0, sync, data: vec![1; 10].into() };
        send(Input::Sample { id: TrackId::VIDEO, sample }).await;
    }
}

#[tokio::test]
async fn an_entry_goes_from_preview_to_live_and_ends() {
    let house = House::new().await;
    let token = house.token(Role::Producer).await;
    let made = house.post(&token, "/api/v1/live", &json!({"name": "a", "air": "preview"})).await;
    let (id, path) = (made.id().to_owned(), made.header("location").to_owned());
    let act = async |action: &str| house.post(&token, &format!("{path}/{action}"), &json!({})).await;
    let status = async || house.get(&token, &format!("{path}/status")).await.body;
    assert_eq!(status().await["status"], "offline");
    for action in ["end", "disconnect"] {
        assert_eq!(act(action).await.problem(), (409, "conflict"), "{action}");
    }
    let key = made.body["keys"]["primary"].as_str().expect("a key");
    let publication = publish(&house, &id, key, Air::Preview).await;
    send(&publication).await;

    let preview = status().await;
    assert_eq!(preview["status"], "preview", "{preview}");
    let leg = &preview["legs"][0];
    assert_eq!(
        (&leg["leg"], &leg["protocol"], &leg["peer"]),
        (&json!("primary"), &json!("rtmp"), &json!("192.0.2.7:1000"))
    );
    assert!(leg["health"]["verdict"].is_string() && leg["health"]["findings"].is_array(), "{leg}");
    let seen = house.get(&token, &path).await;
    assert_eq!((seen.body["status"].as_str(), seen.header("etag")), (Some("preview"), "\"1-preview\""));

    let live = act("go-live").await;
    assert_eq!((live.status, &live.body["status"], &live.body["air"]), (200, &json!("live"), &json!("live")));
    let again = act("go-live").await;
    assert_eq!(
        (again.status, &again.body["version"]),
        (200, &live.body["version"]),
        "doing it twice changes nothing"
    );
    let listed = house.get(&token, "/api/v1/live?status=live").await;
    assert_eq!(listed.body["items"][0]["id"], id.as_str());

    let ended = act("end").await;
    assert_eq!((ended.status, &ended.body["status"]), (200, &json!("ended")), "{}", ended.text);
    assert!(publication.ended().await == Ended::Finished);
    assert_eq!(act("end").await.problem(), (409, "conflict"));
}

#[tokio::test]
async fn timed_metadata_is_shown_with_its_media_time() {
    let house = House::new().await;
    let token = house.token(Role::Producer).await;
    let made = house.post(&token, "/api/v1/live", &json!({"name": "a"})).await;
    let (id, path) = (made.id().to_owned(), made.header("location").to_owned());
    let key = made.body["keys"]["primary"].as_str().expect("a key");
    let publication = publish(&house, &id, key, Air::Live).await;
    send(&publication).await;
    for at in 0..20 {
        let data = Bytes::copy_from_slice(&[0xfc, at]);
        let input = Input::Metadata { scheme: Scheme::Scte35, pts: 6500, timescale: Timescale::MILLIS, data };
        publication.send(input).await.expect("on air");
    }
    let status = async || house.get(&token, &format!("{path}/status")).await.body;
    let taken = async {
        while status().await["counters"]["metadata"] != 20 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), taken).await.expect("the owner takes what it is sent");
    let status = status().await;
    let shown = status["metadata"].as_array().expect("an array");
    assert_eq!(shown.len(), 16, "the newest");
    let last = shown.last().expect("some");
    assert_eq!(
        (&last["number"], &last["scheme"], &last["data"]),
        (&json!(20), &json!("scte35"), &json!("/BM="))
    );
    assert_eq!((&last["time"], &last["period"]), (&json!(6.5), &status["session"]), "{last}");
    assert!(last["at"].is_string() && last["arrived"].is_string(), "{last}");
}

#[tokio::test]
async fn a_rotated_key_cuts_who_came_in_with_the_old_one() {
    let house = House::new().await;
    let token = house.token(Role::Producer).await;
    let made = house.post(&token, "/api/v1/live", &json!({"name": "a"})).await;
    let (id, path) = (made.id().to_owned(), made.header("location").to_owned());
    let key = made.body["keys"]["primary"].as_str().expect("a key").to_owned();
    let publication = publish(&house, &id, &key, Air::Live).await;
    send(&publication).await;
    let backup = house.post(&token, &format!("{path}/rotate-key"), &json!({"leg": "backup"})).await;
    assert_eq!((backup.status, backup.body["keys"]["primary"].as_str()), (200, Some(key.as_str())));
    assert_ne!(backup.body["keys"]["backup"], made.body["keys"]["backup"]);
    assert_eq!(
        publication.send(Input::Announce { video: true, audio: false }).await,
        Ok(()),
        "the other key"
    );

    let chosen = json!({"key": "chosen-by-hand"});
    let rotated = house.post(&token, &format!("{path}/rotate-key"), &chosen).await;
    assert_eq!((rotated.status, &rotated.body["keys"]["primary"]), (200, &json!("chosen-by-hand")));
    assert!(publication.ended().await == Ended::KeyChanged);
    assert!(house.catalog.keys().find(&key).is_none());
    let other = house.post(&token, "/api/v1/live", &json!({"name": "b"})).await;
    let taken = house.post(&token, &format!("{}/rotate-key", other.header("location")), &chosen).await;
    assert_eq!(taken.problem(), (409, "conflict"));
    let short = house.post(&token, &format!("{path}/rotate-key"), &json!({"key": "short"})).await;
    assert_eq!((short.problem(), short.fields()), ((422, "invalid"), vec!["key"]));
    let bare = house.send(&token, http::Method::POST, &format!("{path}/rotate-key"), &[], None).await;
    assert_eq!(bare.status, 200, "no body is as good as an empty one: {}", bare.text);
}

#[tokio::test]
async fn a_deleted_entry_takes_its_stream_with_it() {
    let house = House::new().await;
    let token = house.token(Role::Producer).await;
    let made = house.post(&token, "/api/v1/live", &json!({"name": "a"})).await;
    let key = made.body["keys"]["primary"].as_str().expect("a key");
    let publication = publish(&house, made.id(), key, Air::Live).await;
    send(&publication).await;
    assert_eq!(house.delete(&token, made.header("location")).await.status, 204);
    assert!(publication.ended().await == Ended::Deleted);
    assert!(house.directory.report(made.id()).is_none());
}
