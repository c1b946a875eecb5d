//! Images of pictures: which one is ordered, what is answered, and for how long that may be kept.

mod common;

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use common::client::{ask, get};
use common::shelf::{START, Shelf};
use common::{Running, run};
use media::codec::Avc;
use media::{Codec, Sample, Sync, Timescale, Track, TrackId, WallTime};
use origin::{Order, Server, Settings, Shape, Stills, Unmade};
use packager::{Now, Numbers, Packager};
use stream::{Air, NoStorage, View};

const RECORD: &[u8] = include_bytes!("../../packager/tests/common/avcc-720p.bin");
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// `seconds` of 25 pictures each with a keyframe, in segments of two seconds, from `begin` ms after the start.
fn session(begin: i64, seconds: i64, ended: bool, air: Air) -> Arc<View> {
    let now = |millis: i64| Now {
        instant: Instant::now() + Duration::from_millis(millis as u64),
        wall: WallTime::from_micros(START.micros() + (begin + millis) * 1000),
    };
    let settings = packager::Settings { dvr_memory: 100 << 20, ..Default::default() };
    let mut packager = Packager::new(Arc::new(settings), Numbers::unknown(now(0).wall), false);
    let avc = Avc::parse(Bytes::from_static(RECORD)).expect("valid");
    packager.announce(true, false);
    packager.track(TrackId::VIDEO, Track::new(Codec::Avc(avc), Timescale::MILLIS));
    for frame in 0..seconds * 25 {
        let sync = if frame % 25 == 0 { Sync::Yes } else { Sync::No };
        let data = (frame as u32).to_be_bytes().to_vec().into();
        let sample = Sample { dts: frame * 40, composition_offset: 0, duration: 0, sync, data };
        packager.push(TrackId::VIDEO, sample, now(frame * 40));
        packager.take_log();
    }
    if ended {
        packager.end(now(seconds * 1000).wall);
    }
    let presentation = packager.presentation().expect("something to play").clone();
    Arc::new(View::new(Arc::new(presentation), air, None))
}

/// Answers with what was ordered, or with what it is told.
#[derive(Default)]
struct Stub {
    orders: Mutex<Vec<Order>>,
    unmade: Mutex<Option<Unmade>>,
}

impl Stub {
    fn last(&self) -> Order {
        self.orders.lock().expect("no test panics here").last().cloned().expect("an order")
    }

    /// The place of the ordered pictures among all of their session.
    fn frames(&self) -> Vec<Option<u32>> {
        let number = |sample: &[Bytes]| u32::from_be_bytes(sample[0][..].try_into().expect("four bytes"));
        self.last().pictures.iter().map(|still| Some(number(&still.as_ref()?.sample))).collect()
    }
}

impl Stills for Stub {
    fn make(&self, order: Order) -> Pin<Box<dyn Future<Output = Result<Bytes, Unmade>> + Send + '_>> {
        let unmade = *self.unmade.lock().expect("no test panics here");
        let image = Bytes::from(format!("image of {}", order.name));
        self.orders.lock().expect("no test panics here").push(order);
        Box::pin(async move { unmade.map_or(Ok(image), Err) })
    }
}

async fn serve(sessions: Vec<Arc<View>>) -> (Running, Arc<Stub>) {
    let (shelf, stub) = (Arc::new(Shelf::default()), Arc::new(Stub::default()));
    shelf.put("demo", sessions);
    (run(Server::new(Settings::default(), shelf, Arc::new(NoStorage)).stills(stub.clone())).await, stub)
}

async fn live() -> (Running, Arc<Stub>) {
    serve(vec![session(0, 21, false, Air::Live)]).await
}

/// RFC 3339, so many milliseconds after the start.
fn wall(millis: i64) -> String {
    WallTime::from_micros(START.micros() + millis * 1000).to_string()
}

#[tokio::test]
async fn without_a_time_it_is_the_newest_segment_for_as_long_as_one_lasts() {
    let (server, stub) = live().await;
    let reply = get(server.address, "/play/demo/thumb.jpg").await;
    assert_eq!((reply.status, reply.header("content-type")), (200, "image/jpeg"));
    assert_eq!(reply.header("cache-control"), "public, max-age=2");
    assert_eq!(reply.header("access-control-allow-origin"), "*");
    assert_eq!((stub.frames(), stub.last().shape), (vec![Some(450)], Shape::Single { width: 640 }));
    let conditions = [("If-None-Match", reply.header("etag"))];
    let again = ask(server.address, "GET", "/play/demo/thumb.jpg", &conditions).await;
    assert_eq!((again.status, again.body.len()), (304, 0));
}

#[tokio::test]
async fn a_time_of_the_clock_that_is_over_has_one_picture_for_ever() {
    let (server, stub) = live().await;
    for (at, frame, kept) in [
        (wall(3500), 75, IMMUTABLE),
        (wall(19_990), 475, IMMUTABLE),
        ("3.5".to_owned(), 75, "public, max-age=2"),
        ("-1".to_owned(), 475, "public, max-age=2"),
    ] {
        let reply = get(server.address, &format!("/play/demo/thumb.jpg?at={at}")).await;
        assert_eq!((reply.status, reply.header("cache-control")), (200, kept), "{at}");
        assert_eq!(stub.frames(), [Some(frame)], "{at}");
    }
}

#[tokio::test]
async fn after_the_end_the_newest_picture_is_kept_for_a_moment_only() {
    let (server, stub) = serve(vec![session(0, 21, true, Air::Live)]).await;
    let reply = get(server.address, "/play/demo/thumb.jpg").await;
    assert_eq!(reply.header("cache-control"), "public, max-age=2", "the entry may go live again");
    assert_eq!(stub.frames(), [Some(500)]);
}

#[tokio::test]
async fn a_time_of_the_clock_is_found_in_the_session_that_had_it() {
    let sessions = vec![session(60_000, 21, false, Air::Live), session(0, 21, true, Air::Live)];
    let (server, stub) = serve(sessions).await;
    let reply = get(server.address, &format!("/play/demo/thumb.jpg?at={}", wall(5000))).await;
    assert_eq!((reply.status, reply.header("cache-control")), (200, IMMUTABLE));
    assert_eq!(stub.frames(), [Some(125)]);
    let between = get(server.address, &format!("/play/demo/thumb.jpg?at={}", wall(40_000))).await;
    assert_eq!(between.status, 410);
}

#[tokio::test]
async fn no_image_is_larger_than_the_picture_and_equal_ones_have_one_name() {
    let (server, stub) = live().await;
    let mut names = Vec::new();
    for (width, ordered) in [(16, 16), (1280, 1280), (1920, 1280)] {
        get(server.address, &format!("/play/demo/thumb.jpg?at=2&width={width}")).await;
        assert_eq!(stub.last().shape, Shape::Single { width: ordered });
        names.push(stub.last().name);
    }
    assert_eq!(names[1], names[2]);
    get(server.address, "/play/demo/thumb.jpg?at=2.9&width=16").await;
    assert_eq!(names[0], stub.last().name, "the same picture");
    assert_ne!(names[0], names[1]);
}

#[tokio::test]
async fn what_cannot_be_answered_is_told_in_words() {
    let (server, stub) = live().await;
    for (query, status, words) in [
        ("at=now".to_owned(), 400, "the value of at is not one time"),
        ("at=1&at=2".to_owned(), 400, "the value of at is not one time"),
        ("width=641".to_owned(), 400, "the value of width is not one even number from 16 to 1920"),
        (format!("at={}", wall(60_000)), 404, "this is not there yet"),
        (format!("at={}", wall(-60_000)), 410, "this was there"),
    ] {
        let reply = get(server.address, &format!("/play/demo/thumb.jpg?{query}")).await;
        assert_eq!(reply.status, status, "{query}");
        assert!(reply.problem().starts_with(words), "{query}: {}", reply.problem());
    }
    assert!(stub.orders.lock().expect("no panic").is_empty(), "nothing of it was ordered");
}

#[tokio::test]
async fn who_makes_no_image_says_why() {
    let (server, stub) = live().await;
    for (unmade, status, retry) in
        [(Unmade::Undecodable, 404, ""), (Unmade::Busy, 503, "1"), (Unmade::Unavailable, 503, "30")]
    {
        *stub.unmade.lock().expect("no panic") = Some(unmade);
        let reply = get(server.address, "/play/demo/thumb.jpg").await;
        assert_eq!((reply.status, reply.header("retry-after")), (status, retry), "{unmade:?}");
        assert!(!reply.problem().is_empty());
        assert_ne!(reply.header("cache-control"), IMMUTABLE);
    }
    let shelf = Arc::new(Shelf::default());
    shelf.put("demo", vec![session(0, 5, false, Air::Live)]);
    let server = run(Server::new(Settings::default(), shelf, Arc::new(NoStorage))).await;
    let reply = get(server.address, "/play/demo/thumb.jpg").await;
    assert_eq!((reply.status, reply.header("cache-control")), (503, "no-store"));
}

#[tokio::test]
async fn nobody_sees_a_picture_of_what_he_may_not_watch() {
    let (server, stub) = serve(vec![session(0, 21, false, Air::Preview)]).await;
    for name in ["thumb.jpg", "storyboard.vtt", &format!("storyboard/{}-1-5.jpg", START.unix_seconds())] {
        let reply = get(server.address, &format!("/play/demo/{name}")).await;
        assert_eq!(reply.status, 404, "{name}");
    }
    assert!(stub.orders.lock().expect("no panic").is_empty());
}

#[tokio::test]
async fn every_sheet_that_a_storyboard_names_is_there_and_lasts_for_ever() {
    let (server, stub) = serve(vec![session(0, 21, true, Air::Live)]).await;
    let reply = get(server.address, "/play/demo/storyboard.vtt").await;
    assert_eq!((reply.status, reply.header("content-type")), (200, "text/vtt; charset=utf-8"));
    let text = String::from_utf8(reply.body).expect("WebVTT §4.1: UTF-8");
    let mut names: Vec<_> = text.lines().filter_map(|line| Some(line.split_once('#')?.0)).collect();
    assert_eq!(names.len(), 11, "a tile for each segment\n{text}");
    names.dedup();
    let mut frames = Vec::new();
    for name in names {
        let reply = get(server.address, &format!("/play/demo/{name}")).await;
        assert_eq!((reply.status, reply.header("cache-control")), (200, IMMUTABLE), "{name}");
        assert_eq!(stub.last().shape, Shape::Tiles { columns: 5, width: 160, height: 90 });
        frames.extend(stub.frames());
    }
    assert_eq!(frames, (0..11).map(|at| Some(at * 50)).collect::<Vec<_>>());
    let first = START.unix_seconds() as u64;
    for (name, status) in [
        (format!("storyboard/{}-1-25.jpg", first), 410),
        (format!("storyboard/{}-1-5.jpg", first - 5), 410),
        (format!("storyboard/{}-1-26.jpg", first), 404),
    ] {
        assert_eq!(get(server.address, &format!("/play/demo/{name}")).await.status, status, "{name}");
    }
}
