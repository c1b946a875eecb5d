//! Which URL is which page.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use http::HeaderMap;
use packager::names::is_entry_id;

use crate::answer::{self, Framing};
use crate::files::{self, Files};
use crate::unbuilt;

/// `/watch/ENTRY`, `/embed/ENTRY` and what they need, below `/assets/`. To be merged with a playback plane.
pub fn router() -> Router {
    router_of(files::built)
}

fn router_of(files: Files) -> Router {
    Router::new()
        .route("/watch/{entry}", get(watch))
        .route("/watch/{entry}/", get(without_slash))
        .route("/embed/{entry}", get(embed))
        .route("/embed/{entry}/", get(without_slash))
        .route("/assets/{*path}", get(asset))
        .with_state(files)
}

async fn watch(State(files): State<Files>, Path(entry): Path<String>, headers: HeaderMap) -> Response {
    page(&entry, files("watch.html").as_ref(), Framing::SameOrigin, &headers)
}

async fn embed(State(files): State<Files>, Path(entry): Path<String>, headers: HeaderMap) -> Response {
    page(&entry, files("embed.html").as_ref(), Framing::Anywhere, &headers)
}

/// One spelling of a page's address, because what it needs is relative to it.
async fn without_slash(Path(entry): Path<String>) -> Response {
    match is_entry_id(&entry) {
        true => Redirect::permanent(&format!("../{entry}")).into_response(),
        false => answer::nothing_here(),
    }
}

async fn asset(State(files): State<Files>, Path(path): Path<String>, headers: HeaderMap) -> Response {
    match files(&format!("assets/{path}")) {
        Some(file) => answer::asset(&path, &file, &headers),
        None => answer::nothing_here(),
    }
}

fn page(entry: &str, file: Option<&files::File>, framing: Framing, headers: &HeaderMap) -> Response {
    match file {
        _ if !is_entry_id(entry) => answer::nothing_here(),
        Some(file) => answer::page(file, framing, headers),
        None => answer::unbuilt(unbuilt::page(entry), framing),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::header::{
        ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_SECURITY_POLICY,
        CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION, VARY,
    };
    use http::{HeaderName, Method, Request};
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;
    use crate::files::{Coding, File};

    /// A build of two pages and a script, with words in place of codings.
    fn some(path: &str) -> Option<File> {
        let known = ["watch.html", "embed.html", "assets/player-1a2b.js"].contains(&path);
        let coding = |name: &str| Coding {
            body: format!("{path} {name}").into_bytes().into(),
            etag: format!("\"{name}\""),
        };
        known.then(|| File { plain: coding("plain"), gzip: Some(coding("gzip")) })
    }

    fn none(_: &str) -> Option<File> {
        None
    }

    struct Answer {
        status: u16,
        headers: HeaderMap,
        body: String,
    }

    impl Answer {
        fn header(&self, name: HeaderName) -> &str {
            self.headers.get(name).map_or("", |value| value.to_str().unwrap_or("not text"))
        }
    }

    async fn ask(files: Files, method: Method, path: &str, headers: &[(HeaderName, &str)]) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let request = request.body(Body::empty()).expect("a request");
        let response = router_of(files).oneshot(request).await.expect("a router does not fail");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a body in memory").to_bytes();
        let body = String::from_utf8_lossy(&body).into_owned();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    async fn get(files: Files, path: &str) -> Answer {
        ask(files, Method::GET, path, &[]).await
    }

    #[tokio::test]
    async fn pages_are_asked_for_each_time_and_assets_kept_for_ever() {
        let watch = get(some, "/watch/0_k3x9p2ab").await;
        assert_eq!((watch.status, watch.body.as_str()), (200, "watch.html plain"));
        assert_eq!(watch.header(CONTENT_TYPE), "text/html; charset=utf-8");
        assert_eq!(watch.header(CACHE_CONTROL), "no-cache");
        let asset = get(some, "/assets/player-1a2b.js").await;
        assert_eq!(asset.header(CACHE_CONTROL), "public, max-age=31536000, immutable");
        assert_eq!(asset.header(CONTENT_TYPE), "text/javascript; charset=utf-8");
        assert_eq!(get(some, "/embed/0_k3x9p2ab").await.body, "embed.html plain");
    }

    #[tokio::test]
    async fn the_embed_frame_may_be_framed_anywhere_and_the_watch_page_not() {
        let (watch, embed) = (get(some, "/watch/x").await, get(some, "/embed/x").await);
        assert!(watch.header(CONTENT_SECURITY_POLICY).contains("frame-ancestors 'self'"));
        assert!(!embed.header(CONTENT_SECURITY_POLICY).contains("frame-ancestors"));
        for page in [watch, embed] {
            let policy = page.header(CONTENT_SECURITY_POLICY);
            assert!(policy.starts_with("default-src 'self';"), "{policy}");
            assert!(!policy.contains("unsafe"), "{policy}");
        }
    }

    #[tokio::test]
    async fn gzip_goes_to_who_takes_it_under_a_tag_of_its_own() {
        let coded = ask(some, Method::GET, "/assets/player-1a2b.js", &[(ACCEPT_ENCODING, "gzip, br")]).await;
        assert_eq!((coded.header(CONTENT_ENCODING), coded.header(ETAG)), ("gzip", "\"gzip\""));
        assert_eq!(coded.body, "assets/player-1a2b.js gzip");
        let plain = get(some, "/assets/player-1a2b.js").await;
        assert_eq!((plain.header(CONTENT_ENCODING), plain.header(ETAG)), ("", "\"plain\""));
        assert_eq!((coded.header(VARY), plain.header(VARY)), ("Accept-Encoding", "Accept-Encoding"));
    }

    #[tokio::test]
    async fn who_has_it_is_told_so() {
        for (tag, status) in [
            ("\"plain\"", 304),
            ("W/\"plain\"", 304),
            ("\"a\", \"plain\"", 304),
            ("*", 304),
            ("\"gzip\"", 200),
        ] {
            let answer = ask(some, Method::GET, "/watch/x", &[(IF_NONE_MATCH, tag)]).await;
            assert_eq!(answer.status, status, "{tag}");
            assert_eq!(answer.body.is_empty(), status == 304, "{tag}");
        }
    }

    #[tokio::test]
    async fn head_is_get_without_the_body() {
        let answer = ask(some, Method::HEAD, "/watch/x", &[]).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, ""));
        assert_eq!(answer.header(CONTENT_LENGTH), "16");
        assert_eq!(ask(some, Method::POST, "/watch/x", &[]).await.status, 405);
    }

    #[tokio::test]
    async fn what_is_no_entry_and_what_was_not_built_is_not_there() {
        for path in [
            "/watch/UPPER",
            "/watch/%2e%2e",
            "/watch/a%2Fb",
            "/watch/%3Cb%3E",
            "/embed/_x",
            "/embed/UPPER/",
            "/assets/other.js",
            "/assets/..%2Fwatch.html",
        ] {
            for files in [some as Files, none] {
                assert_eq!(get(files, path).await.status, 404, "{path}");
            }
        }
    }

    #[tokio::test]
    async fn a_slash_too_much_leads_to_the_page() {
        let answer = get(some, "/watch/x/").await;
        assert_eq!((answer.status, answer.header(LOCATION)), (308, "../x"));
    }

    #[tokio::test]
    async fn without_a_build_the_page_says_so_and_plays_by_itself() {
        for path in ["/watch/0_k3x9p2ab", "/embed/0_k3x9p2ab"] {
            let answer = get(none, path).await;
            assert_eq!((answer.status, answer.header(CACHE_CONTROL)), (200, "no-store"));
            for said in ["Node.js", "make web", "src=\"../play/0_k3x9p2ab/master.m3u8\""] {
                assert!(answer.body.contains(said), "{path}: {said}");
            }
            assert!(!answer.body.contains("ENTRY"), "{path}");
        }
    }
}
