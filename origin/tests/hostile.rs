//! Requests that no player sends. Whatever comes, the answer is a 4xx or a closed connection, never a 5xx, and
//! the next viewer is served.

mod common;

use std::net::SocketAddr;
use std::sync::Arc;

use common::client::{ask, get, raw};
use common::shelf::Shelf;
use common::{Running, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn demo() -> Running {
    serve(Shelf::demo().0).await
}

/// Sends something odd: a 4xx out of `allowed` or no answer at all, and the server is well.
async fn refused(address: SocketAddr, request: &[u8], allowed: &[u16]) {
    let shown = String::from_utf8_lossy(&request[..request.len().min(200)]).into_owned();
    if let Some(reply) = raw(address, request).await {
        assert!(allowed.contains(&reply.status), "{} to {shown:?}", reply.status);
    }
    assert_eq!(get(address, "/play/demo/video-1/11.m4s").await.status, 200, "after {shown:?}");
}

#[tokio::test]
async fn odd_paths_are_not_found() {
    let server = demo().await;
    let long = format!("/play/demo/{}.m4s", "9".repeat(7000));
    let huge = format!("/play/{}/master.m3u8", "x".repeat(10_000));
    for path in [
        "/play/demo/../demo/master.m3u8",
        "/play/%2e%2e/%2e%2e/etc/passwd",
        "/play/../../etc/passwd",
        "/play/demo/..%2f..%2fetc/passwd",
        "/play/demo/video-1/%00.m4s",
        "/play/demo/video-1/11.m4s%00",
        "/play/demo/video-1/11%2em4s",
        "/play/demo/%ff%fe.m3u8",
        "/play/%F0%9F%8E%A5/master.m3u8",
        "/play/<script>/master.m3u8",
        "/play/demo\"/master.m3u8",
        "/play//demo//master.m3u8",
        "/play/demo/video-1/-1.m4s",
        "/play/demo/video-1/99999999999999999999999.m4s",
        "/play/demo/video-1/1.4294967296.m4s",
        "/play/demo/video-1/init-99999999999999999999.mp4",
        "/play",
        "/play/",
        "/play/demo",
        "/play/demo/",
        &long,
        &huge,
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        refused(server.address, request.as_bytes(), &[400, 404, 414]).await;
    }
    for path in [&b"/play/demo/\0.m3u8"[..], b"/play/demo/\xff\xfe.m3u8", b"/play/d mo/master.m3u8"] {
        let request = [b"GET ", path, b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"].concat();
        refused(server.address, &request, &[400, 404]).await;
    }
}

#[tokio::test]
async fn too_much_is_cut_short() {
    let server = demo().await;
    let target = "GET /play/demo/master.m3u8";
    let end = "HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
    let header = format!("{target} {end}X: {}\r\n\r\n", "x".repeat(1 << 20));
    let headers = format!("{target} {end}{}\r\n", "X: y\r\n".repeat(200));
    let query = |len: usize| format!("{target}?{} {end}\r\n", "q".repeat(len));
    refused(server.address, header.as_bytes(), &[431]).await;
    refused(server.address, headers.as_bytes(), &[431]).await;
    refused(server.address, query(100_000).as_bytes(), &[414, 431]).await;
    refused(server.address, query(10_000).as_bytes(), &[414]).await;
    refused(server.address, "x".repeat(1 << 20).as_bytes(), &[400, 414, 431]).await;
    let reply = raw(server.address, query(10_000).as_bytes()).await.expect("an answer");
    assert_eq!((reply.status, reply.problem().as_str()), (414, "path and query are too long"));
    let reply = raw(server.address, headers.as_bytes()).await.expect("an answer");
    assert_eq!(reply.status, 431);
}

#[tokio::test]
async fn a_request_has_one_host() {
    let server = demo().await;
    for head in ["", "Host: a\r\nHost: b\r\n", "Host: a\r\nHost: a\r\n"] {
        let request = format!("GET /play/demo/master.m3u8 HTTP/1.1\r\n{head}\r\n");
        let reply = raw(server.address, request.as_bytes()).await.expect("an answer, and the end");
        assert_eq!(reply.status, 400, "{head:?}");
        assert_eq!(reply.header("connection"), "close");
    }
    let old = raw(server.address, b"GET /play/demo/master.m3u8 HTTP/1.0\r\n\r\n").await.expect("an answer");
    assert_eq!(old.status, 200, "HTTP/1.0 knows no Host");
}

#[tokio::test]
async fn nothing_is_smuggled() {
    let server = demo().await;
    let hidden = "GET /play/demo/video-1/11.m4s HTTP/1.1\r\nHost: x\r\n\r\n";
    for head in [
        "Content-Length: 5\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5, 6\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 99999999999999999999999\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding:\x0bchunked\r\n",
        " folded: x\r\n",
        "X: y\r\n folded\r\n",
        "X: y\rz\r\n",
        "X\0: y\r\n",
        ": y\r\n",
    ] {
        let request =
            format!("GET /play/demo/master.m3u8 HTTP/1.1\r\nHost: x\r\n{head}\r\n0\r\n\r\n{hidden}");
        let reply = raw(server.address, request.as_bytes()).await.expect("an answer, and the end");
        assert_eq!(reply.status, 400, "{head:?}");
        let text = String::from_utf8_lossy(&reply.body).into_owned();
        assert!(!text.contains("HTTP/1.1"), "{head:?}: one answer, then the end");
    }
}

#[tokio::test]
async fn other_protocols_are_sent_away() {
    let server = demo().await;
    for bytes in [
        &b"\x03\0\0\0\0\0\0\0\0"[..],
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"\r\n\r\n\r\n\r\nrubbish\r\n\r\n",
        b"GET /play/demo/master.m3u8 HTTP/9.9\r\nHost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    ] {
        let mut stream = TcpStream::connect(server.address).await.expect("a listener");
        stream.write_all(bytes).await.expect("room in the socket");
        stream.shutdown().await.expect("half closed");
        let mut reply = Vec::new();
        let _ = stream.read_to_end(&mut reply).await;
        assert!(!reply.starts_with(b"HTTP/1.1 2") && !reply.starts_with(b"HTTP/1.1 5"), "{bytes:?}");
    }
    assert_eq!(get(server.address, "/play/demo/master.m3u8").await.status, 200);
}

#[tokio::test]
async fn odd_ranges_are_ignored_or_refused() {
    let server = demo().await;
    let many: String = (0..1000).map(|at| format!("{at}-{at},")).collect();
    for (range, status) in [
        ("bytes=9-3".to_owned(), 200),
        ("bytes=-".to_owned(), 200),
        ("lines=1-2".to_owned(), 200),
        (format!("bytes={many}"), 200),
        ("bytes=18446744073709551615-18446744073709551615".to_owned(), 416),
        ("bytes=18446744073709551616-".to_owned(), 416),
        ("bytes=0-18446744073709551616".to_owned(), 206),
        ("bytes=-18446744073709551616".to_owned(), 206),
    ] {
        let reply = ask(server.address, "GET", "/play/demo/video-1/11.m4s", &[("Range", &range)]).await;
        assert_eq!(reply.status, status, "{range}");
    }
}

#[tokio::test]
async fn odd_conditions_are_no_conditions() {
    let server = demo().await;
    let tags = "\"x\", ".repeat(2000);
    for (name, value) in [
        ("If-None-Match", "\"unfinished"),
        ("If-None-Match", ",,,,"),
        ("If-None-Match", tags.as_str()),
        ("If-None-Match", "\u{e9}\u{ff}"),
        ("If-Modified-Since", "yesterday"),
        ("Accept-Encoding", "\u{e9};q=\u{ff}"),
        ("Accept-Encoding", "gzip;q=NaN"),
    ] {
        let reply = ask(server.address, "GET", "/play/demo/master.m3u8", &[(name, value)]).await;
        assert_eq!(reply.status, 200, "{name}: {value:.40}");
        assert!(!reply.has("content-encoding"));
    }
}

#[tokio::test]
async fn a_question_without_end_of_query_is_answered() {
    let server = demo().await;
    for query in ["?", "?&&&", "?=", "?s%3d1", "?%73=x", "?ll=0&x=%zz"] {
        let reply = get(server.address, &format!("/play/demo/master.m3u8{query}")).await;
        assert_eq!(reply.status, 200, "{query}");
    }
    let absolute = "http://headwater.test/play/demo/master.m3u8";
    assert_eq!(get(server.address, absolute).await.status, 200, "RFC 9112 §3.2.2");
    assert_eq!(ask(server.address, "OPTIONS", "*", &[]).await.status, 404);
    assert_eq!(get(serve(Arc::new(Shelf::default())).await.address, "/play/x/time").await.status, 200);
}
