//! `download.mp4`: one file from memory or from storage, laid out once, within limits.

mod common;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::body::{Body, to_bytes};
use common::depot::{Depot, Mood, published, view};
use common::shelf::Shelf;
use futures_util::future::join_all;
use http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, ETAG, RANGE};
use http::{Request, Response};
use origin::{Settings, router};
use packager::Presentation;
use stream::{NoStorage, Unavailable};
use tower::ServiceExt;

fn shelf(presentation: &Presentation) -> Arc<Shelf> {
    let shelf = Arc::new(Shelf::default());
    shelf.put("demo", vec![view(presentation)]);
    shelf
}

fn stored(settings: &Settings) -> (Router, Arc<Depot>) {
    let depot = Arc::new(Depot::new());
    let shown = depot.take(&published(8));
    (router(settings, shelf(&shown), depot.clone()), depot)
}

async fn get(router: &Router, query: &str, range: Option<&str>) -> Response<Body> {
    let mut request = Request::builder().uri(format!("/play/demo/download.mp4{query}"));
    if let Some(range) = range {
        request = request.header(RANGE, range);
    }
    router.clone().oneshot(request.body(Body::empty()).expect("a request")).await.expect("infallible")
}

async fn body(response: Response<Body>) -> Vec<u8> {
    to_bytes(response.into_body(), usize::MAX).await.expect("a body").into()
}

#[tokio::test]
async fn it_is_the_same_file_from_memory_and_from_storage() {
    let settings = Settings::default();
    let memory = router(&settings, shelf(&published(8)), Arc::new(NoStorage));
    let (storage, depot) = stored(&settings);
    let (one, other) = (get(&memory, "", None).await, get(&storage, "", None).await);
    assert_eq!((one.status(), other.status()), (http::StatusCode::OK, http::StatusCode::OK));
    assert_eq!(other.headers()[CONTENT_DISPOSITION], "attachment; filename=\"demo.mp4\"");
    let len = other.headers()[CONTENT_LENGTH].to_str().expect("ASCII").to_owned();
    let (one, other) = (body(one).await, body(other).await);
    assert!(one == other && len == other.len().to_string());
    assert_eq!(depot.loads(), 0, "no segment is read whole for its headers");
    let part = get(&storage, "", Some("bytes=3000-4999")).await;
    assert_eq!(part.status(), 206);
    assert!(body(part).await == one[3000..5000]);
}

#[tokio::test]
async fn many_who_ask_cost_one_reading_of_headers() {
    let (router, depot) = stored(&Settings::default());
    let asked = join_all((0..20).map(|_| get(&router, "", Some("bytes=0-0")))).await;
    assert!(asked.iter().all(|answer| answer.status() == 206));
    let tags: Vec<_> = asked.iter().map(|answer| answer.headers()[ETAG].clone()).collect();
    assert!(tags.windows(2).all(|pair| pair[0] == pair[1]));
    let once = depot.reads.load(Ordering::SeqCst);
    let again = get(&router, "", Some("bytes=0-0")).await;
    assert_eq!((again.status().as_u16(), depot.reads.load(Ordering::SeqCst)), (206, once), "it is kept");
    let sound = get(&router, "?rendition=audio-1", None).await;
    assert_ne!(sound.headers()[ETAG], tags[0], "another file");
}

#[tokio::test]
async fn what_cannot_be_is_said_in_words() {
    let (router, depot) = stored(&Settings::default());
    for (query, status) in [("?rendition=video-9", 404), ("?rendition=a&rendition=b", 400), ("?start=x", 400)]
    {
        assert_eq!(get(&router, query, None).await.status(), status, "{query}");
    }
    for (why, status) in [
        (Unavailable::Failed("a disk".into()), 503),
        (Unavailable::Damaged("a disk".into()), 410),
        (Unavailable::Gone, 410),
    ] {
        depot.be(Mood::Fails(why));
        assert_eq!(get(&router, "", None).await.status(), status);
    }
    depot.be(Mood::Well);
    assert_eq!(get(&router, "", None).await.status(), 200, "a failure is not kept");
}

#[tokio::test]
async fn files_sent_at_a_time_are_limited() {
    let (router, _) = stored(&Settings { max_downloads: 1, ..Settings::default() });
    let first = get(&router, "", None).await;
    assert_eq!(first.status(), 200);
    let refused = get(&router, "", None).await;
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    drop(first);
    assert_eq!(get(&router, "", None).await.status(), 200, "a place is free when nobody takes the file");
}
