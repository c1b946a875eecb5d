//! A stream that has its time.

use std::time::Duration;

use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::show::{Show, assert_cut, assert_refused};
use crate::support::Server;

fn from_now(seconds: u64) -> (OffsetDateTime, String) {
    let at = OffsetDateTime::now_utc() + Duration::from_secs(seconds);
    (at, at.format(&Rfc3339).expect("a time"))
}

#[test]
fn a_key_opens_from_its_time_on() {
    let server = Server::start("", &[]);
    let (_, hour) = from_now(3600);
    let show = Show::new(&server, json!({"settings": {"starts_at": hour}}));
    assert_refused(show.publish(), "this stream can be published to from ");
    assert_eq!(show.status()["status"], "offline");
    assert!(server.log().contains("not-now"), "an operator reads why:\n{}", server.log());
    show.set(json!({"starts_at": null}));
    let _push = show.on_air();
}

#[test]
fn a_stream_is_over_when_its_time_is() {
    let server = Server::start("", &[]);
    let show = Show::new(&server, json!({}));
    let push = show.on_air();
    let (end, text) = from_now(3);
    show.set(json!({"ends_at": text}));
    assert_eq!(show.status()["status"], "live");
    show.when("it ends", |status| status["status"] == "ended");
    let late = (OffsetDateTime::now_utc() - end).as_seconds_f64();
    assert!((0.0..3.0).contains(&late), "ended {late} s after its time");
    assert!(show.playlist().ended);
    assert_cut(push);
    assert_refused(show.publish(), "this stream could be published to until ");
}
