//! Clips: asked for by time, answered as what was cut.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use catalog::{Caller, EntryId, NewEntry, Role};
use common::House;
use control_api::{ClipSource, Clipper, Cut, Cutting, Settings, Uncut};
use packager::window::{Asked, At};
use serde_json::{Value, json};

/// A recording of ten segments of two seconds, numbers 100 to 109.
#[derive(Default)]
struct Fake(AtomicUsize);

const END: i64 = 20_000_000;

impl Clipper for Fake {
    fn cut<'a>(&'a self, source: ClipSource<'a>, asked: Vec<Asked>) -> Cutting<'a> {
        self.0.fetch_add(1, Ordering::Relaxed);
        let cuts = (0..).zip(asked).map(|(at, asked)| cut(asked, source.grows).map_err(|why| (at, why)));
        Box::pin(std::future::ready(cuts.collect()))
    }
}

fn cut(asked: Asked, grows: bool) -> Result<Cut, Uncut> {
    let micros = |at| match at {
        At::Since(micros) => micros,
        At::Back(micros) => END - micros,
        At::Wall(_) => 0,
    };
    let (start, end) = (asked.start.map_or(0, micros), asked.end.map_or(END, micros));
    match (start, end) {
        (start, _) if start >= END => Err(if grows { Uncut::NotYet } else { Uncut::Outside }),
        (start, end) if end <= start => Err(Uncut::Empty),
        _ => {
            let (first, last) = (start / 2_000_000, (end.min(END) - 1) / 2_000_000);
            let number = |at: i64| 100 + at as u64;
            let (start, end) = (first * 2_000_000, (last + 1) * 2_000_000);
            Ok(Cut { first: number(first), last: number(last), start, end })
        }
    }
}

struct Show {
    house: House,
    token: String,
    entry: EntryId,
    path: String,
    clipper: Arc<Fake>,
}

async fn show() -> Show {
    let clipper = Arc::new(Fake::default());
    let house = House::clipping(Settings::default(), clipper.clone()).await;
    let token = house.token(Role::Producer).await;
    let created = house.catalog.entries().create(&Caller::server(), NewEntry::live("show")).await;
    let entry = created.expect("an entry").0.id;
    let path = format!("/api/v1/entries/{entry}/clips");
    Show { house, token, entry, path, clipper }
}

impl Show {
    async fn record(&self) -> String {
        let recordings = self.house.catalog.recordings();
        recordings.begin(&Caller::server(), &self.entry, 7).await.expect("a recording").id.to_string()
    }

    async fn cut(&self, body: &Value) -> common::Answer {
        self.house.post(&self.token, &self.path, body).await
    }
}

#[tokio::test]
async fn a_clip_is_an_entry_and_says_what_was_cut() {
    let show = show().await;
    let recording = show.record().await;
    let created = show.cut(&json!({"start": 3.5, "end": 7, "name": "goal"})).await;
    assert_eq!(created.status, 201, "{}", created.text);
    let view = &created.body;
    assert_eq!((&view["kind"], &view["name"]), (&json!("vod"), &json!("goal")));
    assert_eq!(created.header("location"), format!("/api/v1/entries/{}", created.id()));
    let range = json!({"recording": recording, "start": 2.0, "end": 8.0});
    let expected = json!({"source": show.entry.as_str(), "duration": 6.0, "ranges": [range]});
    assert_eq!(view["clip"], expected, "cut at segments, and said so");
    let hls = view["playback"]["hls"].as_str().expect("a URL");
    assert!(hls.ends_with(&format!("/play/{}/master.m3u8", created.id())), "{hls}");
    let found = show.house.get(&show.token, created.header("location")).await;
    assert_eq!((found.status, &found.body["id"]), (200, &view["id"]));
    let kept = show.house.catalog.keys().clip(created.id()).expect("known to playback");
    assert_eq!((kept.ranges[0].first, kept.ranges[0].last), (101, 103));
}

#[tokio::test]
async fn without_a_word_it_is_the_whole_recording() {
    let show = show().await;
    show.record().await;
    let created = show.cut(&json!({})).await;
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!((&created.body["name"], &created.body["clip"]["duration"]), (&json!("show"), &json!(20.0)));
}

#[tokio::test]
async fn several_ranges_follow_each_other_and_a_negative_one_counts_back() {
    let show = show().await;
    let (old, _) = (show.record().await, show.record().await);
    let body = json!({"recording": old, "ranges": [
        {"start": 0, "end": 3}, {"start": 3, "end": 5}, {"start": -4, "end": "-0"},
    ]});
    let created = show.cut(&body).await;
    assert_eq!(created.status, 201, "{}", created.text);
    let ranges = created.body["clip"]["ranges"].as_array().expect("ranges");
    let times: Vec<_> = ranges.iter().map(|it| (it["start"].as_f64(), it["end"].as_f64())).collect();
    let expected = [(0.0, 4.0), (4.0, 6.0), (16.0, 20.0)];
    assert_eq!(times, expected.map(|(start, end)| (Some(start), Some(end))), "no segment is shown twice");
    assert!(ranges.iter().all(|it| it["recording"] == json!(old)));
    assert_eq!(show.clipper.0.load(Ordering::Relaxed), 1, "a recording is looked at once");
}

#[tokio::test]
async fn what_was_sent_twice_is_done_once() {
    let show = show().await;
    show.record().await;
    let body = json!({"start": 0, "end": 4});
    let send = || {
        show.house.send(&show.token, http::Method::POST, &show.path, &[("idempotency-key", "k")], Some(&body))
    };
    let (one, two) = (send().await, send().await);
    assert_eq!((one.status, two.status), (201, 201));
    assert_eq!((one.id(), &one.body), (two.id(), &two.body));
}

#[tokio::test]
async fn nonsense_is_refused_by_its_field() {
    let show = show().await;
    show.record().await;
    for (body, field) in [
        (json!({"start": 5, "end": 5}), "end"),
        (json!({"start": "tomorrow"}), "start"),
        (json!({"start": 1e12}), "start"),
        (json!({"end": "2026-13-01T00:00:00Z"}), "end"),
        (json!({"name": " "}), "name"),
        (json!({"ranges": []}), "ranges"),
        (json!({"start": 1, "ranges": [{"start": 1}]}), "ranges"),
        (json!({"ranges": [{"start": 1, "end": 2}, {"start": 7, "end": 6}]}), "ranges[1].end"),
        (json!({"ranges": [{"start": 8, "end": 9}, {"start": 1, "end": 2}]}), "ranges[1].start"),
        (json!({"ranges": [{"start": 8, "end": 9, "recording": "rec_zzzzzzzz"}]}), "ranges[0].recording"),
        (json!({"recording": "newest"}), "recording"),
        (json!({"recording": "rec_zzzzzzzz"}), "recording"),
    ] {
        let refused = show.cut(&body).await;
        assert_eq!((refused.status, refused.fields()), (422, vec![field]), "{body}: {}", refused.text);
    }
    let wrong = show.cut(&json!({"from": 5})).await;
    assert_eq!(wrong.status, 422, "an unknown field: {}", wrong.text);
    assert_eq!(show.cut(&json!({"start": 60})).await.problem(), (409, "conflict"), "still to come");
}

#[tokio::test]
async fn there_has_to_be_a_recording_and_a_right_to_it() {
    let show = show().await;
    assert_eq!(show.cut(&json!({})).await.problem(), (409, "conflict"));
    show.record().await;
    let viewer = show.house.token(Role::Viewer).await;
    assert_eq!(show.house.post(&viewer, &show.path, &json!({})).await.problem(), (403, "forbidden"));
    let scope = show.house.account("other").await;
    let foreign = show.house.token_in(Role::Producer, scope).await;
    assert_eq!(show.house.post(&foreign, &show.path, &json!({})).await.problem(), (404, "not-found"));
}
