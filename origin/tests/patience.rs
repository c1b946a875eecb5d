//! How long a connection lives: limits on silence, slowness and number, panics, and the end of the server.

mod common;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get as on_get;
use bytes::Bytes;
use common::client::{get, raw};
use common::shelf::{Builder, Shelf};
use common::{run, serve_with};
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use origin::{Server, Settings};
use stream::{Found, NoStorage, Source, Viewer};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

const TARGET: &str = "/play/demo/video-1/1.m4s";

/// An entry with one segment of about 4 MB.
fn large() -> Arc<Shelf> {
    let shelf = Arc::new(Shelf::default());
    shelf.put("demo", vec![Builder::new(1).segment("video-1", 1, 2 << 20).view()]);
    shelf
}

/// A connection to a server in memory, with `room` bytes in flight, under a clock that the test moves.
fn connect(room: usize) -> (DuplexStream, JoinHandle<Duration>) {
    let (ours, theirs) = duplex(room);
    let begun = Instant::now();
    let server = Server::new(Settings::default(), large(), Arc::new(NoStorage));
    let serving = tokio::spawn(async move {
        let _ = server.serve_connection(theirs, CancellationToken::new()).await;
        begun.elapsed()
    });
    (ours, serving)
}

fn request(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n")
}

/// Reads one answer with a Content-Length.
async fn read_answer(io: &mut DuplexStream) -> Vec<u8> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(io.read_u8().await.expect("a header"));
    }
    let head = String::from_utf8(head).expect("a readable header");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.expect("a length").parse().expect("a number")];
    io.read_exact(&mut body).await.expect("a body");
    body
}

async fn lasted(serving: JoinHandle<Duration>) -> u64 {
    serving.await.expect("no panic").as_secs()
}

#[tokio::test(start_paused = true)]
async fn silence_is_cut_after_ten_seconds() {
    let (_ours, serving) = connect(1024);
    assert_eq!(lasted(serving).await, 10);
}

#[tokio::test(start_paused = true)]
async fn half_a_preface_is_cut_after_ten_seconds() {
    for start in ["PRI * HT", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / HTTP/1.1\r\nHost"] {
        let (mut ours, serving) = connect(1024);
        ours.write_all(start.as_bytes()).await.expect("room");
        assert_eq!(lasted(serving).await, 10, "{start:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_header_that_drips_is_cut_after_ten_seconds() {
    let (mut ours, serving) = connect(1024);
    ours.write_all(b"GET / HTTP/1.1\r\n").await.expect("room");
    tokio::spawn(async move {
        while ours.write_all(b"X: y\r\n").await.is_ok() {
            sleep(Duration::from_secs(1)).await;
        }
    });
    assert_eq!(lasted(serving).await, 10);
}

#[tokio::test(start_paused = true)]
async fn a_second_header_that_drips_is_cut_ten_seconds_after_its_start() {
    let (mut ours, serving) = connect(1 << 20);
    ours.write_all(request("/play/demo/time").as_bytes()).await.expect("room");
    read_answer(&mut ours).await;
    sleep(Duration::from_secs(30)).await;
    ours.write_all(b"GET / HT").await.expect("room");
    assert_eq!(lasted(serving).await, 40);
}

#[tokio::test(start_paused = true)]
async fn between_requests_a_connection_may_rest_for_a_minute() {
    let (mut ours, serving) = connect(1 << 20);
    for _ in 0..3 {
        ours.write_all(request("/play/demo/time").as_bytes()).await.expect("room");
        read_answer(&mut ours).await;
        sleep(Duration::from_secs(55)).await;
    }
    assert_eq!(lasted(serving).await, 2 * 55 + 60);
}

#[tokio::test(start_paused = true)]
async fn a_reader_who_takes_nothing_is_cut_after_thirty_seconds() {
    let (mut ours, serving) = connect(64 << 10);
    ours.write_all(request(TARGET).as_bytes()).await.expect("room");
    assert_eq!(lasted(serving).await, 30);
}

/// Takes 64 KiB each `seconds`; how much of 4 MiB it got.
async fn taken_in_gulps(seconds: u64) -> usize {
    let (mut ours, serving) = connect(64 << 10);
    ours.write_all(request(TARGET).as_bytes()).await.expect("room");
    let (mut taken, mut some) = (0, vec![0; 64 << 10]);
    loop {
        sleep(Duration::from_secs(seconds)).await;
        match ours.read(&mut some).await {
            Ok(more @ 1..) => taken += more,
            _ => break,
        }
        if taken >= 4 << 20 {
            break;
        }
    }
    drop(ours);
    lasted(serving).await;
    taken
}

/// 8 KiB a second, and who takes less keeps in memory what nobody else can fetch any more.
#[tokio::test(start_paused = true)]
async fn a_reader_who_takes_little_is_served_and_one_who_drips_is_not() {
    assert!(taken_in_gulps(7).await >= 4 << 20);
    assert!(taken_in_gulps(10).await < 2 << 20);
    assert!(taken_in_gulps(29).await < 256 << 10);
}

/// Answers to pings are something that the peer takes, but not of what it asked for.
#[tokio::test(start_paused = true)]
async fn http2_with_a_closed_window_is_not_kept_open_by_pings() {
    let (ours, serving) = connect(1 << 20);
    let (mut sender, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .timer(hyper_util::rt::TokioTimer::new())
        .initial_stream_window_size(0)
        .keep_alive_interval(Duration::from_secs(5))
        .handshake(TokioIo::new(ours))
        .await
        .expect("a handshake");
    tokio::spawn(connection);
    let request = Request::get(format!("http://x{TARGET}")).body(Empty::<Bytes>::new()).expect("a request");
    let response = sender.send_request(request).await.expect("a header");
    assert_eq!(response.status(), 200);
    assert!(lasted(serving).await <= 31);
}

#[tokio::test(start_paused = true)]
async fn http2_with_a_closed_window_is_cut_after_thirty_seconds() {
    let (ours, serving) = connect(1 << 20);
    let (mut sender, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(0)
        .handshake(TokioIo::new(ours))
        .await
        .expect("a handshake");
    tokio::spawn(connection);
    let request = Request::get(format!("http://x{TARGET}")).body(Empty::<Bytes>::new()).expect("a request");
    let response = sender.send_request(request).await.expect("a header");
    assert_eq!(response.status(), 200);
    assert_eq!(lasted(serving).await, 30);
}

#[tokio::test(start_paused = true)]
async fn idle_http2_is_cut_after_a_minute() {
    let (ours, serving) = connect(1 << 20);
    let (mut sender, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .handshake(TokioIo::new(ours))
        .await
        .expect("a handshake");
    tokio::spawn(connection);
    let request = Request::get("http://x/play/demo/time").body(Empty::<Bytes>::new()).expect("a request");
    let response = sender.send_request(request).await.expect("an answer");
    assert_eq!(response.into_body().collect().await.expect("a body").to_bytes().len(), 24);
    assert_eq!(lasted(serving).await, 60);
}

#[tokio::test]
async fn one_connection_too_many_is_told_to_come_back() {
    let settings = Settings { max_connections: 2, ..Settings::default() };
    let server = serve_with(settings, Shelf::demo().0).await;
    let first = TcpStream::connect(server.address).await.expect("a listener");
    let second = TcpStream::connect(server.address).await.expect("a listener");
    let reply = raw(server.address, b"").await.expect("an answer without a question");
    assert_eq!((reply.status, reply.header("retry-after")), (503, "1"));
    drop((first, second));
    let served = until_served(server.address);
    timeout(Duration::from_secs(5), served).await.expect("room again");
}

/// A connection that ends is seen to end when the server comes to it.
async fn until_served(address: SocketAddr) {
    let request = request_closing("/play/demo/master.m3u8");
    while raw(address, request.as_bytes()).await.is_none_or(|reply| reply.status != 200) {}
}

fn request_closing(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
}

#[tokio::test]
async fn a_panic_ends_its_own_connection_alone() {
    async fn broken() -> &'static str {
        panic!("a bug that this test made")
    }
    let other = Router::new().route("/broken", on_get(broken));
    let server =
        run(Server::new(Settings::default(), Shelf::demo().0, Arc::new(NoStorage)).merge(other)).await;
    let mut bystander = TcpStream::connect(server.address).await.expect("a listener");
    assert!(raw(server.address, request_closing("/broken").as_bytes()).await.is_none());
    bystander.write_all(request_closing("/play/demo/master.m3u8").as_bytes()).await.expect("room");
    let mut reply = String::new();
    bystander.read_to_string(&mut reply).await.expect("an answer");
    assert!(reply.starts_with("HTTP/1.1 200 OK\r\n"));
    assert_eq!(get(server.address, "/play/demo/master.m3u8").await.status, 200);
}

/// A source that panics at one entry.
struct Broken(Arc<Shelf>);

impl Source for Broken {
    fn find(&self, entry: &str, session: Option<u64>, viewer: Viewer) -> Found {
        assert!(entry != "broken", "a bug that this test made");
        self.0.find(entry, session, viewer)
    }
}

#[tokio::test]
async fn a_source_that_panics_at_one_entry_serves_the_others() {
    let server =
        run(Server::new(Settings::default(), Arc::new(Broken(Shelf::demo().0)), Arc::new(NoStorage))).await;
    for _ in 0..3 {
        assert!(raw(server.address, request_closing("/play/broken/master.m3u8").as_bytes()).await.is_none());
        assert_eq!(get(server.address, "/play/demo/master.m3u8").await.status, 200);
    }
}

#[tokio::test]
async fn a_panic_ends_its_stream_of_http2_and_no_other() {
    let (ours, theirs) = duplex(1 << 20);
    let server = Server::new(Settings::default(), Arc::new(Broken(Shelf::demo().0)), Arc::new(NoStorage));
    tokio::spawn(server.serve_connection(theirs, CancellationToken::new()));
    let (mut sender, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .handshake(TokioIo::new(ours))
        .await
        .expect("a handshake");
    tokio::spawn(connection);
    let mut ask = async |entry: &str| {
        let target = format!("http://x/play/{entry}/master.m3u8");
        let request = Request::get(target).body(Empty::<Bytes>::new()).expect("a request");
        sender.send_request(request).await
    };
    assert!(ask("broken").await.is_err(), "its stream is reset");
    assert_eq!(ask("demo").await.expect("the connection stands").status(), 200);
}

#[tokio::test]
async fn shutdown_finishes_running_answers_and_takes_no_new_ones() {
    let (asked, finish) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let slow = {
        let (asked, finish) = (asked.clone(), finish.clone());
        async move || {
            asked.notify_one();
            finish.notified().await;
            "done"
        }
    };
    let other = Router::new().route("/slow", on_get(slow));
    let server =
        run(Server::new(Settings::default(), Shelf::demo().0, Arc::new(NoStorage)).merge(other)).await;
    let _idle = TcpStream::connect(server.address).await.expect("a listener");
    let address = server.address;
    let answer = tokio::spawn(async move { raw(address, request("/slow").as_bytes()).await });
    asked.notified().await;
    server.shutdown.cancel();
    finish.notify_one();
    let reply = answer.await.expect("no panic").expect("an answer");
    assert_eq!((reply.status, &*reply.body), (200, &b"done"[..]));
    timeout(Duration::from_secs(4), server.task)
        .await
        .expect("idle connections are let go")
        .expect("no panic");
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens");
}

#[tokio::test(start_paused = true)]
async fn shutdown_does_not_wait_for_a_reader_who_takes_nothing() {
    let (mut ours, theirs) = duplex(1024);
    let shutdown = CancellationToken::new();
    let server = Server::new(Settings::default(), large(), Arc::new(NoStorage));
    let serving = tokio::spawn(server.serve_connection(theirs, shutdown.clone()));
    ours.write_all(request(TARGET).as_bytes()).await.expect("room");
    ours.read_u8().await.expect("the answer has begun");
    let begun = Instant::now();
    shutdown.cancel();
    assert!(serving.await.expect("no panic").is_err());
    assert_eq!(begun.elapsed().as_secs(), 5);
}
