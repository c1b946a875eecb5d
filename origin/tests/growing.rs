//! A segment that is asked for while it is being made (ISO/IEC 23009-1 §5.3.9.5, `availabilityTimeComplete="false"`).

mod common;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use common::shelf::{Builder, START, joined};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::{Method, Request, Response, Version};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use origin::{Server, Settings, router};
use packager::Presentation;
use packager::presentation::{Content, Record, Segment};
use stream::{Air, Found, NoStorage, Source, View, Viewer};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// The session whose segments are made here: a target duration of 6 s, parts of 500 ms.
const SESSION: u64 = 3;
const TARGET: &str = "/play/demo/video-1/13.m4s";

/// A stream that goes on when it is told to.
struct Stage(watch::Sender<Option<Arc<View>>>);

impl Stage {
    fn new(presentation: &Presentation) -> Arc<Stage> {
        let stage = Arc::new(Stage(watch::Sender::new(None)));
        stage.show(presentation);
        stage
    }

    fn show(&self, presentation: &Presentation) {
        let view = View::new(Arc::new(presentation.clone()), Air::Live, self.0.borrow().as_deref());
        self.0.send_replace(Some(Arc::new(view)));
    }

    fn version(&self, rendition: &str) -> Option<u64> {
        Some(self.0.borrow().as_ref()?.rendition(rendition)?.1)
    }
}

impl Source for Stage {
    fn find(&self, entry: &str, session: Option<u64>, _: Viewer) -> Found {
        match self.0.borrow().as_ref().filter(|_| entry == "demo") {
            Some(view) if session.is_none_or(|id| id == SESSION) => Found::View(view.clone()),
            _ => Found::Unknown,
        }
    }

    fn changed<'a>(
        &'a self,
        _: &'a str,
        _: Option<u64>,
        _: Viewer,
        rendition: &'a str,
        seen: u64,
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let mut bell = self.0.subscribe();
            while self.version(rendition) == Some(seen) {
                bell.changed().await.expect("the stage stands");
            }
        })
    }
}

/// Segments 10 to 12, and `parts` of segment 13.
fn begun(parts: u32) -> Builder {
    let whole = (10..13).fold(Builder::new(SESSION), |made, number| made.segment("video-1", number, 3000));
    (0..parts).fold(whole, |made, index| made.part("video-1", 13, index, 5000))
}

/// Closes segment 13 with the parts that it has.
fn close(presentation: &mut Presentation) -> Arc<Segment> {
    let open = presentation.rendition("video-1").and_then(|video| video.open.clone()).expect("open");
    let before =
        presentation.rendition("video-1").and_then(|video| video.last().cloned()).expect("a segment");
    let content = Content::Media { init: open.init, parts: open.parts };
    let start = before.start + before.duration;
    let segment = Arc::new(Segment { number: 13, period: open.period, start, content, ..(*before).clone() });
    let record =
        Record::Segment { rendition: "video-1".into(), kind: media::Kind::Video, segment: segment.clone() };
    presentation.apply(record, START);
    segment
}

async fn ask(stage: &Arc<Stage>, method: Method, target: &str, headers: &[(&str, &str)]) -> Response<Body> {
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).expect("a request");
    router(&Settings::default(), stage.clone(), Arc::new(NoStorage))
        .oneshot(request)
        .await
        .expect("infallible")
}

/// What of a body can be had without waiting.
fn at_hand(body: &mut Body) -> Vec<Bytes> {
    let mut pieces = Vec::new();
    while let Some(Some(frame)) = body.frame().now_or_never() {
        pieces.push(frame.expect("unbroken").into_data().expect("data"));
    }
    pieces
}

fn places(pieces: &[Bytes]) -> Vec<(*const u8, usize)> {
    pieces.iter().map(|piece| (piece.as_ptr(), piece.len())).collect()
}

#[tokio::test]
async fn parts_come_when_they_are_made_and_are_the_later_segment_from_the_same_memory() {
    let builder = begun(2);
    let stage = Stage::new(&builder.presentation);
    let mut body = ask(&stage, Method::GET, TARGET, &[]).await.into_body();
    let mut pieces = at_hand(&mut body);
    assert_eq!(pieces.len(), 2 * 3, "header and two pieces of payload of each of two parts");
    assert_eq!(at_hand(&mut body), Vec::<Bytes>::new(), "and nothing until there is more");

    let builder = builder.part("audio-1", 13, 0, 10);
    stage.show(&builder.presentation);
    assert_eq!(at_hand(&mut body), Vec::<Bytes>::new(), "a part of the audio is none of ours");

    let mut builder = builder.part("video-1", 13, 2, 100);
    stage.show(&builder.presentation);
    let third = at_hand(&mut body);
    assert_eq!(third.len(), 3, "a CMAF chunk at once and whole");
    pieces.extend(third);

    let segment = close(&mut builder.presentation);
    stage.show(&builder.presentation);
    assert!(body.frame().await.is_none(), "it ends when the segment closes");
    assert_eq!(places(&pieces), places(&segment.pieces().cloned().collect::<Vec<_>>()), "nothing was copied");
    let later = ask(&stage, Method::GET, TARGET, &[]).await;
    assert!(later.headers().contains_key("etag") && later.headers().contains_key("content-length"));
    let later = later.into_body().collect().await.expect("a body").to_bytes();
    assert!(joined(pieces.iter()) == later, "byte for byte the later segment");
}

#[tokio::test]
async fn what_grows_has_neither_length_nor_tag_nor_ranges_and_may_be_kept_once_it_is_whole() {
    let stage = Stage::new(&begun(1).presentation);
    for headers in [&[][..], &[("range", "bytes=0-9")], &[("if-none-match", "*")]] {
        for method in [Method::GET, Method::HEAD] {
            let answer = ask(&stage, method, TARGET, headers).await;
            assert_eq!(answer.status(), 200, "{headers:?}");
            let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().expect("text"));
            assert_eq!(header("content-type"), Some("video/mp4"));
            assert_eq!(header("cache-control"), Some("public, max-age=31536000, immutable"));
            assert_eq!(header("access-control-allow-origin"), Some("*"));
            for absent in ["content-length", "etag", "accept-ranges", "content-range"] {
                assert_eq!(header(absent), None, "{absent}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_segment_that_begins_within_a_part_is_waited_for() {
    let builder = begun(0);
    let stage = Stage::new(&builder.presentation);
    let asked = tokio::spawn({
        let stage = stage.clone();
        async move { ask(&stage, Method::GET, TARGET, &[]).await.status() }
    });
    tokio::time::sleep(Duration::from_millis(400)).await;
    stage.show(&builder.part("video-1", 13, 0, 10).presentation);
    assert_eq!(asked.await.expect("no panic"), 200);
}

/// Status and Cache-Control of an answer, and how many milliseconds it took.
async fn refused(presentation: &Presentation, target: &str) -> (u16, String, u128) {
    let (stage, since) = (Stage::new(presentation), Instant::now());
    let answer = ask(&stage, Method::GET, target, &[]).await;
    let cache = answer.headers()["cache-control"].to_str().expect("text").to_owned();
    (answer.status().as_u16(), cache, since.elapsed().as_millis())
}

/// The one ahead is not there, for a moment (DASH-IF IOP: segments ahead of the availability window are 404).
#[tokio::test(start_paused = true)]
async fn what_lies_further_ahead_is_not_there_for_a_moment() {
    let brief = || "public, max-age=1".to_owned();
    let next = "/play/demo/video-1/14.m4s";
    assert_eq!(refused(&begun(1).presentation, next).await, (404, brief(), 0), "one is open before it");
    assert_eq!(refused(&begun(0).presentation, next).await, (404, brief(), 0));
    let (status, cache, waited) = refused(&begun(0).presentation, TARGET).await;
    assert_eq!((status, cache), (404, brief()));
    assert!((4500..4510).contains(&waited), "one and a half part targets: {waited} ms");
    let mut away = begun(0).presentation;
    away.apply(Record::Closed { period: SESSION, renewed: false }, START);
    assert_eq!(refused(&away, TARGET).await, (404, brief(), 0), "the encoder is away: nothing is due");
}

#[tokio::test]
async fn a_reader_who_stands_still_keeps_no_snapshot() {
    let builder = begun(1);
    let stage = Stage::new(&builder.presentation);
    let mut body = ask(&stage, Method::GET, TARGET, &[]).await.into_body();
    body.frame().await.expect("a frame").expect("unbroken");
    let old = Arc::downgrade(stage.0.borrow().as_ref().expect("a view"));
    stage.show(&builder.part("video-1", 13, 1, 10).presentation);
    assert!(old.upgrade().is_none());
}

/// A connection to a server in memory, and a segment asked for over HTTP/1.1.
async fn connect(stage: &Arc<Stage>) -> DuplexStream {
    let mut ours = serve(stage);
    let request = format!("GET {TARGET} HTTP/1.1\r\nHost: x\r\n\r\n");
    ours.write_all(request.as_bytes()).await.expect("room");
    ours
}

fn serve(stage: &Arc<Stage>) -> DuplexStream {
    let (ours, theirs) = duplex(1 << 20);
    let server = Server::new(Settings::default(), stage.clone(), Arc::new(NoStorage));
    tokio::spawn(server.serve_connection(theirs, CancellationToken::new()));
    ours
}

/// Reads until there is `end`.
async fn read_until(io: &mut DuplexStream, end: &[u8]) -> Vec<u8> {
    let mut read = Vec::new();
    while !read.ends_with(end) {
        assert!(io.read_buf(&mut read).await.expect("a connection") > 0, "closed early");
    }
    read
}

/// RFC 9112 §7.1: chunked, because the length is not known; each CMAF chunk is on its way before the next is made.
#[tokio::test]
async fn over_http1_each_part_is_flushed() {
    let mut builder = begun(1);
    let stage = Stage::new(&builder.presentation);
    let mut io = connect(&stage).await;
    let piece = |presentation: &Presentation, index: usize| {
        let open = presentation.rendition("video-1").and_then(|video| video.open.clone()).expect("open");
        [&open.parts[index].payload.last().expect("payload")[..], b"\r\n"].concat()
    };
    let first = read_until(&mut io, &piece(&builder.presentation, 0)).await;
    let head = String::from_utf8_lossy(&first[..400]).to_lowercase();
    assert!(head.contains("transfer-encoding: chunked") && !head.contains("\ncontent-length"), "{head}");
    builder = builder.part("video-1", 13, 1, 7000);
    stage.show(&builder.presentation);
    read_until(&mut io, &piece(&builder.presentation, 1)).await;
    close(&mut builder.presentation);
    stage.show(&builder.presentation);
    assert_eq!(read_until(&mut io, b"0\r\n\r\n").await, b"0\r\n\r\n");
}

/// RFC 9112 §8: without its last chunk a message is incomplete, and no cache keeps it.
#[tokio::test(start_paused = true)]
async fn a_segment_that_breaks_off_is_cut_after_three_target_durations() {
    let stage = Stage::new(&begun(1).presentation);
    let (mut io, since) = (connect(&stage).await, Instant::now());
    let mut read = Vec::new();
    let _ = io.read_to_end(&mut read).await;
    assert_eq!(since.elapsed().as_secs(), 3 * 6);
    assert!(read.len() > 5000, "what there was was sent");
    assert!(!read.ends_with(b"0\r\n\r\n"), "and not ended as if that were all");
}

async fn fetch_http2(stage: &Arc<Stage>) -> Response<Incoming> {
    let (mut sender, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .handshake(TokioIo::new(serve(stage)))
        .await
        .expect("a handshake");
    tokio::spawn(connection);
    let request = Request::get(format!("http://x{TARGET}")).version(Version::HTTP_2);
    let request = request.body(Empty::<Bytes>::new()).expect("a request");
    sender.send_request(request).await.expect("an answer")
}

/// RFC 9113 §8.1: DATA frames until END_STREAM; RST_STREAM where it breaks off.
#[tokio::test(start_paused = true)]
async fn over_http2_it_has_no_length_and_is_reset_where_it_breaks_off() {
    let mut builder = begun(1);
    let stage = Stage::new(&builder.presentation);
    let whole = fetch_http2(&stage).await;
    assert!(whole.headers().get("content-length").is_none());
    let broken = fetch_http2(&stage).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let segment = close(&mut builder.presentation);
    stage.show(&builder.presentation);
    let body = whole.into_body().collect().await.expect("unbroken").to_bytes();
    assert!(body == joined(segment.pieces()));
    assert!(broken.into_body().collect().await.is_ok(), "closed for both");

    let stage = Stage::new(&begun(1).presentation);
    assert!(fetch_http2(&stage).await.into_body().collect().await.is_err());
}
