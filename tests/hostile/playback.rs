//! Tokens for viewers: expired, forged, another entry's, or where they do not belong.

use std::time::SystemTime;

use access::{Claims, Signer};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use media::{MediaTime, Timescale, WallTime};
use serde_json::{Value, json};

use crate::bystander::{Bystander, ENTRY, SETTINGS};
use crate::control::{FREELY, Tenant, id, raw};
use crate::publisher::Publisher;
use crate::rtmp::Rtmp;
use crate::support::Server;
use crate::support::api::Api;
use crate::support::hls::{Media, children};
use crate::support::http::{Answer, get};
use crate::support::within;

/// An entry that is on air.
struct Show {
    entry: String,
    _publisher: Publisher,
}

impl Show {
    fn on_air(server: &Server, api: &Api, wanted: &Value) -> Show {
        let live = api.post("/live", wanted).done();
        let key = live["keys"]["primary"].as_str().expect("a key");
        let mut publisher = Publisher { rtmp: Rtmp::publish(server.rtmp(), key) };
        publisher.describe(true, false);
        publisher.run(0, 6, false);
        Show { entry: id(&live), _publisher: publisher }
    }
}

fn mint(api: &Api, entry: &str, wanted: &Value) -> String {
    let made = api.post(&format!("/entries/{entry}/playback-token"), wanted).done();
    made["token"].as_str().expect("a token").to_owned()
}

fn path(token: &str, entry: &str, below: &str) -> String {
    format!("t/{token}/play/{entry}/{below}")
}

fn fetch(server: &Server, token: &str, entry: &str) -> Answer {
    get(&server.http_url(&path(token, entry, "master.m3u8")), &[])
}

/// A token opens its entry, down to the segment; the bodies are those that everybody gets.
fn assert_opens(server: &Server, token: &str, entry: &str) {
    let opens = |below: &str| {
        let url = server.http_url(&path(token, entry, below));
        within(20, below, || Some(get(&url, &[])).filter(|answer| answer.status == 200))
    };
    let master = opens("master.m3u8").text();
    assert!(!master.contains(token), "relative URIs keep the token by themselves");
    let (_, rendition) = children(&master).first().expect("a rendition").to_owned();
    let media = Media::parse(&opens(&rendition).text());
    opens(&media.last().uri);
}

fn assert_refused(answer: &Answer, what: &str) {
    assert!(matches!(answer.status, 401 | 403), "{} with {what}", answer.status);
    assert!(answer.header("cache-control").contains("no-store"), "{what}: {}", answer.header("cache-control"));
}

fn part(json: &Value) -> String {
    URL_SAFE_NO_PAD.encode(json.to_string())
}

fn from_now(seconds: i64) -> WallTime {
    WallTime::from(SystemTime::now()).plus(MediaTime::new(seconds * 1000, Timescale::MILLIS))
}

/// What somebody makes who knows how tokens look, and not the secret.
fn forged(entry: &str, good: &str, other: &str) -> Vec<(&'static str, String)> {
    let claims = Claims {
        entry: entry.to_owned(),
        expires: from_now(600),
        not_before: None,
        network: None,
        preview: true,
        id: "x".to_owned(),
    };
    let parts: Vec<&str> = good.split('.').collect();
    let (header, body, signature) = (parts[0], parts[1], parts[2]);
    let said = part(&json!({"sub": entry, "aud": "playback", "exp": 4_000_000_000_u64, "preview": true, "jti": "x"}));
    let changed = if signature.starts_with('A') { "B" } else { "A" };
    vec![
        ("another secret", Signer::new(b"secret").sign(&claims)),
        ("no secret", Signer::new(b"").sign(&claims)),
        ("alg none", format!("{}.{said}.", part(&json!({"typ": "JWT", "alg": "none"})))),
        ("alg none, signed", format!("{}.{body}.{signature}", part(&json!({"typ": "JWT", "alg": "none"})))),
        ("alg None", format!("{}.{said}.{signature}", part(&json!({"typ": "JWT", "alg": "None"})))),
        ("an embedded key", format!("{}.{said}.{signature}", part(&json!({"alg": "HS256", "jwk": {"k": ""}})))),
        ("other claims", format!("{header}.{said}.{signature}")),
        ("another's claims", format!("{header}.{}.{signature}", other.split('.').nth(1).expect("claims"))),
        ("no signature", format!("{header}.{body}.")),
        ("half of it", format!("{header}.{body}")),
        ("a changed signature", format!("{header}.{body}.{changed}{}", &signature[1..])),
        ("something behind it", format!("{good}.x")),
        ("padding", format!("{good}=")),
        ("nothing", "x".to_owned()),
        ("a long one", "x".repeat(3000)),
    ]
}

#[test]
fn only_its_own_token_opens_an_entry() {
    let server = Server::start(&format!("{FREELY}{SETTINGS}"), &[ENTRY]);
    let bystander = Bystander::on_air(&server);
    let owner = Tenant::new(&server, "owner");
    let signed = json!({"name": "show", "access": {"playback": "signed"}});
    let (show, other) = (
        Show::on_air(&server, &owner.producer, &signed),
        Show::on_air(&server, &owner.producer, &signed),
    );
    let entry = show.entry.as_str();
    let short = mint(&owner.producer, entry, &json!({"expires_in": 10}));
    let good = mint(&owner.producer, entry, &json!({}));
    let others = mint(&owner.producer, &other.entry, &json!({}));
    let elsewhere = mint(&owner.producer, entry, &json!({"ip": "192.0.2.7"}));
    for token in [&short, &good] {
        assert_opens(&server, token, entry);
    }
    assert_opens(&server, &others, &other.entry);
    assert_refused(&server.play(entry).get("master.m3u8"), "no token");
    assert_refused(&fetch(&server, &others, entry), "another entry's token");
    assert_refused(&fetch(&server, &elsewhere, entry), "a token for another address");
    assert_refused(&fetch(&server, owner.producer.token(), entry), "an API token");
    assert_refused(&fetch(&server, &owner.key(), entry), "a stream key");
    for (what, token) in forged(entry, &good, &others) {
        assert_refused(&fetch(&server, &token, entry), what);
    }
    assert_wrong_places(&server, entry, &good);
    within(20, "the short one expires", || (fetch(&server, &short, entry).status != 200).then_some(()));
    assert_refused(&fetch(&server, &short, entry), "an expired token");
    assert_opens(&server, &good, entry);
    for token in [&short, &good, &others, &elsewhere] {
        let signature = token.rsplit('.').next().expect("a signature");
        assert!(!server.log().contains(signature), "a token is in the log");
    }
    bystander.assert_undisturbed();
}

/// A token counts in the path alone: elsewhere it would get into caches, referrers and logs.
fn assert_wrong_places(server: &Server, entry: &str, token: &str) {
    let url = server.http_url(&format!("play/{entry}/master.m3u8"));
    for name in ["token", "t", "access_token", "jwt"] {
        assert_refused(&get(&format!("{url}?{name}={token}"), &[]), name);
    }
    let bearer = format!("Bearer {token}");
    let cookie = format!("token={token}");
    for header in [("authorization", &bearer), ("cookie", &cookie), ("x-playback-token", &token.to_owned())] {
        assert_refused(&get(&url, &[(header.0, header.1)]), header.0);
    }
    let api = Api::by(server, token);
    assert_eq!(api.get("/tokens/self").problem(), (401, "unauthorized"), "it opens no API");
    let behind = get(&server.http_url(&format!("t/{token}/api/v1/entries")), &[]);
    assert_eq!(behind.status, 404, "nor stands before it");
    let metrics = get(&server.http_url(&format!("t/{token}/metrics")), &[]);
    assert_eq!(metrics.status, 404);
}

#[test]
fn a_preview_is_for_those_with_a_producers_token() {
    let server = Server::start(&format!("{FREELY}{SETTINGS}"), &[ENTRY]);
    let bystander = Bystander::on_air(&server);
    let owner = Tenant::new(&server, "owner");
    let show = Show::on_air(&server, &owner.producer, &json!({"name": "show", "air": "preview"}));
    let entry = show.entry.as_str();
    let preview = mint(&owner.producer, entry, &json!({"preview": true}));
    let usual = mint(&owner.producer, entry, &json!({}));
    assert_opens(&server, &preview, entry);
    for below in ["master.m3u8", "manifest.mpd", "video-1.m3u8"] {
        assert_ne!(server.play(entry).get(below).status, 200, "{below} for everybody");
        let answer = get(&server.http_url(&path(&usual, entry, below)), &[]);
        assert_ne!(answer.status, 200, "{below} with a viewer's token");
    }
    let minted = owner.viewer.post(&format!("/entries/{entry}/playback-token"), &json!({"preview": true}));
    assert_eq!(minted.problem(), (403, "forbidden"));
    let wanted = json!({"preview": true, "expires_in": 604_801});
    let minted = owner.producer.post(&format!("/entries/{entry}/playback-token"), &wanted);
    assert_eq!(minted.problem(), (422, "invalid"), "not for ever");
    bystander.assert_undisturbed();
}

/// RFC 6750 §5.3: a token in a query gets into logs and referrers.
#[test]
fn an_api_token_counts_in_its_header_alone() {
    let server = Server::start(&format!("{FREELY}{SETTINGS}"), &[ENTRY]);
    let bystander = Bystander::on_air(&server);
    let token = Api::admin(&server).token().to_owned();
    for name in ["access_token", "token", "api_key", "authorization"] {
        let line = format!("GET /api/v1/tokens/self?{name}={token}");
        assert_eq!(raw(server.http(), "x", &line, b"", b"").status, 401, "{name} in the query");
        let header = format!("Cookie: {name}={token}\r\nX-Api-Key: {token}\r\n");
        assert_eq!(raw(server.http(), "x", "GET /api/v1/tokens/self", header.as_bytes(), b"").status, 401);
    }
    let twice = format!("Authorization: Bearer {token}\r\n");
    assert_eq!(raw(server.http(), "x", "GET /api/v1/tokens/self", twice.as_bytes(), b"").status, 401, "of two");
    let form = format!("access_token={token}");
    let kind = b"Content-Type: application/x-www-form-urlencoded\r\n";
    assert_eq!(raw(server.http(), "x", "POST /api/v1/live", kind, form.as_bytes()).status, 401, "in a form");
    assert!(!server.log().contains(&token), "the log has it");
    bystander.assert_undisturbed();
}
