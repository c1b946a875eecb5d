//! A server that stops, and encoders that can be asked to connect again (Enhanced RTMP v2, "Reconnect Request").

use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::publisher::Publisher;
use crate::rtmp::{Rtmp, number, text};
use crate::support::hls::Media;
use crate::support::server::Entry;
use crate::support::{Download, Server, cmaf, http, within};

const PATIENCE: Duration = Duration::from_secs(10);
const REQUEST: &str = "NetConnection.Connect.ReconnectRequest";

fn settings(drain: &str) -> String {
    format!("packager.segment = \"1s\"\nrecorder.mode = \"append\"\nrtmp.drain_timeout = \"{drain}\"\n")
}

/// A publisher that says that it follows a request to reconnect (`capsEx`).
fn reconnecting(to: SocketAddr, entry: &str) -> Publisher {
    let mut rtmp = Rtmp::shaken(to);
    rtmp.ask_with("live", &format!("key-{entry}"), &[&text("capsEx")[1..], &number(1.0)].concat());
    assert!(rtmp.hear("NetStream.Publish.Start"), "{entry} was not let in");
    let mut publisher = Publisher { rtmp };
    publisher.describe(true, false);
    publisher
}

/// Once the playlist has whole segments of so many seconds.
fn plays(play: &Entry, seconds: f64) {
    within(10, "segments", || {
        let media = Media::parse(&play.wait_for("video-1.m3u8"));
        let length: f64 = media.segments.iter().map(|segment| segment.seconds()).sum();
        (length >= seconds).then_some(())
    });
}

#[test]
fn who_is_asked_to_reconnect_is_on_air_until_he_left() {
    let server = Server::start(&settings("5s"), &["e", "f"]);
    let mut asked = reconnecting(server.rtmp(), "e");
    let mut plain = Publisher::on_air(server.rtmp(), "f", false);
    for publisher in [&mut asked, &mut plain] {
        publisher.run(0, 3, false);
    }
    plays(&server.play("e"), 2.0);
    plays(&server.play("f"), 2.0);

    let since = Instant::now();
    server.terminate();
    assert!(asked.rtmp.hear(REQUEST), "it is asked");
    assert!(plain.rtmp.hear("NetStream.Unpublish.Success") && !plain.rtmp.has_heard(REQUEST), "it is told");
    assert!(plain.rtmp.closed(PATIENCE).is_some(), "and closed");
    drop(plain);
    let rtmp = server.rtmp();
    within(5, "nobody is taken any more", || TcpStream::connect(rtmp).is_err().then_some(()));

    asked.run(3000, 3, false);
    plays(&server.play("e"), 5.0);
    let ready = http::get(&server.http_url("readyz"), &[]);
    assert_eq!(ready.status, 503, "viewers are answered, and a balancer sends no more of them");
    assert!(asked.rtmp.stands() && !asked.rtmp.has_heard("NetStream.Unpublish.Success"));
    drop(asked);
    let site = server.stopped(since);
    assert!(since.elapsed() < Duration::from_secs(5), "not as late as it may: {:?}", since.elapsed());

    let server = site.start();
    for (entry, pictures) in [("e", 150), ("f", 75)] {
        let download = Download::hls_now(&server.play(entry), &["video-1"]);
        let segments = download.of("video-1").into_iter().flat_map(|stretch| &stretch.segments);
        let recorded: usize = segments.map(|segment| cmaf::samples(&segment.body).len()).sum();
        assert_eq!(recorded, pictures, "pictures of {entry}");
    }
}

#[test]
fn who_does_not_follow_the_request_is_cut_in_time() {
    let server = Server::start(&settings("1s"), &["e"]);
    let mut publisher = reconnecting(server.rtmp(), "e");
    publisher.run(0, 3, false);
    plays(&server.play("e"), 2.0);
    let since = Instant::now();
    server.terminate();
    assert!(publisher.rtmp.hear(REQUEST));
    assert!(publisher.rtmp.closed(PATIENCE).is_some(), "the server closes");
    assert!(since.elapsed() >= Duration::from_secs(1), "after its time: {:?}", since.elapsed());
    server.stopped(since);
}
