//! Who has a token, and would like more than it gives.

use std::collections::BTreeSet;
use std::thread;

use serde_json::{Value, json};

use crate::bystander::{Bystander, ENTRY, SETTINGS};
use crate::control::{FREELY, Tenant, ask, description, fill, id, operations};
use crate::support::Server;
use crate::support::api::Api;

/// A server with two accounts that know nothing of each other.
fn neighbours() -> (Server, Tenant, Tenant) {
    let server = Server::start(&format!("{FREELY}{SETTINGS}"), &[ENTRY]);
    let (one, other) = (Tenant::new(&server, "one"), Tenant::new(&server, "other"));
    (server, one, other)
}

/// Of each kind that paths name: one of this account.
fn ids(of: &Tenant) -> Vec<String> {
    let hook = of.admin.post("/webhooks", &json!({"url": "https://example.org/hook"})).done();
    let mut ids = vec![of.account.clone(), of.entry(), id(&hook)];
    ids.extend(of.tokens.iter().cloned());
    ids
}

/// An id of the same shape that nothing has.
fn nobody(id: &str) -> String {
    let (prefix, _) = id.rsplit_once('_').expect("ids have a prefix");
    format!("{prefix}_zzzzzzzz")
}

/// Where the path has several places, all are filled with it: whichever is looked at first is not the caller's.
#[test]
fn whatever_belongs_to_another_account_is_not_there() {
    let (server, one, other) = neighbours();
    let bystander = Bystander::on_air(&server);
    let with_ids: Vec<_> =
        operations(&description(&server)).into_iter().filter(|(_, path)| path.contains('{')).collect();
    assert!(with_ids.len() > 15, "{with_ids:?}");
    for (method, path) in &with_ids {
        for id in ids(&one) {
            let (foreign, unknown) = (fill(path, &id), fill(path, &nobody(&id)));
            for (thief, statuses) in [
                (&other.admin, &[404, 422][..]),
                (&other.producer, &[403, 404, 422]),
                (&other.viewer, &[403, 404, 422]),
            ] {
                assert_hidden(thief, method, &foreign, &unknown, statuses);
            }
        }
    }
    assert_untouched(&one);
    bystander.assert_undisturbed();
}

/// Not there, or whatever else is said before anything is looked up; and the same is said of what nobody has.
fn assert_hidden(thief: &Api, method: &str, foreign: &str, unknown: &str, statuses: &[u16]) {
    let [answer, same] = [foreign, unknown].map(|path| ask(thief, method, path));
    assert!(statuses.contains(&answer.status), "{} to {method} {foreign}: {:#}", answer.status, answer.body);
    assert_eq!((answer.status, answer.body), (same.status, same.body), "{method} {foreign} and {unknown}");
}

/// What one account has is as it was, and it gets at it by the same paths.
fn assert_untouched(one: &Tenant) {
    let now = one.producer.get(&format!("/live/{}", one.entry())).done();
    for name in ["id", "name", "keys", "version", "status"] {
        assert_eq!(now[name], one.live[name], "{name}");
    }
    for token in &one.tokens {
        assert_eq!(one.admin.get(&format!("/tokens/{token}")).done()["revoked"], Value::Null);
    }
    assert_eq!(one.admin.get(&format!("/accounts/{}", one.account)).status, 200);
}

#[test]
fn no_list_shows_what_another_account_has() {
    let (server, one, other) = neighbours();
    let bystander = Bystander::on_air(&server);
    let hidden: Vec<String> = ids(&one).into_iter().chain([one.key(), "of one".to_owned()]).collect();
    let listed = operations(&description(&server))
        .into_iter()
        .filter(|(method, path)| method == "GET" && !path.contains('{') && !path.ends_with("/events"));
    let mut seen = BTreeSet::new();
    for (_, path) in listed {
        let reply = other.admin.get(&path);
        assert_eq!(reply.status, 200, "{path}");
        let text = reply.body.to_string();
        for word in &hidden {
            assert!(!text.contains(word), "{word} in {path}: {text}");
        }
        if text.contains(&other.entry()) || text.contains(&other.account) {
            seen.insert(path);
        }
    }
    assert!(seen.contains("/live") && seen.contains("/entries") && seen.contains("/audit"), "{seen:?}");
    for path in ["/entries", "/live"] {
        let wanted = other.admin.get(&format!("{path}?account={}", one.account));
        assert_eq!(wanted.body["items"], json!([]), "asked for by name");
    }
    bystander.assert_undisturbed();
}

#[test]
fn nobody_makes_anything_in_another_account_or_above_his_own() {
    let (server, one, other) = neighbours();
    let bystander = Bystander::on_air(&server);
    let theirs = json!({"name": "x", "account": one.account});
    assert_eq!(other.producer.post("/live", &theirs).problem(), (404, "not-found"));
    let token = json!({"name": "x", "role": "viewer", "account": one.account});
    assert_eq!(other.admin.post("/tokens", &token).problem(), (404, "not-found"));
    for wider in
        [json!({"name": "x", "role": "admin"}), json!({"name": "x", "role": "admin", "account": null})]
    {
        assert_eq!(other.admin.post("/tokens", &wider).done()["account"], json!(other.account));
        assert_eq!(other.producer.post("/tokens", &wider).problem(), (403, "forbidden"));
    }
    let plenty = json!({"quotas": {"streams": 1000}});
    let account = format!("/accounts/{}", other.account);
    assert_eq!(other.admin.patch(&account, &plenty).problem(), (403, "forbidden"));
    assert_eq!(other.admin.delete(&account).problem(), (403, "forbidden"));
    assert_eq!(other.admin.post("/accounts", &json!({"name": "third"})).problem(), (403, "forbidden"));
    let entry = format!("/live/{}", other.entry());
    assert_eq!(other.viewer.patch(&entry, &json!({"name": "x"})).problem(), (403, "forbidden"));
    assert_eq!(other.viewer.get(&entry).done()["keys"], Value::Null, "no stream key for a viewer");
    bystander.assert_undisturbed();
}

/// Whatever an answer shows and a change does not take is refused, so that nobody believes to have changed it.
#[test]
fn what_the_server_decides_cannot_be_assigned() {
    let (server, one, _) = neighbours();
    let bystander = Bystander::on_air(&server);
    let document = description(&server);
    let entry = one.entry();
    for (path, schema) in [
        (format!("/live/{entry}"), "EntryPatch"),
        (format!("/entries/{entry}"), "EntryPatch"),
        (format!("/accounts/{}", one.account), "AccountPatch"),
    ] {
        let all = Api::admin(&server);
        let shown = all.get(&path).done();
        let taken = &document["components"]["schemas"][schema]["properties"];
        assert!(taken["name"].is_object(), "{schema} is described");
        let fixed = shown.as_object().expect("an object").keys().filter(|name| taken[*name].is_null());
        let fixed: Vec<&str> = fixed.map(String::as_str).chain(["role", "is_admin", "__proto__"]).collect();
        assert!(fixed.contains(&"id") && fixed.contains(&"version"), "{fixed:?}");
        for name in fixed {
            let reply = all.patch(&path, &json!({"name": "assigned", name: shown[name]}));
            assert_eq!(reply.problem(), (422, "invalid"), "{name} of {path}");
        }
        assert_eq!(all.get(&path).done()["name"], shown["name"]);
    }
    for name in ["id", "keys", "status", "version", "created", "publish", "secret"] {
        let reply = one.producer.post("/live", &json!({"name": "assigned", name: one.live[name]}));
        assert_eq!(reply.problem(), (422, "invalid"), "{name}");
    }
    bystander.assert_undisturbed();
}

#[test]
fn of_two_edits_of_the_same_version_one_is_done() {
    let (server, one, _) = neighbours();
    let bystander = Bystander::on_air(&server);
    let path = format!("/live/{}", one.entry());
    for round in 0..10 {
        let tag = one.producer.get(&path).headers["etag"].to_str().expect("a tag").to_owned();
        let edit = |name: String| {
            one.producer.send("PATCH", &path, &[("if-match", &tag)], Some(&json!({"name": name})))
        };
        let replies = thread::scope(|scope| {
            let edits = [0, 1].map(|side| scope.spawn(move || edit(format!("{round} {side}"))));
            edits.map(|edit| edit.join().expect("an answer"))
        });
        let mut outcome = replies.each_ref().map(|reply| reply.status);
        outcome.sort_unstable();
        assert_eq!(outcome, [200, 412]);
        let done = replies.iter().find(|reply| reply.status == 200).expect("one of them");
        assert_eq!(one.producer.get(&path).done()["name"], done.body["name"], "nobody wrote over it");
    }
    bystander.assert_undisturbed();
}

#[test]
fn a_creation_that_is_sent_many_times_at_once_is_done_once() {
    let (server, one, other) = neighbours();
    let bystander = Bystander::on_air(&server);
    let wanted = json!({"name": "once", "tags": ["once"]});
    let create = || one.producer.send("POST", "/live", &[("idempotency-key", "k-1")], Some(&wanted));
    let replies = thread::scope(|scope| {
        let senders: Vec<_> = (0..8).map(|_| scope.spawn(create)).collect();
        senders.into_iter().map(|sender| sender.join().expect("an answer")).collect::<Vec<_>>()
    });
    let made: BTreeSet<String> =
        replies.iter().filter(|reply| reply.status == 201).map(|reply| id(&reply.body)).collect();
    assert_eq!(made.len(), 1, "{made:?}");
    for reply in replies.iter().filter(|reply| reply.status != 201) {
        assert_eq!(reply.problem(), (409, "in-progress"));
    }
    let listed = one.producer.get("/live?tag=once").done();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
    assert!(made.contains(&id(&create().done())), "also later");
    let changed = json!({"name": "another"});
    let reused = one.producer.send("POST", "/live", &[("idempotency-key", "k-1")], Some(&changed));
    assert_eq!(reused.problem(), (422, "key-reused"));
    let theirs = other.producer.send("POST", "/live", &[("idempotency-key", "k-1")], Some(&wanted)).done();
    assert!(!made.contains(&id(&theirs)), "keys of others are others");
    bystander.assert_undisturbed();
}
