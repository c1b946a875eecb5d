//! Events as they happen, over HTTP: told once, gone on with, and only to whom they belong.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use axum::body::Body;
use catalog::events::Kind;
use catalog::{Caller, NewEvent, Paging, Role, Scope};
use common::House;
use control_api::Settings;
use http::Request;
use http_body_util::BodyExt;
use media::WallTime;
use serde_json::{Map, Value, json};
use tower::ServiceExt;

/// How long a test waits for something that is going to happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// Somebody who follows the events.
struct Reader {
    body: Body,
    text: String,
}

#[derive(Debug, PartialEq)]
struct Told {
    id: Option<u64>,
    event: String,
    data: Value,
}

impl Reader {
    async fn begin(house: &House, token: &str, path: &str, last: Option<&str>) -> Result<Reader, u16> {
        let mut request = Request::get(path).header("authorization", format!("Bearer {token}"));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = house.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        if response.status() != 200 {
            return Err(response.status().as_u16());
        }
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut reader = Reader { body: response.into_body(), text: String::new() };
        assert_eq!(reader.block().await.as_deref(), Some("retry: 1000"));
        Ok(reader)
    }

    /// The next block of lines; `None` at the end.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let block = block.to_owned();
                self.text = rest.to_owned();
                return Some(block);
            }
            let frame =
                tokio::time::timeout(PATIENCE, self.body.frame()).await.expect("something in time")?;
            self.text.push_str(std::str::from_utf8(&frame.unwrap().into_data().unwrap()).unwrap());
        }
    }

    async fn next(&mut self) -> Told {
        loop {
            let block = self.block().await.expect("it goes on");
            let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
            if let Some(data) = field("data: ") {
                let id = field("id: ").map(|id| id.parse().unwrap());
                let event = field("event: ").unwrap().to_owned();
                return Told { id, event, data: serde_json::from_str(data).unwrap() };
            }
            assert!(block.starts_with(':'), "{block}");
        }
    }

    async fn ends(&mut self) {
        while let Some(block) = self.block().await {
            assert!(block.starts_with(':'), "{block}");
        }
    }
}

fn record(house: &House, scope: &Scope, entry: &str, kind: Kind) -> u64 {
    let account = match scope {
        Scope::Account(account) => Some(account.clone()),
        Scope::All => None,
    };
    let data = Map::from_iter([("text".to_owned(), json!("two\nlines\r\n\n: x"))]);
    let (entry, at) = (Some(entry.to_owned()), WallTime::from_millis(1_700_000_000_000));
    house.catalog.events().record(NewEvent { account, entry, kind, at, data })
}

#[tokio::test]
async fn an_event_is_told_as_webhooks_tell_it() {
    let house = House::new().await;
    let token = house.token(Role::Viewer).await;
    let mut reader = Reader::begin(&house, &token, "/api/v1/events", None).await.unwrap();
    let id = record(&house, &Scope::All, "demo", Kind::StreamLive);
    let data = json!({
        "type": "stream.live",
        "timestamp": "2023-11-14T22:13:20.000Z",
        "data": {"event": id, "account": null, "entry": "demo", "text": "two\nlines\r\n\n: x"},
    });
    assert_eq!(reader.next().await, Told { id: Some(id), event: "stream.live".into(), data });
}

#[tokio::test]
async fn a_change_over_the_api_is_an_event() {
    let house = House::new().await;
    let token = house.token(Role::Producer).await;
    let mut reader = Reader::begin(&house, &token, "/api/v1/events", None).await.unwrap();
    let made = house.post(&token, "/api/v1/live", &json!({"name": "show"})).await;
    let told = reader.next().await;
    assert_eq!((told.event.as_str(), &told.data["data"]["entry"]), ("entry.created", &made.body["id"]));
}

#[tokio::test]
async fn a_reader_goes_on_where_it_left_off() {
    let house = House::new().await;
    let token = house.token(Role::Viewer).await;
    let ids: Vec<u64> = (0..4).map(|_| record(&house, &Scope::All, "demo", Kind::StreamLive)).collect();
    let last = ids[1].to_string();
    let query = format!("/api/v1/events?last_event_id={last}");
    let header_wins = ("/api/v1/events?last_event_id=0", Some(last.as_str()));
    for (path, last) in [("/api/v1/events", Some(last.as_str())), (query.as_str(), None), header_wins] {
        let mut reader = Reader::begin(&house, &token, path, last).await.unwrap();
        assert_eq!([reader.next().await.id, reader.next().await.id], [Some(ids[2]), Some(ids[3])], "{path}");
    }
    let mut reader = Reader::begin(&house, &token, &query, None).await.unwrap();
    let live = record(&house, &Scope::All, "demo", Kind::StreamEnded);
    let told = [reader.next().await.id, reader.next().await.id, reader.next().await.id];
    assert_eq!(told, [Some(ids[2]), Some(ids[3]), Some(live)], "what was missed and then what happens");
}

#[tokio::test]
async fn who_asks_for_what_is_not_kept_is_told_to_begin_anew() {
    let house = House::new().await;
    let token = house.token(Role::Viewer).await;
    record(&house, &Scope::All, "demo", Kind::StreamLive);
    for last in ["17", "18446744073709551615", "99999999999999999999", "nonsense", "-1"] {
        let mut reader = Reader::begin(&house, &token, "/api/v1/events", Some(last)).await.unwrap();
        let told = reader.next().await;
        assert_eq!((told.id, told.event.as_str()), (None, "reset"), "{last}");
        let later = record(&house, &Scope::All, "later", Kind::StreamEnded);
        let mut told = reader.next().await;
        while told.id != Some(later) {
            told = reader.next().await;
        }
    }
    let refused = Reader::begin(&house, &token, "/api/v1/events?last_event_id=x", None).await;
    assert_eq!(refused.err(), Some(422));
}

#[tokio::test]
async fn filters_leave_the_rest_out() {
    let house = House::new().await;
    let token = house.token(Role::Viewer).await;
    let path = "/api/v1/events?entry=a&kind=stream.ended";
    let mut reader = Reader::begin(&house, &token, path, None).await.unwrap();
    record(&house, &Scope::All, "a", Kind::StreamLive);
    record(&house, &Scope::All, "b", Kind::StreamEnded);
    let wanted = record(&house, &Scope::All, "a", Kind::StreamEnded);
    assert_eq!(reader.next().await.id, Some(wanted));
    for path in ["/api/v1/events?kind=stream.nonsense", "/api/v1/events?knd=stream.ended"] {
        assert_eq!(Reader::begin(&house, &token, path, None).await.err(), Some(422), "{path}");
    }
}

#[tokio::test]
async fn an_account_is_told_of_its_own_only() {
    let house = House::new().await;
    let (mine, theirs) = (house.account("mine").await, house.account("theirs").await);
    let token = house.token_in(Role::Viewer, mine.clone()).await;
    let mut reader = Reader::begin(&house, &token, "/api/v1/events?last_event_id=0", None).await.unwrap();
    record(&house, &theirs, "secret", Kind::StreamLive);
    record(&house, &Scope::All, "of-the-server", Kind::StreamLive);
    let own = record(&house, &mine, "own", Kind::StreamLive);
    assert_eq!(reader.next().await.id, Some(own));
}

#[tokio::test]
async fn the_stream_ends_with_its_token() {
    let house = House::new().await;
    let (keeper, token) = (house.token(Role::Viewer).await, house.token(Role::Viewer).await);
    let mut kept = Reader::begin(&house, &keeper, "/api/v1/events", None).await.unwrap();
    let mut reader = Reader::begin(&house, &token, "/api/v1/events", None).await.unwrap();
    let tokens = house.catalog.tokens().list(&Scope::All, &Paging::default()).await.unwrap().items;
    let secret = catalog::Secret::new(&token);
    let id = house.catalog.tokens().authenticate(&secret).await.unwrap().id;
    assert_eq!(tokens.len(), 2);
    house.catalog.tokens().revoke(&Caller::server(), &id).await.unwrap();
    reader.ends().await;
    let later = record(&house, &Scope::All, "later", Kind::StreamLive);
    assert_eq!(kept.next().await.id, Some(later), "others go on");
}

#[tokio::test]
async fn the_stream_ends_with_the_server_and_for_who_is_too_slow() {
    let house = House::new().await;
    let token = house.token(Role::Viewer).await;
    let mut slow = Reader::begin(&house, &token, "/api/v1/events", None).await.unwrap();
    for _ in 0..=catalog::events::BACKLOG {
        record(&house, &Scope::All, "many", Kind::StreamLive);
    }
    slow.ends().await;
    let mut reader = Reader::begin(&house, &token, "/api/v1/events", None).await.unwrap();
    house.catalog.events().end();
    reader.ends().await;
}

#[tokio::test]
async fn a_token_follows_only_so_many_times() {
    let house = House::new().await;
    let token = house.token(Role::Viewer).await;
    let mut readers = Vec::new();
    loop {
        match Reader::begin(&house, &token, "/api/v1/events", None).await {
            Ok(reader) => readers.push(reader),
            Err(status) => break assert_eq!(status, 429),
        }
    }
    assert_eq!(readers.len(), 8);
    let other = house.token(Role::Viewer).await;
    assert!(Reader::begin(&house, &other, "/api/v1/events", None).await.is_ok());
    readers.pop();
    assert!(Reader::begin(&house, &token, "/api/v1/events", None).await.is_ok());
}

#[tokio::test]
async fn silence_is_broken_now_and_then() {
    assert_eq!(Settings::default().heartbeat, Duration::from_secs(15));
    let house = House::with(Settings { heartbeat: Duration::from_millis(20), ..Settings::default() }).await;
    let token = house.token(Role::Viewer).await;
    let mut reader = Reader::begin(&house, &token, "/api/v1/events", None).await.unwrap();
    for _ in 0..2 {
        assert_eq!(reader.block().await.as_deref(), Some(": still here"));
    }
}
