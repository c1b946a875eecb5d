//! Who may watch: tokens in the path, rules, proxies, previews, and who is counted.

mod common;

use std::sync::{Arc, Mutex};
use std::time::{Instant, SystemTime};

use access::{Claims, Rules, Signer};
use axum::Router;
use common::client::{Reply, ask, get, raw};
use common::shelf::{Builder, Shelf};
use common::{Running, run};
use media::{MediaTime, Timescale, WallTime};
use origin::{Doors, Server, Settings};
use serde_json::json;
use stream::{Audience, NoStorage};

/// Rules of one entry, `demo`.
struct Door {
    rules: Mutex<Option<Arc<Rules>>>,
    signer: Signer,
}

impl Doors for Door {
    fn rules(&self, entry: &str) -> Option<Arc<Rules>> {
        self.rules.lock().expect("no test panics here").clone().filter(|_| entry == "demo")
    }

    fn entry_of(&self, id: &str) -> Option<Arc<str>> {
        (id == "rec_00000001").then(|| "demo".into())
    }

    fn signer(&self) -> Option<&Signer> {
        Some(&self.signer)
    }
}

struct House {
    server: Running,
    shelf: Arc<Shelf>,
    door: Arc<Door>,
    audience: Arc<Audience>,
}

/// A server of [`Shelf::demo`] whose entry has these rules.
async fn house(rules: serde_json::Value) -> House {
    house_behind(rules, &[]).await
}

async fn house_behind(rules: serde_json::Value, proxies: &[&str]) -> House {
    let rules: Rules = serde_json::from_value(rules).expect("rules");
    let rules = Mutex::new((!rules.is_open()).then(|| Arc::new(rules)));
    let door = Arc::new(Door { rules, signer: Signer::new(b"the secret of a test") });
    let (shelf, _) = Shelf::demo();
    let trusted_proxies = proxies.iter().map(|proxy| access::network(proxy).expect("a network")).collect();
    let settings = Settings { trusted_proxies, ..Settings::default() };
    let audience = Arc::new(Audience::default());
    let pages = Router::new()
        .route("/watch/{entry}", axum::routing::get(async || "a page"))
        .route("/embed/{entry}", axum::routing::get(async || "a frame"))
        .route("/assets/{*path}", axum::routing::get(async || "a script"));
    let server = Server::new(settings, shelf.clone(), Arc::new(NoStorage)).merge(pages);
    let server = server.guarded(door.clone()).seen_by(audience.clone());
    House { server: run(server).await, shelf, door, audience }
}

impl House {
    async fn get(&self, target: &str) -> Reply {
        get(self.server.address, target).await
    }

    async fn status(&self, target: &str, headers: &[(&str, &str)]) -> u16 {
        ask(self.server.address, "GET", target, headers).await.status
    }

    fn token(&self, change: impl FnOnce(&mut Claims)) -> String {
        let mut claims = Claims {
            entry: "demo".to_owned(),
            expires: from_now(60),
            not_before: None,
            network: None,
            preview: false,
            id: "one".to_owned(),
        };
        change(&mut claims);
        self.door.signer.sign(&claims)
    }
}

fn from_now(seconds: i64) -> WallTime {
    WallTime::from(SystemTime::now()).plus(MediaTime::new(seconds * 1000, Timescale::MILLIS))
}

/// What an answer says of why not.
fn reason(reply: &Reply) -> (u16, String) {
    reply.problem();
    let problem: serde_json::Value = serde_json::from_slice(&reply.body).expect("JSON");
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(reply.header("access-control-allow-origin"), "*", "a page's player sees the reason");
    assert_eq!(reply.has("www-authenticate"), reply.status == 401, "RFC 9110 section 15.5.2");
    (reply.status, problem["reason"].as_str().expect("a reason").to_owned())
}

const EVERY_KIND: [&str; 7] = [
    "master.m3u8",
    "manifest.mpd",
    "video-1.m3u8?s=3",
    "video-1/init-3.mp4",
    "video-1/11.m4s",
    "video-1/13.1.m4s",
    "time",
];

/// By its own id a recording is as open as its entry is.
#[tokio::test]
async fn a_recording_is_watched_by_the_rules_and_tokens_of_its_entry() {
    let house = house(json!({"playback": "signed"})).await;
    let path = "/play/rec_00000001/master.m3u8";
    assert_eq!(reason(&house.get(path).await), (401, "token-missing".to_owned()));
    let (good, other) = (house.token(|_| {}), house.token(|claims| claims.entry = "other".to_owned()));
    assert_eq!(house.get(&format!("/t/{other}{path}")).await.status, 403);
    let own = house.token(|claims| claims.entry = "rec_00000001".to_owned());
    assert_eq!(house.get(&format!("/t/{own}{path}")).await.status, 403, "tokens name entries");
    // It is let in, and there is no such recording in this server.
    assert_eq!(house.get(&format!("/t/{good}{path}")).await.status, 404);
}

#[tokio::test]
async fn signed_playback_has_the_bodies_and_headers_of_open_playback() {
    let house = house(json!({"playback": "signed"})).await;
    let open = house_of_all().await;
    let token = house.token(|_| {});
    for name in EVERY_KIND.iter().filter(|name| **name != "time") {
        let (signed, plain) = (
            house.get(&format!("/t/{token}/play/demo/{name}")).await,
            open.get(&format!("/play/demo/{name}")).await,
        );
        assert_eq!(signed.status, 200, "{name}");
        assert!(signed.body == plain.body, "{name}");
        for header in ["etag", "cache-control", "content-type", "vary"] {
            assert_eq!(signed.header(header), plain.header(header), "{name} {header}");
        }
        assert!(!String::from_utf8_lossy(&signed.body).contains("/t/"), "{name}");
    }
}

async fn house_of_all() -> House {
    house(json!({})).await
}

#[tokio::test]
async fn without_a_token_nothing_of_a_signed_entry_is_there() {
    let house = house(json!({"playback": "signed"})).await;
    for name in EVERY_KIND {
        for method in ["GET", "HEAD"] {
            let reply = ask(house.server.address, method, &format!("/play/demo/{name}"), &[]).await;
            assert_eq!(reply.status, 401, "{method} {name}");
        }
        let reply = house.get(&format!("/play/demo/{name}")).await;
        assert_eq!(reason(&reply), (401, "token-missing".to_owned()), "{name}");
    }
    assert_eq!(house.get("/play/other/master.m3u8").await.status, 404, "other entries are not its business");
}

#[tokio::test]
async fn a_token_that_is_not_good_is_refused_with_its_reason() {
    let house = house(json!({"playback": "signed"})).await;
    let good = house.token(|_| {});
    let (signed, _) = good.rsplit_once('.').expect("dots");
    let none = format!("eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0.{}.", good.split('.').nth(1).expect("a payload"));
    for (token, expected) in [
        (house.token(|it| it.expires = from_now(-1)), (401, "token-expired")),
        (house.token(|it| it.not_before = Some(from_now(30))), (401, "token-not-yet-valid")),
        (Signer::new(b"another").sign(&claims_of_demo()), (401, "token-signature")),
        (format!("{signed}.{}", "A".repeat(43)), (401, "token-signature")),
        (none, (401, "token-algorithm")),
        ("x".repeat(2000), (401, "token-too-long")),
        ("tok_12345678".to_owned(), (401, "token-malformed")),
        (String::new(), (401, "token-malformed")),
        (house.token(|it| it.entry = "other".to_owned()), (403, "token-entry")),
        (house.token(|it| it.network = access::network("192.0.2.1")), (403, "token-address")),
    ] {
        for name in ["master.m3u8", "video-1/11.m4s"] {
            let reply = house.get(&format!("/t/{token}/play/demo/{name}")).await;
            assert_eq!(reason(&reply), (expected.0, expected.1.to_owned()), "{token}");
        }
    }
    let bound = house.token(|it| it.network = access::network("127.0.0.0/8"));
    assert_eq!(house.get(&format!("/t/{bound}/play/demo/master.m3u8")).await.status, 200);
}

fn claims_of_demo() -> Claims {
    Claims {
        entry: "demo".to_owned(),
        expires: from_now(60),
        not_before: None,
        network: None,
        preview: false,
        id: String::new(),
    }
}

#[tokio::test]
async fn a_token_in_the_wrong_place_is_none() {
    let house = house(json!({"playback": "signed"})).await;
    let token = house.token(|_| {});
    let bearer = format!("Bearer {token}");
    for (target, headers) in [
        ("/play/demo/master.m3u8".to_owned(), vec![("Authorization", bearer.as_str())]),
        (format!("/play/demo/master.m3u8?token={token}"), vec![]),
        (format!("/play/demo/master.m3u8?t={token}"), vec![("Cookie", token.as_str())]),
        (format!("/play/demo/master.m3u8?/t/{token}/"), vec![]),
    ] {
        assert_eq!(house.status(&target, &headers).await, 401, "{target}");
    }
    for target in [
        format!("/play/t/{token}/demo/master.m3u8"),
        format!("/t/{token}/t/{token}/play/demo/master.m3u8"),
        format!("/t/{token}/metrics"),
        format!("/t/{token}/healthz"),
        format!("/t/{token}/play/"),
        format!("/t/{token}"),
    ] {
        assert_eq!(house.status(&target, &[]).await, 404, "{target}");
    }
}

#[tokio::test]
async fn a_bad_token_does_not_open_what_is_open() {
    let house = house_of_all().await;
    let other = house.token(|it| it.entry = "other".to_owned());
    assert_eq!(reason(&house.get(&format!("/t/{other}/play/demo/master.m3u8")).await).0, 403);
    assert_eq!(reason(&house.get("/t/x/play/demo/master.m3u8").await).0, 401);
    assert_eq!(house.get("/play/demo/master.m3u8").await.status, 200);
}

#[tokio::test]
async fn a_server_that_makes_no_tokens_takes_none() {
    let server = common::serve(Shelf::demo().0).await;
    let token = Signer::new(b"").sign(&claims_of_demo());
    let reply = get(server.address, &format!("/t/{token}/play/demo/master.m3u8")).await;
    assert_eq!(reason(&reply), (401, "token-signature".to_owned()));
}

#[tokio::test]
async fn rules_by_site() {
    let house = house(json!({"referrers": ["example.org"]})).await;
    let own = format!("http://headwater.test:{}/embed/demo", house.server.address.port());
    let target = "/play/demo/master.m3u8";
    for (headers, status) in [
        (vec![], 200),
        (vec![("Referer", "https://example.org/show")], 200),
        (vec![("Origin", "https://example.org")], 200),
        (vec![("Referer", own.as_str())], 200),
        (vec![("Referer", "https://evil.test/")], 403),
        (vec![("Origin", "https://evil.test")], 403),
        (vec![("Referer", "https://evil.test/"), ("Origin", "https://example.org")], 403),
        (vec![("Referer", "https://\u{e9}vil.test/")], 403),
    ] {
        assert_eq!(house.status(target, &headers).await, status, "{headers:?}");
        assert_eq!(house.status("/play/demo/video-1/11.m4s", &headers).await, status, "{headers:?}");
    }
    let preflight = ask(house.server.address, "OPTIONS", target, &[("Origin", "https://evil.test")]).await;
    assert_eq!(preflight.status, 204, "a preflight is answered, so that the page sees the reason");
}

#[tokio::test]
async fn a_page_is_shown_wherever_its_site_may_be_and_says_the_rest_itself() {
    let house = house(json!({"playback": "signed", "referrers": ["example.org"]})).await;
    let good = house.token(|_| {});
    for place in ["", "/t/x", "/t/", &format!("/t/{good}")] {
        for (page, body) in [("watch", "a page"), ("embed", "a frame")] {
            let target = format!("{place}/{page}/demo");
            for referrer in ["https://example.org/", "http://headwater.test/"] {
                let reply = ask(house.server.address, "GET", &target, &[("Referer", referrer)]).await;
                assert_eq!((reply.status, reply.body.as_slice()), (200, body.as_bytes()), "{target}");
            }
            let reply = ask(house.server.address, "GET", &target, &[("Referer", "https://evil.test/")]).await;
            assert_eq!(reason(&reply), (403, "referrer".to_owned()), "{target}");
        }
        assert_eq!(house.get(&format!("{place}/assets/x.js")).await.status, 200);
    }
    assert_eq!(house.get("/embed/%64emo").await.status, 404, "one spelling, or the rules would be passed by");
}

#[tokio::test]
async fn rules_by_time() {
    let soon = house(json!({"from": from_now(60).to_string()})).await;
    assert_eq!(reason(&soon.get("/play/demo/master.m3u8").await), (403, "too-early".to_owned()));
    let over = house(json!({"until": from_now(-60).to_string()})).await;
    assert_eq!(reason(&over.get("/play/demo/master.m3u8").await), (403, "too-late".to_owned()));
    let now = house(json!({"from": from_now(-60).to_string(), "until": from_now(60).to_string()})).await;
    assert_eq!(now.get("/play/demo/master.m3u8").await.status, 200);
}

#[tokio::test]
async fn nobody_makes_himself_another_address() {
    let rules = json!({"addresses": {"allow": ["192.0.2.0/24"]}});
    let direct = house(rules.clone()).await;
    for header in ["X-Forwarded-For", "Forwarded", "X-Real-IP", "True-Client-IP", "CF-Connecting-IP"] {
        for value in ["192.0.2.1", "for=192.0.2.1"] {
            assert_eq!(direct.status("/play/demo/master.m3u8", &[(header, value)]).await, 403, "{header}");
        }
    }
    let proxied = house_behind(rules, &["127.0.0.1", "10.0.0.0/8"]).await;
    for (value, status) in [
        ("192.0.2.1", 200),
        ("198.51.100.1, 192.0.2.1", 200),
        ("192.0.2.1, 10.0.0.1", 200),
        ("192.0.2.1, 198.51.100.1", 403),
        ("192.0.2.1, 198.51.100.1, 10.0.0.1", 403),
        ("192.0.2.1, x", 403),
        ("", 403),
    ] {
        assert_eq!(
            proxied.status("/play/demo/master.m3u8", &[("X-Forwarded-For", value)]).await,
            status,
            "{value}"
        );
    }
    assert_eq!(proxied.status("/play/demo/master.m3u8", &[("Forwarded", "for=192.0.2.1")]).await, 403);
}

#[tokio::test]
async fn what_is_in_preview_is_there_for_producers_alone_and_for_no_cache() {
    let house = house_of_all().await;
    let preview = Builder::new(4).segment("video-1", 20, 100).preview();
    house.shelf.put("demo", vec![preview]);
    let (producer, viewer) = (house.token(|it| it.preview = true), house.token(|_| {}));
    for name in [
        "master.m3u8",
        "manifest.mpd",
        "video-1.m3u8",
        "video-1/20.m4s",
        "video-1/init-4.mp4",
        "master.m3u8?s=4",
    ] {
        let seen = house.get(&format!("/t/{producer}/play/demo/{name}")).await;
        assert_eq!((seen.status, seen.header("cache-control")), (200, "private, no-store"), "{name}");
        for target in [format!("/play/demo/{name}"), format!("/t/{viewer}/play/demo/{name}")] {
            assert_eq!(house.get(&target).await.status, 404, "{target}");
        }
    }
}

#[tokio::test]
async fn a_viewer_counts_once_while_he_asks_for_manifests() {
    let house = house(json!({"addresses": {"deny": ["192.0.2.66"]}})).await;
    let watching = |entry| house.audience.count(entry, Instant::now());
    for agent in ["one", "two", "one"] {
        assert_eq!(house.status("/play/demo/master.m3u8", &[("User-Agent", agent)]).await, 200);
        assert_eq!(house.status("/play/demo/video-1.m3u8", &[("User-Agent", agent)]).await, 200);
    }
    assert_eq!(watching("demo"), 2);
    for id in ["a", "b"] {
        let token = house.token(|it| it.id = id.to_owned());
        assert_eq!(
            house.status(&format!("/t/{token}/play/demo/master.m3u8"), &[("User-Agent", "one")]).await,
            200
        );
    }
    assert_eq!(watching("demo"), 4, "tickets tell viewers apart behind one address");
    assert_eq!(house.status("/play/demo/video-1/11.m4s", &[("User-Agent", "three")]).await, 200);
    assert_eq!(house.status("/play/nothing/master.m3u8", &[("User-Agent", "four")]).await, 404);
    assert_eq!([watching("demo"), watching("nothing")], [4, 0]);
}

#[tokio::test]
async fn a_target_with_a_token_has_the_same_limits() {
    let house = house_of_all().await;
    let long = format!(
        "GET /t/{}/play/demo/master.m3u8 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "a".repeat(9000)
    );
    assert_eq!(raw(house.server.address, long.as_bytes()).await.expect("an answer").status, 414);
    for bytes in
        ["/t/%00/play/demo/master.m3u8", "/t/a%2Fb/play/demo/master.m3u8", "/t/../play/demo/master.m3u8"]
    {
        assert_eq!(house.status(bytes, &[]).await, 401, "{bytes}");
    }
}
