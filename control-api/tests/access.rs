//! Who may do what: without a token nothing, with a role what the role allows, and never anything of another account.

mod common;

use std::num::NonZeroU32;

use axum::body::Body;
use catalog::{Caller, NewEntry, NewToken, Role, Scope};
use common::{Answer, House};
use control_api::Settings;
use http::{Method, Request};
use serde_json::{Value, json};

/// Every operation of the document with a body that fits, and the least role that may do it.
const OPERATIONS: &[(&str, &str, Role, &str)] = &[
    ("GET", "/live", Role::Viewer, ""),
    ("POST", "/live", Role::Producer, r#"{"name": "n"}"#),
    ("GET", "/live/{entry}", Role::Viewer, ""),
    ("PATCH", "/live/{entry}", Role::Producer, r#"{"name": "m"}"#),
    ("DELETE", "/live/{entry}", Role::Producer, ""),
    ("GET", "/live/{entry}/status", Role::Viewer, ""),
    ("POST", "/live/{entry}/go-live", Role::Producer, ""),
    ("POST", "/live/{entry}/preview", Role::Producer, ""),
    ("POST", "/live/{entry}/end", Role::Producer, ""),
    ("POST", "/live/{entry}/disconnect", Role::Producer, ""),
    ("POST", "/live/{entry}/rotate-key", Role::Producer, ""),
    ("GET", "/live/{entry}/timelines", Role::Viewer, ""),
    ("POST", "/live/{entry}/timelines", Role::Producer, r#"{"name": "n"}"#),
    ("GET", "/live/{entry}/timelines/{name}", Role::Viewer, ""),
    ("PATCH", "/live/{entry}/timelines/{name}", Role::Producer, r#"{"air": "preview"}"#),
    ("DELETE", "/live/{entry}/timelines/{name}", Role::Producer, ""),
    ("GET", "/live/{entry}/inputs", Role::Viewer, ""),
    ("POST", "/live/{entry}/inputs", Role::Producer, r#"{"url": "srt://example.org:9000"}"#),
    ("GET", "/live/{entry}/inputs/{input}", Role::Viewer, ""),
    ("PATCH", "/live/{entry}/inputs/{input}", Role::Producer, r#"{"name": "m"}"#),
    ("DELETE", "/live/{entry}/inputs/{input}", Role::Producer, ""),
    ("POST", "/live/{entry}/inputs/{input}/restart", Role::Producer, ""),
    ("GET", "/live/{entry}/targets", Role::Viewer, ""),
    (
        "POST",
        "/live/{entry}/targets",
        Role::Producer,
        r#"{"name": "n", "url": "rtmp://example.org/live/key"}"#,
    ),
    ("GET", "/live/{entry}/targets/{target}", Role::Viewer, ""),
    ("PATCH", "/live/{entry}/targets/{target}", Role::Producer, r#"{"name": "m"}"#),
    ("DELETE", "/live/{entry}/targets/{target}", Role::Producer, ""),
    ("GET", "/entries", Role::Viewer, ""),
    ("GET", "/entries/{entry}", Role::Viewer, ""),
    ("PATCH", "/entries/{entry}", Role::Producer, r#"{"name": "m"}"#),
    ("DELETE", "/entries/{entry}", Role::Producer, ""),
    ("GET", "/entries/{entry}/recordings", Role::Viewer, ""),
    ("GET", "/entries/{entry}/recordings/{recording}", Role::Viewer, ""),
    ("PATCH", "/entries/{entry}/recordings/{recording}", Role::Producer, r#"{"protected": true}"#),
    ("DELETE", "/entries/{entry}/recordings/{recording}", Role::Producer, ""),
    ("GET", "/entries/{entry}/recordings/{recording}/integrity", Role::Viewer, ""),
    ("POST", "/live/{entry}/recording/start", Role::Producer, ""),
    ("POST", "/live/{entry}/recording/pause", Role::Producer, ""),
    ("POST", "/live/{entry}/recording/resume", Role::Producer, ""),
    ("POST", "/live/{entry}/recording/stop", Role::Producer, ""),
    ("POST", "/entries/{entry}/playback-token", Role::Producer, "{}"),
    ("POST", "/entries/{entry}/clips", Role::Producer, "{}"),
    ("GET", "/jobs", Role::Viewer, ""),
    ("GET", "/jobs/{job}", Role::Viewer, ""),
    ("GET", "/tokens", Role::Admin, ""),
    ("POST", "/tokens", Role::Admin, r#"{"role": "viewer", "name": "n"}"#),
    ("GET", "/tokens/self", Role::Viewer, ""),
    ("GET", "/tokens/{token}", Role::Admin, ""),
    ("DELETE", "/tokens/{token}", Role::Admin, ""),
    ("GET", "/accounts", Role::Admin, ""),
    ("POST", "/accounts", Role::Admin, r#"{"name": "n"}"#),
    ("GET", "/accounts/{account}", Role::Admin, ""),
    ("PATCH", "/accounts/{account}", Role::Admin, r#"{"name": "m"}"#),
    ("DELETE", "/accounts/{account}", Role::Admin, ""),
    ("GET", "/audit", Role::Admin, ""),
    ("GET", "/events", Role::Viewer, ""),
    ("GET", "/webhooks", Role::Admin, ""),
    ("POST", "/webhooks", Role::Admin, r#"{"url": "https://example.org/hook"}"#),
    ("GET", "/webhooks/{webhook}", Role::Admin, ""),
    ("PATCH", "/webhooks/{webhook}", Role::Admin, r#"{"description": "m"}"#),
    ("DELETE", "/webhooks/{webhook}", Role::Admin, ""),
    ("POST", "/webhooks/{webhook}/test", Role::Admin, ""),
    ("POST", "/webhooks/{webhook}/rotate-secret", Role::Admin, ""),
    ("GET", "/webhooks/{webhook}/deliveries", Role::Admin, ""),
    ("GET", "/webhooks/{webhook}/deliveries/{delivery}", Role::Admin, ""),
    ("POST", "/webhooks/{webhook}/deliveries/{delivery}/redeliver", Role::Admin, ""),
];

/// One thing of each kind, all of one account.
struct Things {
    scope: Scope,
    entry: String,
    recording: String,
    token: String,
    job: String,
    webhook: String,
    delivery: String,
    input: String,
    target: String,
}

impl Things {
    async fn new(house: &House) -> Things {
        let scope = house.account("theirs").await;
        let Scope::Account(account) = &scope else { panic!("an account") };
        let caller = Caller::server();
        let new = NewEntry { account: Some(account.clone()), ..NewEntry::live("theirs") };
        let (entry, _) = house.catalog.entries().create(&caller, new).await.expect("an entry");
        let recording = house.catalog.recordings().begin(&caller, &entry.id, 1).await.expect("a recording");
        let new =
            NewToken { role: Role::Viewer, scope: scope.clone(), name: "theirs".to_owned(), expires: None };
        let (token, _) = house.catalog.tokens().create(&caller, new).await.expect("a token");
        let job =
            catalog::jobs::NewJob { kind: "x".to_owned(), priority: 0, max_attempts: 1, input: Value::Null };
        let job = house.catalog.jobs().create(&caller, &entry.id, job).await.expect("a job");
        let now = media::WallTime::from(std::time::SystemTime::now());
        let details = catalog::timelines::Details { start: now, end: None, air: catalog::Air::Live };
        let timelines = house.catalog.timelines();
        timelines.create(&caller, &entry.id, "theirs", details).await.expect("a timeline");
        let details = catalog::webhooks::Details {
            url: "https://example.org/theirs".to_owned(),
            description: String::new(),
            kinds: Vec::new(),
            enabled: true,
        };
        let webhooks = house.catalog.webhooks();
        let (webhook, _) = webhooks.create(&caller, scope.clone(), details).await.expect("a webhook");
        let delivery = house.catalog.webhooks().test(&caller, &webhook.id).await.expect("a delivery");
        let details = catalog::inputs::Details {
            name: "theirs".to_owned(),
            url: address::InputUrl::parse("srt://example.org:9000").expect("a URL"),
            rendition: None,
            enabled: false,
        };
        let input = house.catalog.inputs().create(&caller, &entry.id, details).await.expect("an input");
        let details = catalog::targets::Details {
            name: "theirs".to_owned(),
            url: "rtmp://example.org/live/key".to_owned(),
            rendition: None,
            audio: None,
            enabled: false,
        };
        let (targets, secrets) = (house.catalog.targets(), catalog::targets::Secrets::default());
        let target = targets.create(&caller, &entry.id, details, secrets).await.expect("a target");
        Things {
            scope,
            input: input.id.to_string(),
            target: target.id.to_string(),
            entry: entry.id.to_string(),
            recording: recording.id.to_string(),
            token: token.id.to_string(),
            job: job.id.to_string(),
            webhook: webhook.id.to_string(),
            delivery: delivery.id.to_string(),
        }
    }

    fn path(&self, template: &str) -> String {
        let Scope::Account(account) = &self.scope else { panic!("an account") };
        let path = template.replace("{entry}", &self.entry).replace("{token}", &self.token);
        let path = path.replace("{name}", "theirs").replace("{recording}", &self.recording);
        let path = path.replace("{input}", &self.input).replace("{target}", &self.target);
        let path = path.replace("{webhook}", &self.webhook).replace("{delivery}", &self.delivery);
        format!("/api/v1{}", path.replace("{job}", &self.job).replace("{account}", account.as_str()))
    }
}

async fn ask(house: &House, token: &str, method: &str, path: &str, body: &str) -> Answer {
    let method: Method = method.parse().expect("a method");
    let body: Option<Value> = (!body.is_empty()).then(|| serde_json::from_str(body).expect("JSON"));
    house.send(token, method, path, &[], body.as_ref()).await
}

#[test]
fn the_table_has_every_operation() {
    let document: Value = serde_json::from_str(&control_api::openapi()).expect("JSON");
    let paths = document["paths"].as_object().expect("paths");
    let all: usize = paths.values().map(|item| item.as_object().map_or(0, serde_json::Map::len)).sum();
    assert_eq!(all, OPERATIONS.len());
    for (method, path, ..) in OPERATIONS {
        let path = ["entry", "token", "job", "account", "webhook"]
            .iter()
            .fold((*path).to_owned(), |path, name| path.replace(&format!("{{{name}}}"), "{id}"));
        assert!(document["paths"][&path][method.to_lowercase()].is_object(), "{method} {path}");
    }
}

#[tokio::test]
async fn without_a_token_there_is_nothing() {
    let house = House::with(patient()).await;
    let things = Things::new(&house).await;
    let made_up = format!("hw_{}", "a".repeat(40));
    for (method, path, _, body) in OPERATIONS {
        let path = things.path(path);
        for token in ["", "hw_short", made_up.as_str()] {
            let refused = ask(&house, token, method, &path, body).await;
            assert_eq!(refused.problem(), (401, "unauthorized"), "{method} {path}");
            assert_eq!(refused.header("www-authenticate"), "Bearer realm=\"headwater\"");
        }
    }
}

#[tokio::test]
async fn each_role_may_do_what_its_row_says() {
    let house = House::with(patient()).await;
    for (method, path, least, body) in OPERATIONS {
        for role in [Role::Viewer, Role::Producer, Role::Admin] {
            let things = Things::new(&house).await;
            let token = house.token(role).await;
            let answer = ask(&house, &token, method, &things.path(path), body).await;
            let allowed = role <= *least;
            assert_eq!(answer.status != 403, allowed, "{role} {method} {path}: {}", answer.text);
            if allowed {
                // Nothing is on: ending and disconnecting have nothing to do, nor has recording.
                let idle = ["/end", "/disconnect", "/start", "/pause", "/resume", "/stop", "/restart"];
                let idle = idle.iter().any(|end| path.ends_with(end));
                // What has entries, or is being written.
                let busy = *path == "/accounts/{account}" || path.ends_with("/{recording}");
                let busy = busy && *method == "DELETE";
                // The catalog knows of a recording that has no files.
                let empty = (path.ends_with("/integrity") && answer.status == 404)
                    || (path.ends_with("/clips") && answer.status == 422);
                assert!(
                    answer.status < 400 || empty || ((idle || busy) && answer.status == 409),
                    "{role} {method} {path}: {}",
                    answer.text
                );
            }
        }
    }
}

#[tokio::test]
async fn what_belongs_to_another_account_is_not_there() {
    let house = House::with(patient()).await;
    let theirs = Things::new(&house).await;
    let ours = house.account("ours").await;
    let token = house.token_in(Role::Admin, ours).await;
    for (method, path, _, body) in OPERATIONS.iter().filter(|(_, path, ..)| path.contains('{')) {
        let path = theirs.path(path);
        let answer = ask(&house, &token, method, &path, body).await;
        assert_eq!(answer.problem(), (404, "not-found"), "{method} {path}: {}", answer.text);
        assert!(!answer.text.contains("theirs"), "{}", answer.text);
    }
    for path in ["/live", "/entries", "/tokens", "/accounts", "/audit", "/jobs"] {
        let list = house.get(&token, &format!("/api/v1{path}?limit=500")).await;
        assert_eq!(list.status, 200, "{}", list.text);
        assert!(!list.text.contains("theirs") && !list.text.contains(&theirs.entry), "{path}: {}", list.text);
    }
    let Scope::Account(account) = &theirs.scope else { panic!("an account") };
    for (path, body) in [
        ("/api/v1/live", json!({"name": "n", "account": account.as_str()})),
        ("/api/v1/tokens", json!({"name": "n", "role": "viewer", "account": account.as_str()})),
    ] {
        assert_eq!(house.post(&token, path, &body).await.problem(), (404, "not-found"));
    }
}

#[tokio::test]
async fn a_viewer_sees_no_key() {
    let house = House::new().await;
    let producer = house.token(Role::Producer).await;
    let viewer = house.token(Role::Viewer).await;
    let made = house.post(&producer, "/api/v1/live", &json!({"name": "n"})).await;
    let key = made.body["keys"]["primary"].as_str().expect("a key");
    let backup = made.body["keys"]["backup"].as_str().expect("a key");
    for path in [
        made.header("location").to_owned(),
        "/api/v1/live".to_owned(),
        format!("/api/v1/entries/{}", made.id()),
    ] {
        let shown = house.get(&viewer, &path).await;
        assert_eq!(shown.status, 200);
        assert!(!shown.text.contains(key) && !shown.text.contains(backup), "{path}: {}", shown.text);
    }
    let shown = house.get(&viewer, made.header("location")).await;
    assert!(
        shown.body["keys"].is_null() && shown.body["publish"].is_null() && shown.body["encoders"].is_null()
    );
}

#[tokio::test]
async fn a_token_is_shown_once_and_revoked_at_once() {
    let house = House::new().await;
    let admin = house.token(Role::Admin).await;
    let made = house.post(&admin, "/api/v1/tokens", &json!({"name": "n", "role": "viewer"})).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let secret = made.body["secret"].as_str().expect("a secret");
    assert_eq!(house.get(secret, "/api/v1/tokens/self").await.id(), made.id());
    let list = house.get(&admin, "/api/v1/tokens").await;
    assert!(!list.text.contains(secret));
    assert_eq!(house.delete(&admin, made.header("location")).await.status, 204);
    assert_eq!(house.get(secret, "/api/v1/tokens/self").await.problem(), (401, "unauthorized"));
    let own = house.get(&admin, "/api/v1/tokens/self").await;
    let own = format!("/api/v1/tokens/{}", own.id());
    assert_eq!(house.delete(&admin, &own).await.problem(), (409, "conflict"));
}

#[tokio::test]
async fn a_token_that_asks_too_often_waits_and_others_do_not() {
    let number = |number| NonZeroU32::new(number).expect("not zero");
    let house = House::with(Settings { rate: number(1), burst: number(3), ..Settings::default() }).await;
    let (busy, other) = (house.token(Role::Viewer).await, house.token(Role::Viewer).await);
    let mut remaining = Vec::new();
    for _ in 0..3 {
        let answer = house.get(&busy, "/api/v1/tokens/self").await;
        assert_eq!((answer.status, answer.header("ratelimit-limit")), (200, "3"));
        remaining.push(answer.header("ratelimit-remaining").to_owned());
    }
    assert_eq!(remaining[0], "2");
    let refused = house.get(&busy, "/api/v1/tokens/self").await;
    assert_eq!(refused.problem(), (429, "too-many-requests"));
    assert_eq!((refused.header("retry-after"), refused.header("ratelimit-remaining")), ("1", "0"));
    assert_eq!(house.get(&other, "/api/v1/tokens/self").await.status, 200);
}

#[tokio::test]
async fn who_guesses_is_slowed_and_the_owner_behind_the_same_address_is_not() {
    let house =
        House::with(Settings { unknown_tokens: NonZeroU32::MIN.saturating_add(9), ..patient() }).await;
    let owner = house.token(Role::Viewer).await;
    let from = |token: String| {
        let request = Request::get("/api/v1/tokens/self").header("host", "example.org");
        let mut request =
            request.header("authorization", format!("Bearer {token}")).body(Body::empty()).expect("valid");
        request.extensions_mut().insert(std::net::SocketAddr::from(([192, 0, 2, 7], 4000)));
        request
    };
    let mut statuses = Vec::new();
    for guess in 0..100 {
        statuses.push(house.ask(from(format!("hw_{guess:040}"))).await.status);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 10, "{statuses:?}");
    assert!(statuses[10..].iter().all(|status| *status == 429), "{statuses:?}");
    assert_eq!(house.ask(from(owner)).await.status, 200);
}

/// Many tokens, all from nowhere.
fn patient() -> Settings {
    let many = NonZeroU32::MIN.saturating_add(100_000);
    Settings { rate: many, burst: many, unknown_tokens: many, ..Settings::default() }
}
