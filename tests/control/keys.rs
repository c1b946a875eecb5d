//! A stream key that is known to too many.

use serde_json::json;

use crate::show::{Show, assert_cut, assert_refused, file, publish};
use crate::support::{Server, within};

#[test]
fn a_key_that_was_replaced_is_cut_and_opens_nothing() {
    let server = Server::start("", &[]);
    let show = Show::new(&server, json!({}));
    let push = show.on_air();
    let session = show.session();
    let rotated = show.act("rotate-key").done();
    assert_eq!(show.status()["legs"], json!([]), "whoever has the old key is off before the answer is there");
    assert_cut(push);
    assert_ne!(rotated["keys"]["primary"], show.created["keys"]["primary"]);
    assert_eq!(rotated["keys"]["backup"], show.created["keys"]["backup"]);
    assert_refused(show.publish(), "unknown stream key");

    let url = rotated["publish"]["rtmp"]["primary"].as_str().expect("a URL");
    let _push = publish(url, &file());
    within(20, "the new key goes on", || (show.playlist().discontinuities() == 1).then_some(()));
    assert_eq!(show.session(), session);
}

#[test]
fn a_key_of_ones_own_choice_is_one_entry_s_alone() {
    let server = Server::start("", &[]);
    let (show, other) = (Show::new(&server, json!({})), Show::new(&server, json!({})));
    let choice = json!({"key": "sunday-2026"});
    let rotated = show.api.post(&show.path("/rotate-key"), &choice).done();
    assert_eq!(rotated["publish"]["rtmp"]["primary"], server.rtmp_url("live/sunday-2026"));
    let taken = other.api.post(&other.path("/rotate-key"), &choice);
    assert_eq!(taken.problem(), (409, "conflict"));
    let _push = publish(&server.rtmp_url("live/sunday-2026"), &file());
    show.public.wait_for("master.m3u8");
    assert_eq!(other.status()["status"], "offline");
}
