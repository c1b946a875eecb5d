//! What caches, browsers and players rely on, over the whole life of a segment.

use std::io::Read;
use std::process::Command;

use flate2::read::GzDecoder;

use crate::support::dash::Mpd;
use crate::support::hls::Media;
use crate::support::http::{Answer, get, request};
use crate::support::server::Entry;
use crate::support::source::{Source, USUAL};
use crate::support::{Push, Server, within};

const SEGMENT: &str = "public, max-age=31536000, immutable";

/// Waits for its encoder, with a short window: the playlist lists three segments, some more can be fetched.
struct Paused {
    server: Server,
    play: Entry,
    media: Media,
}

impl Paused {
    fn new() -> Paused {
        // What is recorded can be fetched for longer.
        let settings = "recorder.mode = \"off\"\npackager = { segment = \"1s\", window = \"3s\" }\ndvr.window = \"3s\"\n";
        let server = Server::start(settings, &["e"]);
        let play = server.play("e");
        Push::fast(&server, "e", &Source { gop: 25, ..USUAL }.file()).done();
        within(5, "the last segment is finished", || {
            let mpd = Mpd::parse(&play.wait_for("manifest.mpd"));
            mpd.periods.iter().all(|period| period.duration.is_some()).then_some(())
        });
        let media = Media::parse(&play.wait_for("video-1.m3u8"));
        assert_eq!(media.segments.len(), 3);
        Paused { server, play, media }
    }

    /// A segment that is listed.
    fn segment(&self) -> String {
        self.play.url(&self.media.last().uri)
    }
}

fn ask(url: &str, name: &str, value: &str) -> Answer {
    get(url, &[(name, value)])
}

#[test]
fn each_kind_of_answer_says_how_long_it_may_be_kept() {
    let site = Paused::new();
    let newest = site.media.last().number;
    let number = |number: u64| format!("video-1/{number}.m4s");
    let init = site.media.last().map.clone();
    for (path, status, kept, kind) in [
        (number(newest).as_str(), 200, SEGMENT, "video/mp4"),
        (&format!("video-1/{newest}.0.m4s"), 200, SEGMENT, "video/mp4"),
        (&init, 200, SEGMENT, "video/mp4"),
        (&number(newest).replace("video", "audio"), 200, SEGMENT, "audio/mp4"),
        ("master.m3u8", 200, "public, max-age=2", "application/vnd.apple.mpegurl"),
        ("video-1.m3u8", 200, "public, max-age=1", "application/vnd.apple.mpegurl"),
        ("manifest.mpd", 200, "public, max-age=0, s-maxage=1", "application/dash+xml"),
        (&number(newest + 1), 404, "public, max-age=1", "application/problem+json"),
        (&number(newest - 11), 410, "public, max-age=1", "application/problem+json"),
        ("video-2.m3u8", 404, "public, max-age=1", "application/problem+json"),
        ("video-1.m3u8?s=17", 404, "public, max-age=1", "application/problem+json"),
        ("video-1.m3u8?s=x", 400, "no-store", "application/problem+json"),
        ("nothing/0.m4s", 404, "public, max-age=1", "application/problem+json"),
    ] {
        let answer = site.play.get(path);
        let said = (answer.status, answer.header("cache-control"), answer.header("content-type"));
        assert_eq!(said, (status, kept, kind), "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
        assert_eq!(answer.header("content-length"), answer.body.len().to_string(), "{path}");
        let tagged = answer.header("etag").starts_with('"');
        assert_eq!(tagged, status == 200, "{path}: a strong ETag");
    }
    let nobody = site.server.play("nobody").get("master.m3u8");
    assert_eq!((nobody.status, nobody.header("cache-control")), (404, "public, max-age=1"));
}

#[test]
fn segments_stay_for_a_while_after_they_left_the_playlist_and_are_gone_then() {
    let site = Paused::new();
    let newest = site.media.last().number;
    let status = |number: u64| site.play.get(&format!("video-1/{number}.m4s")).status;
    let statuses: Vec<u16> = (newest - 11..=newest).map(status).collect();
    let (gone, kept) = statuses.split_at(statuses.iter().filter(|&&status| status == 410).count());
    assert!(gone.iter().all(|&status| status == 410), "{statuses:?}");
    assert!(kept.iter().all(|&status| status == 200), "{statuses:?}");
    // After it left: its own duration and that of the longest playlist (RFC 8216bis §6.2.2).
    assert!(kept.len() > 3 + 3, "{statuses:?}");
    assert!(!gone.is_empty(), "{statuses:?}");
    assert_eq!(status(newest + 1), 404);
}

#[test]
fn what_a_peer_has_is_not_sent_again() {
    let site = Paused::new();
    for url in [site.segment(), site.play.url("video-1.m3u8"), site.play.url("manifest.mpd")] {
        let whole = get(&url, &[]);
        let etag = whole.header("etag").to_owned();
        for value in [etag.clone(), format!("\"other\", {etag}"), format!("W/{etag}"), "*".to_owned()] {
            let answer = ask(&url, "if-none-match", &value);
            assert_eq!((answer.status, answer.body.len()), (304, 0), "{url} {value}");
            assert_eq!(answer.header("etag"), etag);
            assert_eq!(answer.header("cache-control"), whole.header("cache-control"));
        }
        let answer = ask(&url, "if-none-match", "\"other\"");
        assert_eq!((answer.status, answer.body == whole.body), (200, true), "{url}");
    }
}

#[test]
fn head_is_get_without_a_body() {
    let site = Paused::new();
    for url in [site.segment(), site.play.url("video-1.m3u8"), site.play.url("nothing.m3u8")] {
        let (get, head) = (get(&url, &[]), request("HEAD", &url, &[]));
        assert_eq!((head.status, head.body.len()), (get.status, 0), "{url}");
        for name in ["content-length", "content-type", "etag", "cache-control"] {
            assert_eq!(head.header(name), get.header(name), "{url} {name}");
        }
    }
}

#[test]
fn ranges_of_a_segment() {
    let site = Paused::new();
    let url = site.segment();
    let whole = get(&url, &[]).body;
    let len = whole.len();
    for (range, from, to) in [
        ("bytes=0-99".to_owned(), 0, 100),
        ("bytes=100-".to_owned(), 100, len),
        ("bytes=-100".to_owned(), len - 100, len),
        (format!("bytes={}-{}", len / 3, len / 2), len / 3, len / 2 + 1),
        (format!("bytes=7-{}", len * 2), 7, len),
    ] {
        let answer = ask(&url, "range", &range);
        assert_eq!(answer.status, 206, "{range}");
        assert_eq!(answer.header("content-range"), format!("bytes {from}-{}/{len}", to - 1));
        assert!(answer.body == whole[from..to], "{range}");
    }
    let past = ask(&url, "range", &format!("bytes={len}-"));
    assert_eq!((past.status, past.header("content-range")), (416, format!("bytes */{len}").as_str()));
    let stale = get(&url, &[("range", "bytes=0-9"), ("if-range", "\"other\"")]);
    assert_eq!((stale.status, stale.body.len()), (200, len));
}

#[test]
fn manifests_are_compressed_for_who_likes_it_and_media_is_not() {
    let site = Paused::new();
    for path in ["master.m3u8", "video-1.m3u8", "manifest.mpd"] {
        let url = site.play.url(path);
        let (plain, packed) = (get(&url, &[]), ask(&url, "accept-encoding", "br, gzip"));
        assert_eq!((plain.header("content-encoding"), packed.header("content-encoding")), ("", "gzip"));
        let mut unpacked = Vec::new();
        GzDecoder::new(&packed.body[..]).read_to_end(&mut unpacked).expect("gzip");
        assert!(unpacked == plain.body, "{path}");
        assert_ne!(packed.header("etag"), plain.header("etag"), "{path}");
        for answer in [plain, packed] {
            assert!(answer.header("vary").to_lowercase().contains("accept-encoding"), "{path}");
        }
        assert_eq!(ask(&url, "accept-encoding", "gzip;q=0").header("content-encoding"), "");
    }
    assert_eq!(ask(&site.segment(), "accept-encoding", "gzip").header("content-encoding"), "");
}

#[test]
fn a_page_of_any_site_may_read() {
    let site = Paused::new();
    let asked = [("origin", "https://example.org"), ("access-control-request-method", "GET")];
    let answer = request(
        "OPTIONS",
        &site.segment(),
        &[&asked[..], &[("access-control-request-headers", "range")]].concat(),
    );
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert!(answer.header("access-control-allow-methods").contains("GET"));
    assert!(answer.header("access-control-allow-headers").to_lowercase().contains("range"));
    let exposed = ask(&site.segment(), "origin", "https://example.org");
    assert!(exposed.header("access-control-expose-headers").contains("Content-Range"));
    assert_eq!(request("DELETE", &site.segment(), &[]).status, 405);
}

#[test]
fn http_2_without_tls() {
    let site = Paused::new();
    let whole = get(&site.segment(), &[]).body;
    let arguments =
        ["--silent", "--http2-prior-knowledge", "--write-out", "%{stderr}%{http_version} %{http_code}"];
    let output = Command::new("curl").args(arguments).arg(site.segment()).output().expect("curl runs");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "2 200");
    assert!(output.stdout == whole, "the same bytes by either version");
}
