//! An encoder that stops sending and does not hang up.

use std::time::Duration;

use crate::bystander::{Bystander, ENTRY};
use crate::process::assert_told;
use crate::publisher::Publisher;
use crate::support::dash::Mpd;
use crate::support::download::assert_follows;
use crate::support::hls::Media;
use crate::support::wait::throughout;
use crate::support::{Server, within};

const SETTINGS: &str = "
rtmp.idle_timeout = \"2s\"
stream.reconnect = \"3s\"
[packager]
segment = \"1s\"
";

#[test]
fn a_publisher_that_falls_silent_is_dropped_and_its_stream_waits_then_ends() {
    let server = Server::start(SETTINGS, &[ENTRY, "e"]);
    let bystander = Bystander::on_air(&server);
    let mut publisher = Publisher::on_air(server.rtmp(), "e", true);
    publisher.run(0, 6, true);
    let play = server.play("e");
    let playlist = || Media::parse(&play.wait_for("video-1.m3u8"));
    within(10, "segments", || (playlist().segments.len() >= 5).then_some(()));

    let closed = publisher.rtmp.closed(Duration::from_secs(6)).expect("dropped");
    assert!(closed > Duration::from_millis(900), "not before its time: {closed:?}");
    assert_told(&server, "silent", &publisher.rtmp.address());
    let mpd = within(5, "the Period is closed", || {
        Some(Mpd::parse(&play.wait_for("manifest.mpd"))).filter(|mpd| mpd.periods[0].duration.is_some())
    });
    assert!(mpd.updates, "it may come back");
    let last = playlist();
    assert!(!last.ended);
    throughout(Duration::from_secs(1), || assert_follows(&last, &playlist()));
    let ended = within(10, "EXT-X-ENDLIST", || Some(playlist()).filter(|media| media.ended));
    let listed = |media: &Media| -> Vec<String> {
        media.segments.iter().map(|segment| format!("{} {}", segment.extinf, segment.uri)).collect()
    };
    assert_eq!(listed(&ended), listed(&last), "nothing is appended to what waits");
    bystander.assert_undisturbed();
}
