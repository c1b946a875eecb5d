//! What an account may use is used up, and is free again.

use serde_json::{Value, json};

use crate::show::{Show, assert_refused};
use crate::support::{Api, Server};

fn account(server: &Server, quotas: Value) -> Value {
    Api::admin(server).post("/accounts", &json!({"name": "tenant", "quotas": quotas})).done()["id"].clone()
}

#[test]
fn a_stream_too_many_is_refused_until_another_is_over() {
    let server = Server::start("", &[]);
    let account = account(&server, json!({"streams": 1}));
    let show = || Show::new(&server, json!({"account": account, "settings": {"reconnect": "1s"}}));
    let (first, second) = (show(), show());
    let push = first.on_air();
    assert_refused(second.publish(), "the account's streams at once are used up: 1");
    let elsewhere = Show::new(&server, json!({}));
    let _push = elsewhere.on_air();

    push.kill();
    first.when("the first is over", |status| status["status"] == "ended");
    let _second = second.on_air();
    assert_refused(first.publish(), "the account's streams at once are used up: 1");
}

#[test]
fn a_bitrate_that_is_used_up_by_others_keeps_the_next_one_out() {
    let server = Server::start("", &[]);
    let account = account(&server, json!({"bitrate": 20_000}));
    let show = || Show::new(&server, json!({"account": account}));
    let (first, second) = (show(), show());
    let _push = first.on_air();
    first.when("its bitrate is known and found too high", |status| {
        let findings = status["legs"][0]["health"]["findings"].as_array();
        findings.is_some_and(|findings| findings.iter().any(|finding| finding["code"] == "bitrate_high"))
    });
    assert_refused(second.publish(), "the account's bitrate is used up by its other streams: 20000 bit/s");
}
