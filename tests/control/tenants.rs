//! Who may do what: roles, and accounts that see nothing of each other.

use serde_json::{Value, json};

use crate::show::Show;
use crate::support::{Api, Server};

/// An account with a token of each role that is asked for.
fn account<const N: usize>(server: &Server, name: &str, roles: [&str; N]) -> (Value, [Api; N]) {
    let admin = Api::admin(server);
    let id = admin.post("/accounts", &json!({"name": name})).done()["id"].clone();
    let token = |role: &str| {
        let created = admin.post("/tokens", &json!({"role": role, "name": name, "account": id})).done();
        Api::by(server, created["secret"].as_str().expect("a secret"))
    };
    (id.clone(), roles.map(token))
}

#[test]
fn a_viewer_looks_and_sees_no_key() {
    let server = Server::start("", &[]);
    let (account, [producer, viewer]) = account(&server, "a", ["producer", "viewer"]);
    let show = Show::by(producer, &server, json!({}));
    assert_eq!(show.created["account"], account);
    let seen = viewer.get(&show.path("")).done();
    assert_eq!((&seen["id"], &seen["playback"]), (&show.created["id"], &show.created["playback"]));
    for secret in ["keys", "publish", "encoders"] {
        assert_eq!(seen[secret], Value::Null, "{secret}");
    }
    assert_eq!(viewer.get(&show.path("/status")).done()["status"], "offline");
    let everything = viewer.get("/entries").done().to_string() + &viewer.get("/live").done().to_string();
    for leg in ["primary", "backup"] {
        let key = show.created["keys"][leg].as_str().expect("a key");
        assert!(!everything.contains(key) && !seen.to_string().contains(key));
    }
    for action in ["/go-live", "/preview", "/end", "/disconnect", "/rotate-key"] {
        assert_eq!(viewer.post(&show.path(action), &json!({})).problem(), (403, "forbidden"), "{action}");
    }
    assert_eq!(viewer.post("/live", &json!({"name": "x"})).problem(), (403, "forbidden"));
    assert_eq!(viewer.delete(&show.path("")).problem(), (403, "forbidden"));
    assert_eq!(show.api.get("/tokens").problem(), (403, "forbidden"), "tokens are an administrator's");
}

#[test]
fn a_foreign_entry_is_not_there() {
    let server = Server::start("", &[]);
    let (_, [producer]) = account(&server, "a", ["producer"]);
    let (_, [stranger, admin]) = account(&server, "b", ["producer", "admin"]);
    let show = Show::by(producer, &server, json!({}));
    let _push = show.on_air();
    for api in [&stranger, &admin] {
        let entry = format!("/entries/{}", show.id);
        for path in [show.path(""), show.path("/status"), entry.clone(), format!("{entry}/recordings")] {
            assert_eq!(api.get(&path).problem(), (404, "not-found"), "{path}");
        }
        for path in [show.path(""), entry] {
            assert_eq!(api.patch(&path, &json!({"name": "mine"})).problem(), (404, "not-found"), "{path}");
            assert_eq!(api.delete(&path).problem(), (404, "not-found"), "{path}");
        }
        for action in ["/go-live", "/preview", "/end", "/disconnect", "/rotate-key"] {
            assert_eq!(api.post(&show.path(action), &json!({})).problem(), (404, "not-found"), "{action}");
        }
        for list in ["/live", "/entries", "/entries?q=show", "/live?status=live"] {
            assert_eq!(api.get(list).done()["items"], json!([]), "{list}");
        }
    }
    let status = show.status();
    assert_eq!((&status["status"], status["legs"].as_array().map(Vec::len)), (&json!("live"), Some(1)));
    assert_eq!(Api::admin(&server).get("/live?status=live").done()["items"][0]["id"], show.id.as_str());
}

#[test]
fn a_token_that_was_taken_away_opens_nothing() {
    let server = Server::start("", &[]);
    let admin = Api::admin(&server);
    let token = admin.post("/tokens", &json!({"role": "producer", "name": "crew"})).done();
    let crew = Api::by(&server, token["secret"].as_str().expect("a secret"));
    let show = Show::by(crew, &server, json!({}));
    admin.delete(&format!("/tokens/{}", token["id"].as_str().expect("an id"))).done();
    let refused = show.api.get(&show.path(""));
    assert_eq!(refused.problem(), (401, "unauthorized"));
    assert!(refused.headers["www-authenticate"].to_str().is_ok_and(|it| it.starts_with("Bearer")));
}
