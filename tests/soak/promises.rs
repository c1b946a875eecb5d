//! A disk that takes writes and cannot make them safe: what was not saved is not acknowledged.

use serde_json::{Value, json};

use crate::fault::{Fault, SYNC};
use crate::show::SETTINGS;
use crate::support::api::Reply;
use crate::support::{Api, Server, within};

fn create(api: &Api, name: &str) -> Reply {
    api.post("/live", &json!({"name": name}))
}

fn names(api: &Api) -> Vec<String> {
    let listed = api.get("/live?limit=100").done();
    let name = |item: &Value| item["name"].as_str().expect("a name").to_owned();
    listed["items"].as_array().expect("a list").iter().map(name).collect()
}

/// SQLite syncs its log with each transaction; while it cannot, a change is refused (RFC 9110 §15.6.4) and may be tried
/// again, and everything that was accepted is there after the next start.
#[test]
fn a_change_that_cannot_be_made_safe_is_refused() {
    let server = Server::start(SETTINGS, &[]);
    let api = Api::admin(&server);
    create(&api, "before").done();
    let log = server.folder().join("data/catalog.db-wal");
    let Some(fault) = Fault::inject(&server, SYNC, "error=EIO", &[log]) else { return };
    let refused = create(&api, "while syncs fail");
    assert_eq!(refused.problem(), (503, "unavailable"));
    assert!(refused.headers.contains_key("retry-after"), "{refused:?}");
    assert_eq!(names(&api), ["before"], "reading goes on");
    fault.over();
    within(20, "changes again", || (create(&api, "after").status == 201).then_some(()));
    let server = server.kill().start();
    let names = names(&Api::admin(&server));
    assert!(names.contains(&"before".to_owned()) && names.contains(&"after".to_owned()), "{names:?}");
}
