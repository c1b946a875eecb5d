//! What is answered, and with which headers.

mod common;

use std::io::Read;
use std::sync::Arc;

use common::client::{ask, get};
use common::serve;
use common::shelf::{Builder, Shelf, joined};
use packager::manifest::{Options, dash, hls};
use stream::Found;

const SEGMENT: &str = "/play/demo/video-1/11.m4s";
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

#[tokio::test]
async fn media_has_its_bytes_type_tag_and_lasts_for_ever() {
    let (shelf, presentation) = Shelf::demo();
    let server = serve(shelf).await;
    let video = presentation.rendition("video-1").expect("a rendition");
    let segment = video.segments.get(&11).expect("a segment");
    let part = &segment.parts()[1];
    let open = &video.open.as_ref().expect("an open segment").parts[1];
    let init = segment.init().expect("an init segment");
    for (name, bytes) in [
        ("video-1/11.m4s", joined(segment.pieces())),
        ("video-1/11.1.m4s", joined(part.pieces())),
        ("video-1/13.1.m4s", joined(open.pieces())),
        ("video-1/init-3.mp4", init.bytes.to_vec()),
    ] {
        let reply = get(server.address, &format!("/play/demo/{name}")).await;
        assert_eq!(reply.status, 200, "{name}");
        assert_eq!(reply.header("content-type"), "video/mp4");
        assert_eq!(reply.header("cache-control"), IMMUTABLE);
        assert_eq!(reply.header("content-length"), bytes.len().to_string());
        assert_eq!(reply.header("accept-ranges"), "bytes");
        assert!(reply.header("etag").starts_with("\"3"), "{name}: {}", reply.header("etag"));
        assert!(reply.has("date"));
        assert!(reply.body == bytes, "{name}");
    }
    let reply = get(server.address, "/play/demo/audio-1/11.m4s").await;
    assert_eq!(reply.header("content-type"), "audio/mp4");
}

#[tokio::test]
async fn a_tag_stays_when_the_open_segment_is_finished() {
    let shelf = Arc::new(Shelf::default());
    let server = serve(shelf.clone()).await;
    let growing = Builder::new(3).part("video-1", 10, 0, 400);
    shelf.put("demo", vec![growing.view()]);
    let before = get(server.address, "/play/demo/video-1/10.0.m4s").await;
    shelf.put("demo", vec![Builder::new(3).segment("video-1", 10, 400).view()]);
    let after = get(server.address, "/play/demo/video-1/10.0.m4s").await;
    assert_eq!((before.status, after.status), (200, 200));
    assert_eq!(before.header("etag"), after.header("etag"));
    assert_eq!(before.body, after.body);
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let (shelf, _) = Shelf::demo();
    let server = serve(shelf).await;
    for target in [SEGMENT, "/play/demo/master.m3u8", "/play/demo/video-1.m3u8", "/play/demo/none.m4s"] {
        let (get, head) = (get(server.address, target).await, ask(server.address, "HEAD", target, &[]).await);
        let without_date = |headers: &[(String, String)]| {
            let mut headers = headers.to_vec();
            headers.retain(|(name, _)| name != "date");
            headers.sort();
            headers
        };
        assert_eq!(head.status, get.status);
        assert_eq!(without_date(&head.headers), without_date(&get.headers), "{target}");
        assert_eq!(head.header("content-length"), get.body.len().to_string());
        assert!(head.body.is_empty());
    }
    let head = ask(server.address, "HEAD", SEGMENT, &[("Range", "bytes=0-1")]).await;
    assert_eq!(head.status, 200, "Range means something with GET alone");
}

#[tokio::test]
async fn whoever_has_it_is_told_so() {
    let (shelf, _) = Shelf::demo();
    let server = serve(shelf).await;
    for target in [SEGMENT, "/play/demo/master.m3u8", "/play/demo/manifest.mpd"] {
        let full = get(server.address, target).await;
        let list = format!("\"other\", W/{}", full.header("etag"));
        for value in [full.header("etag"), &list, "*"] {
            for method in ["GET", "HEAD"] {
                let reply = ask(server.address, method, target, &[("If-None-Match", value)]).await;
                assert_eq!(reply.status, 304, "{target} {value}");
                for name in ["cache-control", "etag", "vary", "access-control-allow-origin"] {
                    assert_eq!(reply.header(name), full.header(name), "{target} {name}");
                }
                assert!(reply.has("date") && !reply.has("content-length") && reply.body.is_empty());
            }
        }
        let reply = ask(server.address, "GET", target, &[("If-None-Match", "\"other\"")]).await;
        assert_eq!(reply.status, 200);
    }
}

#[tokio::test]
async fn a_range_is_cut_across_pieces() {
    let (shelf, presentation) = Shelf::demo();
    let server = serve(shelf).await;
    let segment = presentation.rendition("video-1").and_then(|video| video.segments.get(&11).cloned());
    let bytes = joined(segment.expect("a segment").pieces());
    let len = bytes.len();
    for (range, expected) in [
        ("bytes=0-0".to_owned(), 0..1),
        ("bytes=40-2999".to_owned(), 40..3000),
        ("bytes=1500-".to_owned(), 1500..len),
        ("bytes=-7".to_owned(), len - 7..len),
        (format!("bytes=100-{len}"), 100..len),
    ] {
        let reply = ask(server.address, "GET", SEGMENT, &[("Range", &range)]).await;
        assert_eq!(reply.status, 206, "{range}");
        let said = format!("bytes {}-{}/{len}", expected.start, expected.end - 1);
        assert_eq!(reply.header("content-range"), said);
        assert_eq!(reply.header("content-length"), expected.len().to_string());
        assert_eq!(reply.header("cache-control"), IMMUTABLE);
        assert!(reply.body == bytes[expected], "{range}");
    }
    let reply = ask(server.address, "GET", SEGMENT, &[("Range", &format!("bytes={len}-"))]).await;
    assert_eq!((reply.status, reply.header("content-range")), (416, &*format!("bytes */{len}")));
    assert_eq!(reply.header("cache-control"), "no-store");
    reply.problem();
}

#[tokio::test]
async fn if_range_guards_a_range() {
    let (shelf, _) = Shelf::demo();
    let server = serve(shelf).await;
    let etag = get(server.address, SEGMENT).await.header("etag").to_owned();
    for (value, status) in
        [(etag.clone(), 206), (format!("W/{etag}"), 200), ("Sun, 22 Nov 2026 01:03:52 GMT".to_owned(), 200)]
    {
        let headers = [("Range", "bytes=0-1"), ("If-Range", &*value)];
        assert_eq!(ask(server.address, "GET", SEGMENT, &headers).await.status, status, "{value}");
    }
    let headers = [("Range", "bytes=0-1"), ("If-None-Match", &*etag)];
    assert_eq!(ask(server.address, "GET", SEGMENT, &headers).await.status, 304);
}

#[tokio::test]
async fn manifests_are_those_of_the_packager() {
    let (shelf, presentation) = Shelf::demo();
    let server = serve(shelf).await;
    let video = presentation.rendition("video-1").expect("a rendition");
    for (name, body, mime_type, cache_control) in [
        (
            "master.m3u8",
            hls::multivariant(&presentation, &Options::default()),
            "application/vnd.apple.mpegurl",
            "max-age=2",
        ),
        (
            "video-1.m3u8",
            hls::media(&presentation, video, &Options::default()),
            "application/vnd.apple.mpegurl",
            "max-age=3",
        ),
        (
            "video-1.m3u8?s=3",
            hls::media(&presentation, video, &Options::default().pinned()),
            "application/vnd.apple.mpegurl",
            "max-age=3",
        ),
        // It has news with every part.
        (
            "manifest.mpd",
            dash::mpd(&presentation, &Options::default()),
            "application/dash+xml",
            "max-age=0, s-maxage=1",
        ),
        (
            "manifest.mpd?s=3",
            dash::mpd(&presentation, &Options::default().pinned()),
            "application/dash+xml",
            "max-age=0, s-maxage=1",
        ),
        (
            "manifest.mpd?ll=0",
            dash::mpd(&presentation, &Options { low_latency: false, ..Options::default() }),
            "application/dash+xml",
            "max-age=3",
        ),
    ] {
        let range = [("Range", "bytes=0-1")];
        let reply = ask(server.address, "GET", &format!("/play/demo/{name}"), &range).await;
        assert_eq!(reply.status, 200, "{name}");
        assert_eq!(reply.header("content-type"), mime_type);
        assert_eq!(reply.header("cache-control"), format!("public, {cache_control}"), "{name}");
        assert_eq!(reply.header("vary"), "Accept-Encoding");
        assert!(!reply.has("accept-ranges"));
        assert_eq!(String::from_utf8(reply.body), Ok(body), "{name}");
    }
}

#[tokio::test]
async fn manifests_of_an_ended_entry_are_kept_for_two_seconds() {
    let shelf = Arc::new(Shelf::default());
    shelf.put("demo", vec![Builder::new(3).segment("video-1", 10, 400).end().view()]);
    let server = serve(shelf).await;
    for name in ["master.m3u8", "video-1.m3u8", "manifest.mpd", "manifest.mpd?s=3", "video-1.m3u8?s=3"] {
        let reply = get(server.address, &format!("/play/demo/{name}")).await;
        assert_eq!((reply.status, reply.header("cache-control")), (200, "public, max-age=2"), "{name}");
    }
}

#[tokio::test]
async fn gzip_is_another_body_with_another_tag() {
    let (shelf, _) = Shelf::demo();
    let server = serve(shelf).await;
    let target = "/play/demo/video-1.m3u8";
    let plain = get(server.address, target).await;
    let gzip = ask(server.address, "GET", target, &[("Accept-Encoding", "br, gzip;q=0.9")]).await;
    assert_eq!((plain.header("content-encoding"), gzip.header("content-encoding")), ("", "gzip"));
    assert_ne!(plain.header("etag"), gzip.header("etag"));
    assert_eq!(gzip.header("vary"), "Accept-Encoding");
    let mut unzipped = Vec::new();
    flate2::read::GzDecoder::new(&*gzip.body).read_to_end(&mut unzipped).expect("gzip");
    assert_eq!(unzipped, plain.body);
    let refused = ask(server.address, "GET", target, &[("Accept-Encoding", "gzip;q=0, *")]).await;
    assert_eq!(refused.header("content-encoding"), "");
    let headers = [("Accept-Encoding", "gzip"), ("If-None-Match", gzip.header("etag"))];
    assert_eq!(ask(server.address, "GET", target, &headers).await.status, 304);
    let segment = ask(server.address, "GET", SEGMENT, &[("Accept-Encoding", "gzip")]).await;
    assert!(!segment.has("content-encoding") && !segment.has("vary"));
}

#[tokio::test]
async fn each_absence_has_its_status_and_reason() {
    let (shelf, _) = Shelf::demo();
    shelf.state("offline", Found::Offline, Vec::new());
    shelf.state("starting", Found::Starting, Vec::new());
    shelf.put("unplayable", vec![Builder::new(1).part("video-1", 1, 0, 10).view()]);
    let some_video = Builder::new(1).segment("video-1", 1, 10).gap("video-1", 2).part("audio-1", 1, 0, 9);
    shelf.put("gappy", vec![some_video.view()]);
    let server = serve(shelf).await;
    for (target, status, cache_control) in [
        ("/play/none/master.m3u8", 404, "public, max-age=1"),
        ("/play/none/video-1/1.m4s", 404, "public, max-age=1"),
        ("/play/offline/master.m3u8", 404, "public, max-age=1"),
        ("/play/offline/video-1/1.m4s", 404, "public, max-age=1"),
        ("/play/starting/master.m3u8", 503, "no-store"),
        ("/play/starting/video-1/1.m4s", 503, "no-store"),
        ("/play/unplayable/master.m3u8", 503, "no-store"),
        ("/play/unplayable/video-1.m3u8", 503, "no-store"),
        ("/play/unplayable/manifest.mpd", 503, "no-store"),
        ("/play/unplayable/video-1/1.0.m4s", 200, IMMUTABLE),
        ("/play/gappy/audio-1.m3u8", 503, "no-store"),
        ("/play/gappy/video-1/2.m4s", 410, "public, max-age=1"),
        ("/play/gappy/video-1/0.m4s", 410, "public, max-age=1"),
        ("/play/gappy/video-1/1.2.m4s", 410, "public, max-age=1"),
        ("/play/gappy/video-1/init-0.mp4", 410, "public, max-age=1"),
        ("/play/gappy/video-1/init-2.mp4", 404, "public, max-age=1"),
        ("/play/gappy/video-1/3.m4s", 404, "public, max-age=1"),
        ("/play/gappy/video-2/1.m4s", 404, "public, max-age=1"),
        ("/play/gappy/video-2.m3u8", 404, "public, max-age=1"),
        ("/play/demo/video-1/14.m4s", 404, "public, max-age=1"),
        ("/play/demo/video-1/13.3.m4s", 404, "public, max-age=1"),
        ("/play/demo/video-1.m3u8?s=4", 404, "public, max-age=1"),
        ("/play/demo/video-1.m3u8?s=x", 400, "no-store"),
        ("/play/demo/master.m3u8?s=3&s=3", 400, "no-store"),
        ("/play/demo/thumb.jpg", 404, "public, max-age=1"),
        ("/", 404, "public, max-age=1"),
    ] {
        let reply = get(server.address, target).await;
        assert_eq!((reply.status, reply.header("cache-control")), (status, cache_control), "{target}");
        assert_eq!(reply.header("access-control-allow-origin"), "*");
        assert_eq!(reply.header("retry-after"), if status == 503 { "1" } else { "" });
        if status != 200 {
            assert!(!reply.problem().is_empty());
        }
    }
    let reply = get(server.address, "/play/offline/master.m3u8").await;
    assert_eq!(reply.problem(), "the entry is not live");
}

#[tokio::test]
async fn what_left_memory_is_gone() {
    let mut builder = Builder::new(3);
    for number in 10..30 {
        builder = builder.segment("video-1", number, 40);
    }
    let shelf = Arc::new(Shelf::default());
    shelf.put("demo", vec![builder.view()]);
    let server = serve(shelf).await;
    for (number, status) in [(10, 410), (19, 410), (20, 200), (29, 200), (30, 404)] {
        let reply = get(server.address, &format!("/play/demo/video-1/{number}.m4s")).await;
        assert_eq!(reply.status, status, "{number}");
    }
}

#[tokio::test]
async fn bytes_of_an_earlier_session_stay() {
    let earlier = Builder::new(3).segment("video-1", 10, 40).segment("audio-1", 10, 40).end();
    let later = Builder::new(4).segment("video-1", 12, 50).part("video-1", 13, 0, 50);
    let shelf = Arc::new(Shelf::default());
    shelf.put("demo", vec![later.view(), earlier.view()]);
    shelf.state("restarting", Found::Starting, vec![earlier.view()]);
    let server = serve(shelf).await;
    for (target, status) in [
        ("/play/demo/video-1/10.m4s", 200),
        ("/play/demo/video-1/10.1.m4s", 200),
        ("/play/demo/video-1/init-3.mp4", 200),
        ("/play/demo/video-1/init-4.mp4", 200),
        ("/play/demo/audio-1/10.m4s", 200),
        ("/play/demo/video-1/12.m4s", 200),
        ("/play/demo/video-1/13.0.m4s", 200),
        // Burnt between the sessions.
        ("/play/demo/video-1/11.m4s", 410),
        ("/play/demo/video-1/14.m4s", 404),
        // Sound may come back in the later session.
        ("/play/demo/audio-1/13.m4s", 404),
        ("/play/demo/video-1.m3u8?s=3", 200),
        ("/play/demo/audio-1.m3u8?s=3", 200),
        ("/play/demo/audio-1.m3u8", 404),
        ("/play/demo/manifest.mpd?s=3", 200),
        ("/play/restarting/video-1/10.m4s", 200),
        ("/play/restarting/master.m3u8", 503),
        ("/play/restarting/master.m3u8?s=3", 200),
    ] {
        assert_eq!(get(server.address, target).await.status, status, "{target}");
    }
}

#[tokio::test]
async fn pages_of_any_site_may_play() {
    let (shelf, _) = Shelf::demo();
    let server = serve(shelf).await;
    let asks = [
        ("Origin", "https://player.example"),
        ("Access-Control-Request-Method", "GET"),
        ("Access-Control-Request-Headers", "range"),
    ];
    let reply = ask(server.address, "OPTIONS", SEGMENT, &asks).await;
    assert_eq!(reply.status, 204);
    assert_eq!(reply.header("access-control-allow-origin"), "*");
    assert_eq!(reply.header("access-control-allow-methods"), "GET, HEAD, OPTIONS");
    assert!(reply.header("access-control-allow-headers").contains("Range"));
    let reply = get(server.address, SEGMENT).await;
    for name in ["Content-Length", "Content-Range", "ETag", "Date", "Server-Timing"] {
        assert!(reply.header("access-control-expose-headers").contains(name), "{name}");
    }
}

#[tokio::test]
async fn nothing_can_be_changed() {
    let (shelf, _) = Shelf::demo();
    let server = serve(shelf).await;
    for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE", "BREW"] {
        let reply = ask(server.address, method, SEGMENT, &[]).await;
        assert_eq!((reply.status, reply.header("allow")), (405, "GET, HEAD, OPTIONS"), "{method}");
        reply.problem();
    }
}

#[tokio::test]
async fn the_clock_is_utc_with_milliseconds() {
    let server = serve(Arc::new(Shelf::default())).await;
    let reply = get(server.address, "/play/any/time?x=1").await;
    assert_eq!((reply.status, reply.header("cache-control")), (200, "no-store"));
    assert!(reply.header("content-type").starts_with("text/plain"));
    assert_eq!(reply.header("access-control-allow-origin"), "*");
    let text = String::from_utf8(reply.body).expect("text");
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000Z", "{text}");
}
