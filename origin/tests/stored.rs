//! Media that left memory: the same answers as before, few readings, and words where storage fails.

mod common;

use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use bytes::Bytes;
use common::client;
use common::depot::{DOOR, Depot, Mood, published, view};
use common::shelf::Shelf;
use futures_util::future::join_all;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, ETAG, IF_NONE_MATCH, RANGE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, Method, Request, Response};
use origin::{Metrics, Order, Server, Settings, Stills, Unmade, router};
use packager::Presentation;
use packager::names::{Resource, Ts};
use prometheus_client::registry::Registry;
use stream::{Air, NoStorage, Storage, Unavailable, View};
use tokio::time::{Instant, sleep};
use tower::ServiceExt;

fn shelf(presentation: &Presentation) -> Arc<Shelf> {
    let shelf = Arc::new(Shelf::default());
    shelf.put("demo", vec![view(presentation)]);
    shelf
}

/// An origin that has the bytes, and one that has to ask the depot for them.
fn both(presentation: &Presentation) -> (Router, Router, Arc<Depot>) {
    let depot = Arc::new(Depot::new());
    let stored = depot.take(presentation);
    let settings = Settings::default();
    let memory = router(&settings, shelf(presentation), Arc::new(NoStorage));
    (memory, router(&settings, shelf(&stored), depot.clone()), depot)
}

/// An origin of what is in the depot alone.
fn stored(presentation: &Presentation, depot: Depot, settings: &Settings) -> (Router, Arc<Depot>) {
    let depot = Arc::new(depot);
    let stored = depot.take(presentation);
    (router(settings, shelf(&stored), depot.clone()), depot)
}

async fn ask(router: &Router, method: Method, name: &str, headers: &[(HeaderName, &str)]) -> Response<Body> {
    let mut request = Request::builder().method(method).uri(format!("/play/demo/{name}"));
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    let request = request.body(Body::empty()).expect("a request");
    router.clone().oneshot(request).await.expect("infallible")
}

async fn get(router: &Router, name: &str) -> Response<Body> {
    ask(router, Method::GET, name, &[]).await
}

/// Everything that a peer gets.
async fn whole(response: Response<Body>) -> (u16, HeaderMap, Vec<u8>) {
    let (head, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body");
    (head.status.as_u16(), head.headers, body.into())
}

fn header(response: &Response<Body>, name: HeaderName) -> &str {
    response.headers()[name].to_str().expect("ASCII")
}

/// The numbers of the segments of a rendition.
fn numbers(presentation: &Presentation, rendition: &str) -> Vec<u64> {
    let rendition = presentation.rendition(rendition).expect("a rendition");
    rendition.segments.keys().copied().collect()
}

fn segment(presentation: &Presentation, at: usize) -> String {
    format!("video-1/{}.m4s", numbers(presentation, "video-1")[at])
}

/// Every URL that players find in any manifest, and the manifests.
async fn names(presentation: &Presentation, router: &Router) -> Vec<String> {
    let mut names: Vec<String> =
        ["master.m3u8", "manifest.mpd", "Manifest", "ts/master.m3u8"].map(str::to_owned).into();
    for rendition in &presentation.renditions {
        let name = rendition.name.to_string();
        names.push(format!("{name}.m3u8"));
        names.push(format!("ts/{}", Ts::Playlist { rendition: name.clone() }));
        let init = rendition.init().expect("an init");
        names.push(Resource::Init { rendition: name.clone(), period: init.period }.to_string());
        for &number in rendition.segments.keys() {
            names.push(Resource::Segment { rendition: name.clone(), number }.to_string());
            names.push(format!("ts/{}", Ts::Segment { rendition: name.clone(), number }));
        }
    }
    names.extend(fragments(presentation, router).await);
    names
}

/// Smooth fragments, as its manifests name them: by Unix time where a session is named, else from zero.
async fn fragments(presentation: &Presentation, router: &Router) -> Vec<String> {
    let mut names = Vec::new();
    for (query, from) in [("", true), (&*format!("?s={}", presentation.session.id), false)] {
        let (_, _, body) = whole(get(router, &format!("Manifest{query}")).await).await;
        let text = String::from_utf8(body).expect("UTF-8");
        for stream in text.split("<StreamIndex ").skip(1) {
            let value = |text: &str| text.split('"').next().expect("a value").to_owned();
            let first = |mark| stream.split(mark).nth(1).map(value).expect("such an attribute");
            let url = first(" Url=\"").replace("{bitrate}", &first(" Bitrate=\""));
            assert_eq!(url.starts_with("from/"), from, "{url}");
            for time in stream.split("<c t=\"").skip(1).map(value) {
                let name = url.replace("{start time}", &time);
                names.extend([name.replace("Fragments", "FragmentInfo"), name]);
            }
        }
    }
    assert!(names.len() >= 8 * presentation.renditions.len(), "{names:?}");
    names
}

#[tokio::test]
async fn whoever_asks_cannot_tell_storage_from_memory() {
    let presentation = published(9);
    let (memory, storage, depot) = both(&presentation);
    let mut compared = 0;
    for name in names(&presentation, &memory).await {
        let expected = whole(get(&memory, &name).await).await;
        assert_eq!(expected.0, 200, "{name}");
        assert_eq!(whole(get(&storage, &name).await).await, expected, "{name}");
        let len = expected.2.len();
        let etag = expected.1[ETAG].to_str().expect("ASCII").to_owned();
        let ranges = ["0-0", "0-", "-1", "-100000", "17-170", "1-99999999"].map(str::to_owned);
        let edges = [format!("{}-", len - 1), format!("{len}-"), format!("0-{}", len - 1), "7-3".to_owned()];
        for range in ranges.into_iter().chain(edges) {
            let headers = [(RANGE, &*format!("bytes={range}"))];
            let expected = whole(ask(&memory, Method::GET, &name, &headers).await).await;
            let found = whole(ask(&storage, Method::GET, &name, &headers).await).await;
            assert_eq!(found, expected, "{name} {range}");
        }
        for (method, headers) in [
            (Method::HEAD, vec![]),
            (Method::GET, vec![(IF_NONE_MATCH, &*etag)]),
            (Method::HEAD, vec![(RANGE, "bytes=1-2")]),
        ] {
            let expected = whole(ask(&memory, method.clone(), &name, &headers).await).await;
            let found = whole(ask(&storage, method.clone(), &name, &headers).await).await;
            assert_eq!(found, expected, "{method} {name} {headers:?}");
        }
        compared += 1;
    }
    assert!(compared > 40, "{compared}");
    let segments = numbers(&presentation, "video-1").len() + numbers(&presentation, "audio-1").len();
    assert_eq!(depot.loads(), segments, "each was read once for all dialects and ranges");
}

#[tokio::test]
async fn nothing_is_read_for_who_wants_no_bytes() {
    let presentation = published(5);
    let (memory, storage, depot) = both(&presentation);
    let name = segment(&presentation, 0);
    let len = whole(get(&memory, &name).await).await.2.len();
    let head = ask(&storage, Method::HEAD, &name, &[]).await;
    assert_eq!((head.status().as_u16(), header(&head, CONTENT_LENGTH)), (200, &*len.to_string()));
    let etag = head.headers()[ETAG].clone();
    let known = [(IF_NONE_MATCH, etag.to_str().expect("ASCII"))];
    assert_eq!(ask(&storage, Method::GET, &name, &known).await.status(), 304);
    let beyond = [(RANGE, &*format!("bytes={len}-"))];
    assert_eq!(ask(&storage, Method::GET, &name, &beyond).await.status(), 416);
    assert_eq!(depot.loads(), 0);
}

/// RFC 9110 §9.3.2: the same header as of GET.
#[tokio::test]
async fn over_a_connection_head_has_the_length_too() {
    let presentation = published(5);
    let depot = Arc::new(Depot::new());
    let stored = depot.take(&presentation);
    let server = common::run(Server::new(Settings::default(), shelf(&stored), depot)).await;
    let target = format!("/play/demo/{}", segment(&presentation, 0));
    let head = client::ask(server.address, "HEAD", &target, &[]).await;
    let got = client::get(server.address, &target).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), got.body.len().to_string());
}

#[tokio::test]
async fn a_hundred_who_ask_at_once_cost_one_reading() {
    let presentation = published(5);
    let (router, depot) = stored(&presentation, Depot::new(), &Settings::default());
    let name = segment(&presentation, 0);
    let answers = join_all((0..100).map(|_| async { whole(get(&router, &name).await).await })).await;
    assert!(answers.iter().all(|answer| answer.0 == 200 && *answer == answers[0]));
    assert_eq!(depot.loads(), 1);
}

#[tokio::test(start_paused = true)]
async fn only_so_many_are_read_at_once() {
    let presentation = published(21);
    let settings = Settings { max_reads: 2, ..Settings::default() };
    let (router, depot) = stored(&presentation, Depot::new(), &settings);
    let names: Vec<_> = (0..8).map(|at| segment(&presentation, at)).collect();
    let shut = depot.door.acquire_many(DOOR).await.expect("open");
    let asking = join_all(names.iter().map(|name| get(&router, name)));
    let opening = async {
        sleep(Duration::from_secs(1)).await;
        drop(shut);
    };
    let (answers, ()) = tokio::join!(asking, opening);
    assert!(answers.iter().all(|answer| answer.status() == 200));
    assert_eq!((depot.loads(), depot.most_at_once.load(Ordering::SeqCst)), (8, 2));
}

#[tokio::test]
async fn why_storage_has_nothing_is_told_and_not_kept() {
    let presentation = published(5);
    let (router, depot) = stored(&presentation, Depot::new(), &Settings::default());
    let name = segment(&presentation, 0);
    let ts = name.replace("video-1/", "ts/video-1/").replace(".m4s", ".ts");
    for (unavailable, status, cached, retry) in [
        (Unavailable::Gone, 410, "public, max-age=1", None),
        (Unavailable::Damaged("a byte".into()), 410, "public, max-age=1", None),
        (Unavailable::Failed("EIO".into()), 503, "no-store", Some("2")),
    ] {
        depot.be(Mood::Fails(unavailable));
        for name in [&name, &ts] {
            let answer = get(&router, name).await;
            assert_eq!((answer.status().as_u16(), header(&answer, CACHE_CONTROL)), (status, cached));
            assert_eq!(answer.headers().get(RETRY_AFTER).map(|it| it.as_bytes()), retry.map(str::as_bytes));
        }
    }
    depot.be(Mood::Well);
    assert_eq!(get(&router, &name).await.status(), 200, "it is asked again");
    assert_eq!(get(&router, &ts).await.status(), 200);
}

#[tokio::test]
async fn a_storage_that_panics_is_a_503_and_is_asked_again() {
    let presentation = published(5);
    let (router, depot) = stored(&presentation, Depot::new(), &Settings::default());
    let name = segment(&presentation, 0);
    depot.be(Mood::Panics);
    assert_eq!(get(&router, &name).await.status(), 503);
    depot.be(Mood::Well);
    assert_eq!(get(&router, &name).await.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_storage_that_hangs_is_waited_for_so_long_and_keeps_its_place_alone() {
    let presentation = published(21);
    let settings = Settings { max_reads: 2, read_patience: Duration::from_secs(3), ..Settings::default() };
    let (router, depot) = stored(&presentation, Depot::new(), &settings);
    depot.be(Mood::Hangs);
    for _ in 0..3 {
        let since = Instant::now();
        let answer = get(&router, &segment(&presentation, 0)).await;
        assert_eq!((answer.status().as_u16(), header(&answer, CACHE_CONTROL)), (503, "no-store"));
        assert!((3000..3010).contains(&since.elapsed().as_millis()));
    }
    assert_eq!(depot.loads(), 1, "who asks again waits for the same reading");
    depot.be(Mood::Well);
    assert_eq!(get(&router, &segment(&presentation, 1)).await.status(), 200, "others are not behind it");
    assert_eq!(get(&router, "audio-1.m3u8").await.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_viewer_who_leaves_does_not_keep_others_from_what_is_read() {
    let presentation = published(5);
    let (router, depot) = stored(&presentation, Depot::new(), &Settings::default());
    let name = segment(&presentation, 0);
    let shut = depot.door.acquire_many(DOOR).await.expect("open");
    let left = tokio::time::timeout(Duration::from_millis(10), get(&router, &name)).await;
    assert!(left.is_err());
    let asks = tokio::spawn({
        let (router, name) = (router.clone(), name.clone());
        async move { get(&router, &name).await.status().as_u16() }
    });
    sleep(Duration::from_millis(10)).await;
    drop(shut);
    assert_eq!(asks.await.expect("no panic"), 200);
    assert_eq!(depot.loads(), 1);
}

#[tokio::test]
async fn what_is_kept_and_what_is_sent_has_a_limit() {
    let presentation = published(61);
    let metrics = Metrics::default();
    let len = longest(&presentation);
    // Room for four, of which two may stay.
    let settings = Settings {
        media_cache_bytes: 2 * (len + 4096),
        max_media_bytes: 2 * (len + 4096),
        read_patience: Duration::from_millis(50),
        ..Settings::default()
    };
    let depot = Arc::new(Depot::new());
    let shelf = shelf(&depot.take(&presentation));
    let server = common::run(Server::new(settings, shelf, depot).measured(&metrics)).await;
    for at in 0..20 {
        let reply = client::get(server.address, &format!("/play/demo/{}", segment(&presentation, at))).await;
        assert_eq!(reply.status, 200, "{at}: what is kept gives way");
        assert!(held(&metrics) <= 4 * (len + 4096 + 1024), "{at}: {}", held(&metrics));
    }
}

#[tokio::test]
async fn answers_that_are_not_taken_hold_no_more_than_that() {
    let presentation = published(21);
    let len = longest(&presentation);
    let room = 2 * (len + 4096);
    let settings = Settings {
        media_cache_bytes: 0,
        max_media_bytes: room,
        read_patience: Duration::from_millis(50),
        ..Settings::default()
    };
    let (router, _) = stored(&presentation, Depot::new(), &settings);
    let mut untaken = Vec::new();
    let mut statuses = Vec::new();
    for at in 0..4 {
        let answer = get(&router, &segment(&presentation, at)).await;
        statuses.push(answer.status().as_u16());
        untaken.push(answer);
    }
    assert_eq!(statuses, [200, 200, 503, 503]);
    // The last reference may be in somebody's socket: the bytes themselves hold their place.
    let (_, _, bytes) = whole(untaken.swap_remove(0)).await;
    drop(bytes);
    assert_eq!(get(&router, &segment(&presentation, 5)).await.status(), 200);
}

/// Bytes of the longest segment.
fn longest(presentation: &Presentation) -> u64 {
    let video = presentation.rendition("video-1").expect("a rendition");
    video.segments.values().map(|segment| segment.len()).max().expect("a segment")
}

/// The gauge of what is in memory.
fn held(metrics: &Metrics) -> u64 {
    let mut registry = Registry::default();
    metrics.register(&mut registry);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).expect("a String takes all");
    let value = text.lines().find_map(|line| line.strip_prefix("http_stored_bytes "));
    value.expect("a gauge").parse().expect("a number")
}

#[tokio::test]
async fn what_comes_next_is_read_before_it_is_asked_for_where_that_is_worth_it() {
    let presentation = published(21);
    let (router, depot) = stored(&presentation, Depot::new().reading_ahead(2), &Settings::default());
    assert_eq!(get(&router, &segment(&presentation, 3)).await.status(), 200);
    until(|| depot.loads() == 3).await;
    for at in [4, 5] {
        assert_eq!(get(&router, &segment(&presentation, at)).await.status(), 200);
    }
    until(|| depot.loads() == 5).await;
    let head = ask(&router, Method::HEAD, &segment(&presentation, 8), &[]).await;
    assert_eq!((head.status().as_u16(), depot.loads()), (200, 5));
}

async fn until(condition: impl Fn() -> bool) {
    let patience = Duration::from_secs(10);
    let came = tokio::time::timeout(patience, async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    });
    came.await.expect("it comes");
}

/// Pictures of what is in storage: which of them, and that no more than needed is read.
struct Painter(Mutex<Vec<Order>>);

impl Stills for Painter {
    fn make(&self, order: Order) -> Pin<Box<dyn Future<Output = Result<Bytes, Unmade>> + Send + '_>> {
        let image = Bytes::from(format!("{order:?}"));
        self.0.lock().expect("no panic").push(order);
        Box::pin(std::future::ready(Ok(image)))
    }

    fn known<'a>(
        &'a self,
        name: &'a str,
    ) -> Pin<Box<dyn Future<Output = Option<Result<Bytes, Unmade>>> + Send + 'a>> {
        let orders = self.0.lock().expect("no panic");
        let known =
            orders.iter().find(|order| order.name == name).map(|order| Ok(format!("{order:?}").into()));
        Box::pin(std::future::ready(known))
    }
}

#[tokio::test]
async fn pictures_of_storage_are_those_of_memory_and_one_segment_is_read_for_each() {
    let presentation = published(21);
    let depot = Arc::new(Depot::new());
    let stored = depot.take(&presentation);
    let painters = [(); 2].map(|()| Arc::new(Painter(Mutex::default())));
    let serve = |shelf, storage: Arc<dyn Storage>, painter: &Arc<Painter>| {
        common::run(Server::new(Settings::default(), shelf, storage).stills(painter.clone()))
    };
    let memory = serve(shelf(&presentation), Arc::new(NoStorage), &painters[0]).await;
    let storage = serve(shelf(&stored), depot.clone(), &painters[1]).await;
    let first = numbers(&presentation, "video-1")[0];
    for (name, reads) in [
        ("thumb.jpg".to_owned(), 1),
        ("thumb.jpg?at=7.2".to_owned(), 1),
        ("thumb.jpg?at=7.9&width=160".to_owned(), 0),
        ("thumb.jpg?at=-2.5".to_owned(), 1),
        ("thumb.jpg?at=99".to_owned(), 0),
        ("storyboard.vtt".to_owned(), 0),
        (format!("storyboard/{first}-1-5.jpg"), 4),
        (format!("storyboard/{first}-1-5.jpg"), 0),
        (format!("storyboard/{first}-1-25.jpg"), 0),
    ] {
        let before = depot.loads();
        let expected = client::get(memory.address, &format!("/play/demo/{name}")).await;
        let found = client::get(storage.address, &format!("/play/demo/{name}")).await;
        assert_eq!(
            (found.status, found.header("cache-control")),
            (expected.status, expected.header("cache-control"))
        );
        assert_eq!(depot.loads() - before, reads, "{name}");
        if name.ends_with("vtt") {
            assert_eq!(found.body, expected.body);
        }
    }
    let [expected, found] = painters.map(|painter| painter.0.lock().expect("no panic").clone());
    assert_eq!((found.len(), expected.len()), (5, 5), "what is known is not ordered again");
    for (found, expected) in found.iter().zip(&expected) {
        let bytes = |order: &Order| -> Vec<Vec<u8>> {
            order
                .pictures
                .iter()
                .map(|still| still.as_ref().map_or_else(Vec::new, |it| it.sample.concat()))
                .collect()
        };
        assert_eq!(
            (&found.name, found.shape, bytes(found)),
            (&expected.name, expected.shape, bytes(expected))
        );
    }
}

/// What lost its tail has a name of its own, so that no URL has two bodies.
#[tokio::test]
async fn a_segment_that_lost_its_tail_is_there_under_its_own_name_alone() {
    let presentation = published(9);
    let depot = Arc::new(Depot::new());
    let (cut, bytes) = depot.take_partly(&presentation, "video-1", 1);
    let router = router(&Settings::default(), shelf(&cut), depot);
    let number = numbers(&presentation, "video-1")[1];
    let (status, headers, body) = whole(get(&router, &format!("video-1/{number}.0-0.m4s")).await).await;
    assert_eq!(
        (status, &headers[CACHE_CONTROL]),
        (200, &"public, max-age=31536000, immutable".parse().expect("valid"))
    );
    assert_eq!(body, bytes);
    for (name, status) in [
        (format!("video-1/{number}.m4s"), 410),
        (format!("video-1/{number}.0.m4s"), 410),
        (format!("video-1/{number}.0-1.m4s"), 410),
        (format!("video-1/{}.0-0.m4s", number + 1), 410),
        (format!("video-1/{}.0-0.m4s", number + 1000), 410),
        (format!("ts/video-1/{number}.ts"), 410),
        (format!("video-1/{}.m4s", number + 1), 200),
    ] {
        assert_eq!(get(&router, &name).await.status(), status, "{name}");
    }
}

/// The caching table: what will not change is kept for an hour, and what may go live again for a moment.
#[tokio::test]
async fn manifests_of_what_lasts_are_kept_for_an_hour() {
    let presentation = published(9);
    let lasting = View::new(Arc::new(presentation.clone()), Air::Live, None).for_good();
    let shelf = Arc::new(Shelf::default());
    shelf.put("demo", vec![view(&presentation)]);
    shelf.put("rec_12345678", vec![Arc::new(lasting)]);
    let server = common::run(Server::new(Settings::default(), shelf, Arc::new(NoStorage))).await;
    let manifests = [
        "master.m3u8",
        "video-1.m3u8",
        "manifest.mpd",
        "Manifest",
        "ts/master.m3u8",
        "ts/video-1.m3u8",
        "storyboard.vtt",
        "manifest.mpd?start=2&end=6",
    ];
    for name in manifests {
        for (entry, kept) in [("demo", "public, max-age=2"), ("rec_12345678", "public, max-age=3600")] {
            let reply = client::get(server.address, &format!("/play/{entry}/{name}")).await;
            assert_eq!((reply.status, reply.header("cache-control")), (200, kept), "{entry}/{name}");
            assert!(reply.header("etag").starts_with('"'), "RFC 9110 §8.8.1: a strong tag");
        }
    }
}
