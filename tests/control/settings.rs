//! What an entry has set for itself.

use serde_json::json;

use crate::show::{Show, publish};
use crate::support::source::{Source, USUAL};
use crate::support::{Server, within};

#[test]
fn an_entry_has_segments_of_its_own_length() {
    let server = Server::start("", &[]);
    let show = Show::new(&server, json!({"settings": {"segment": "4s"}}));
    let _push = publish(show.url(), &Source { seconds: 60, gop: 50, ..USUAL }.file());
    let media =
        within(30, "three segments", || Some(show.playlist()).filter(|media| media.segments.len() >= 3));
    assert_eq!(media.target_duration, 4);
    for segment in &media.segments {
        assert!((segment.seconds() - 4.0).abs() < 0.05, "{media:?}");
    }
}

#[test]
fn an_entry_waits_for_its_encoder_as_long_as_it_says() {
    let server = Server::start("stream.reconnect = \"10m\"\n", &[]);
    let show = Show::new(&server, json!({"settings": {"reconnect": "1s"}}));
    show.on_air().kill();
    show.within(10, "it is over", |status| status["status"] == "ended");
    assert!(show.playlist().ended);
}

#[test]
fn what_cannot_be_is_said_all_at_once_and_nothing_is_changed() {
    let server = Server::start("", &[]);
    let show = Show::new(&server, json!({}));
    let wrong = json!({"settings": {"segment": "1h", "part": "5s", "ends_at": "tomorrow"}});
    let refused = show.api.patch(&show.path(""), &wrong);
    assert_eq!(refused.problem(), (422, "invalid"));
    let errors = refused.body["errors"].as_array().expect("errors").iter();
    let fields: Vec<_> = errors.map(|error| error["field"].as_str().expect("a field")).collect();
    assert_eq!(fields, ["settings.segment", "settings.part", "settings.ends_at"]);
    assert_eq!(show.api.get(&show.path("")).done(), show.created);
}
