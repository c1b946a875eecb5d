//! Requests that wait for what comes next (RFC 8216bis §6.2.5.2, §6.2.6), in paused time.

mod common;

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use common::shelf::{Builder, Shelf, joined};
use http::{HeaderMap, Method, Request};
use origin::{Metrics, Server, Settings, router};
use prometheus_client::registry::Registry;
use stream::NoStorage;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tower::ServiceExt;

/// An answer, and after how long it came.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
    after: Duration,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("ASCII"))
    }

    /// Status, caching, and whole seconds of waiting.
    fn told(&self) -> (u16, &str, u64) {
        (self.status, self.header("cache-control"), self.after.as_secs())
    }
}

/// Asks for what is below the entry `demo`.
fn ask(shelf: &Arc<Shelf>, below: &str) -> JoinHandle<Answer> {
    let (router, target) =
        (router(&Settings::default(), shelf.clone(), Arc::new(NoStorage)), format!("/play/demo/{below}"));
    tokio::spawn(async move {
        let begun = Instant::now();
        let request = Request::builder().method(Method::GET).uri(target).body(Body::empty()).expect("valid");
        let response = router.oneshot(request).await.expect("infallible");
        let after = begun.elapsed();
        let (head, body) = response.into_parts();
        let body = to_bytes(body, 1 << 20).await.expect("a whole body");
        let body = String::from_utf8_lossy(&body).into_owned();
        Answer { status: head.status.as_u16(), headers: head.headers, body, after }
    })
}

async fn answer(shelf: &Arc<Shelf>, below: &str) -> Answer {
    ask(shelf, below).await.expect("no panic")
}

/// Video and audio with segments 10 to 12 of two parts each, and `parts` of 13; the target duration is 6 s.
fn live(parts: u32) -> Builder {
    let mut builder = Builder::new(3);
    for name in ["video-1", "audio-1"] {
        for number in 10..13 {
            builder = builder.segment(name, number, 3000);
        }
        for index in 0..parts {
            builder = builder.part(name, 13, index, 500 + index as usize);
        }
    }
    builder
}

fn shelf(builder: &Builder) -> Arc<Shelf> {
    let shelf = Arc::new(Shelf::default());
    shelf.put("demo", vec![builder.view()]);
    shelf
}

/// What happens after a second of waiting.
async fn then(shelf: &Shelf, builder: &Builder) {
    sleep(Duration::from_secs(1)).await;
    shelf.put("demo", vec![builder.view()]);
}

const AWAITED: &str = "public, max-age=36";
const ABSENT: &str = "public, max-age=1";

/// RFC 8216bis §6.2.5.2: `_HLS_msn` alone waits for the whole segment, with `_HLS_part` for the part.
#[tokio::test(start_paused = true)]
async fn a_playlist_comes_when_it_lists_what_was_asked_for() {
    let shelf = shelf(&live(1));
    let part = ask(&shelf, "video-1.m3u8?_HLS_msn=13&_HLS_part=1");
    let whole = ask(&shelf, "video-1.m3u8?_HLS_msn=13");
    let pinned = ask(&shelf, "video-1.m3u8?_HLS_part=1&s=3&_HLS_msn=13");
    then(&shelf, &live(2)).await;
    for answer in [part.await.expect("no panic"), pinned.await.expect("no panic")] {
        assert_eq!(answer.told(), (200, AWAITED, 1));
        assert!(
            answer.body.contains("13.1.m4s") && !answer.body.contains("video-1/13.m4s"),
            "{}",
            answer.body
        );
    }
    then(&shelf, &live(0).segment("video-1", 13, 3000)).await;
    let whole = whole.await.expect("no panic");
    assert_eq!(whole.told(), (200, AWAITED, 2));
    assert!(whole.body.contains("\nvideo-1/13.m4s\n"));
}

/// RFC 8216bis §6.2.5.2: the entire playlist even if the segment is not its last one or has left it, and a part past the
/// end of its segment is part 0 of the next.
#[tokio::test(start_paused = true)]
async fn what_is_listed_already_is_not_waited_for() {
    let shelf = shelf(&live(1));
    for query in ["_HLS_msn=12", "_HLS_msn=1", "_HLS_msn=0&_HLS_part=9", "_HLS_msn=12&_HLS_part=1"] {
        let answer = answer(&shelf, &format!("video-1.m3u8?{query}")).await;
        assert_eq!(answer.told(), (200, AWAITED, 0), "{query}");
        assert!(answer.body.contains("MEDIA-SEQUENCE:10"), "{query}");
    }
    assert_eq!(answer(&shelf, "video-1.m3u8?_HLS_msn=12&_HLS_part=2").await.told(), (200, AWAITED, 0));
    let closed = crate::shelf(&live(0));
    let past = ask(&closed, "video-1.m3u8?_HLS_msn=12&_HLS_part=2");
    then(&closed, &live(1)).await;
    let past = past.await.expect("no panic");
    assert_eq!(past.told(), (200, AWAITED, 1));
    assert!(past.body.contains("13.0.m4s"));
}

/// RFC 8216bis §6.2.5.2: Bad Request. Parts of 3 s have an Advance Part Limit of three.
#[tokio::test(start_paused = true)]
async fn nonsense_and_what_is_too_far_ahead_are_refused_at_once() {
    let shelf = shelf(&live(1));
    for (query, reason) in [
        ("_HLS_part=0", "part-without-msn"),
        ("_HLS_msn=x", "bad-msn"),
        ("_HLS_msn=99999999999999999999", "bad-msn"),
        ("_HLS_msn=13&_HLS_msn=13", "bad-msn"),
        ("_HLS_msn=13&_HLS_part=-1", "bad-part"),
        ("_HLS_skip=NO", "bad-skip"),
        ("_HLS_msn=15", "too-far-ahead"),
        ("_HLS_msn=18446744073709551615&_HLS_part=18446744073709551615", "too-far-ahead"),
        ("_HLS_msn=13&_HLS_part=4", "too-far-ahead"),
        ("_HLS_msn=14&_HLS_part=3", "too-far-ahead"),
        ("_HLS_msn=12&_HLS_part=5", "too-far-ahead"),
    ] {
        let answer = answer(&shelf, &format!("video-1.m3u8?{query}")).await;
        assert_eq!(answer.told(), (400, "no-store", 0), "{query}");
        assert!(answer.body.contains(&format!(r#""reason":"{reason}""#)), "{query}: {}", answer.body);
    }
    for query in ["_HLS_msn=14", "_HLS_msn=13&_HLS_part=3", "_HLS_msn=14&_HLS_part=2"] {
        assert_eq!(answer(&shelf, &format!("video-1.m3u8?{query}")).await.status, 503, "{query} may come");
    }
}

/// RFC 8216bis §6.2.5.2: Service Unavailable after three target durations, never an unchanged playlist.
#[tokio::test(start_paused = true)]
async fn what_does_not_come_in_time_is_unavailable() {
    let shelf = shelf(&live(1));
    let asked = ask(&shelf, "video-1.m3u8?_HLS_msn=13&_HLS_part=1");
    // Something else happens meanwhile.
    then(&shelf, &live(1).part("audio-1", 13, 1, 9)).await;
    let late = asked.await.expect("no panic");
    assert_eq!((late.told(), late.header("retry-after")), ((503, "no-store", 18), "6"));
    assert!(late.body.contains("not-in-time"));
}

/// RFC 8216bis §6.2.5.2: with EXT-X-ENDLIST the directives mean nothing.
#[tokio::test(start_paused = true)]
async fn the_end_lets_everybody_go() {
    let shelf = shelf(&live(1));
    let waiting =
        ["video-1.m3u8?_HLS_msn=13", "audio-1.m3u8?s=3&_HLS_msn=13&_HLS_part=1"].map(|it| ask(&shelf, it));
    let ended = live(1).end();
    then(&shelf, &ended).await;
    for waiting in waiting {
        let answer = waiting.await.expect("no panic");
        assert_eq!(answer.told(), (200, "public, max-age=2", 1));
        assert!(answer.body.ends_with("#EXT-X-ENDLIST\n") && !answer.body.contains("EXT-X-PART"));
    }
    let asked = answer(&shelf, "video-1.m3u8?_HLS_msn=99&_HLS_part=7&_HLS_skip=YES").await;
    assert_eq!(asked.told(), (200, "public, max-age=2", 0));
    assert!(!asked.body.contains("EXT-X-SKIP"));
}

/// A stream that is gone lets go of who waits for it, too.
#[tokio::test(start_paused = true)]
async fn who_waits_for_what_is_gone_is_told() {
    let shelf = shelf(&live(1));
    let waiting = ask(&shelf, "video-1.m3u8?_HLS_msn=13");
    sleep(Duration::from_secs(1)).await;
    shelf.state("demo", stream::Found::Offline, Vec::new());
    assert_eq!(waiting.await.expect("no panic").told(), (404, ABSENT, 1));
}

/// Without parts there is nothing but whole segments to wait for.
#[tokio::test(start_paused = true)]
async fn a_plain_playlist_is_asked_for_whole_segments() {
    let shelf = shelf(&live(1));
    let plain = answer(&shelf, "video-1.m3u8?ll=0").await;
    for tag in ["EXT-X-PART", "SERVER-CONTROL", "PRELOAD-HINT", "RENDITION-REPORT"] {
        assert!(!plain.body.contains(tag), "{tag}");
    }
    let asked = ask(&shelf, "video-1.m3u8?ll=0&_HLS_msn=13&_HLS_part=0&_HLS_skip=YES");
    then(&shelf, &live(0).segment("video-1", 13, 3000)).await;
    let answer = asked.await.expect("no panic");
    assert_eq!(answer.told(), (200, AWAITED, 1));
    assert!(answer.body.contains("\nvideo-1/13.m4s\n") && !answer.body.contains("EXT-X-PART"));
}

/// RFC 8216bis §6.2.6: nothing of a part before all of it, then the part as it will always be.
#[tokio::test(start_paused = true)]
async fn a_hinted_part_is_waited_for_and_is_the_part() {
    let shelf = shelf(&live(1));
    let playlist = answer(&shelf, "video-1.m3u8").await.body;
    assert!(playlist.contains("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"video-1/13.1.m4s\"\n"), "{playlist}");
    let hinted = ask(&shelf, "video-1/13.1.m4s");
    let first_of_next = ask(&shelf, "video-1/14.0.m4s");
    let two = live(2);
    then(&shelf, &two).await;
    let hinted = hinted.await.expect("no panic");
    assert_eq!(hinted.told(), (200, "public, max-age=31536000, immutable", 1));
    let later = answer(&shelf, "video-1/13.1.m4s").await;
    assert_eq!((later.body == hinted.body, later.headers == hinted.headers), (true, true));
    let part = &two.presentation.rendition("video-1").expect("video").open.as_ref().expect("open").parts[1];
    assert_eq!(hinted.body, String::from_utf8_lossy(&joined(part.pieces())));
    then(&shelf, &live(0).segment("video-1", 13, 3000).part("video-1", 14, 0, 100)).await;
    assert_eq!(first_of_next.await.expect("no panic").told().0, 200);
}

/// RFC 8216bis §6.2.6: Not Found for what is not hinted, and for what was hinted and is not made.
#[tokio::test(start_paused = true)]
async fn what_is_not_made_is_not_found() {
    let shelf = shelf(&live(2));
    for ahead in ["video-1/13.3.m4s", "video-1/14.1.m4s", "video-1/15.0.m4s", "video-1/init-4.mp4"] {
        assert_eq!(answer(&shelf, ahead).await.told(), (404, ABSENT, 0), "{ahead}");
    }
    let never = ask(&shelf, "video-1/13.2.m4s");
    then(&shelf, &live(0).segment("video-1", 13, 3000)).await;
    let never = never.await.expect("no panic");
    assert_eq!(never.told(), (404, ABSENT, 1));
    assert!(never.body.contains("never-made"));
    let late = answer(&shelf, "video-1/14.0.m4s").await;
    assert_eq!((late.told(), late.header("retry-after")), ((503, "no-store", 18), "6"));
    let over = ask(&shelf, "video-1/14.0.m4s");
    then(&shelf, &live(0).segment("video-1", 13, 3000).end()).await;
    assert_eq!(over.await.expect("no panic").told(), (404, ABSENT, 1));
}

/// RFC 8216bis §6.2.2: parts stay for three target durations after they left the playlist, their segment for longer.
#[tokio::test(start_paused = true)]
async fn parts_are_gone_before_their_segment_is() {
    let builder = (10..18).fold(Builder::new(3), |builder, number| builder.segment("video-1", number, 3000));
    let shelf = shelf(&builder);
    let status = async |below: &str| answer(&shelf, below).await.status;
    assert_eq!((status("video-1/11.m4s").await, status("video-1/10.m4s").await), (200, 200));
    assert_eq!((status("video-1/11.0.m4s").await, status("video-1/10.0.m4s").await), (200, 410));
}

/// RFC 8216bis §4.4.5.3: what may never come is not hinted at. Players ask for it again and again, and miss the end.
#[tokio::test(start_paused = true)]
async fn between_two_periods_nothing_is_hinted_at() {
    let hints = async |builder: Builder| {
        let playlist = answer(&shelf(&builder), "video-1.m3u8").await.body;
        playlist.lines().filter(|line| line.contains("PRELOAD-HINT")).count()
    };
    assert_eq!((hints(live(0)).await, hints(live(0).closed()).await), (1, 0));
}

/// Whoever waits keeps nothing of the stream in memory.
#[tokio::test(start_paused = true)]
async fn a_waiter_holds_no_snapshot() {
    let shelf = Arc::new(Shelf::default());
    let view = live(1).view();
    shelf.put("demo", vec![view.clone()]);
    let before = Arc::strong_count(&view);
    let waiting = ["video-1.m3u8?_HLS_msn=13", "video-1/13.1.m4s"].map(|below| ask(&shelf, below));
    sleep(Duration::from_secs(1)).await;
    assert_eq!(Arc::strong_count(&view), before);
    waiting.iter().for_each(JoinHandle::abort);
}

/// `http.max_waiting`: further requests are refused, and leaving gives the place back.
#[tokio::test]
async fn only_so_many_wait_and_they_are_counted() {
    let shelf = shelf(&live(1));
    let settings = Settings { max_waiting: 1, ..Settings::default() };
    let (metrics, mut registry) = (Metrics::default(), Registry::default());
    metrics.register(&mut registry);
    let blocked = || {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).expect("a String takes all");
        text.lines().find_map(|line| line.strip_prefix("http_blocked_requests ")?.parse().ok()).unwrap_or(-1)
    };
    let server =
        common::run(Server::new(settings, shelf.clone(), Arc::new(NoStorage)).measured(&metrics)).await;
    let target = "/play/demo/video-1.m3u8?_HLS_msn=13";
    let address = server.address;
    let waiting = tokio::spawn(async move { common::client::get(address, target).await });
    let count = async |wanted: i64| {
        for _ in 0..500 {
            if blocked() == wanted {
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("{} wait, not {wanted}", blocked());
    };
    count(1).await;
    let refused = common::client::get(address, target).await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, "6"));
    assert!(refused.problem().contains("http.max_waiting"));
    waiting.abort();
    count(0).await;
    let waiting = tokio::spawn(async move { common::client::get(address, target).await });
    count(1).await;
    shelf.put("demo", vec![live(0).segment("video-1", 13, 3000).view()]);
    assert_eq!(waiting.await.expect("no panic").status, 200);
    count(0).await;
}
