//! A stream that its producer ends, and an encoder that he cuts.

use std::time::Duration;

use serde_json::json;

use crate::show::{Show, assert_cut, assert_refused};
use crate::support::dash::Mpd;
use crate::support::hls::Media;
use crate::support::wait::throughout;
use crate::support::{Server, within};

#[test]
fn an_end_is_an_end_for_players_at_once_and_for_an_encoder_that_tries_again() {
    let server = Server::start("", &[]);
    let show = Show::new(&server, json!({}));
    assert_eq!(show.act("end").problem(), (409, "conflict"), "nothing is on");
    let push = show.on_air();
    let session = show.session();
    let ended = show.act("end").done();
    assert_eq!(ended["status"], "ended");
    assert_over(&show, session);
    assert_eq!(show.act("end").problem(), (409, "conflict"), "it is over");
    assert_cut(push);
    assert_eq!(show.status()["last"]["leg"], "primary");

    for _ in 0..2 {
        assert_refused(show.publish(), "the stream was ended");
    }
    throughout(Duration::from_millis(3200), || assert_over(&show, session));
    let _push = show.publish();
    let live = within(20, "it is live again under the same URLs", || {
        Some(show.playlist()).filter(|media| !media.ended)
    });
    assert_ne!(show.session(), session);
    assert!(live.sequence > pinned(&show, session).last().number, "numbers are never used twice");
    assert_over_for_its_players(&show, session);
    assert_eq!(show.status()["status"], "live");
}

/// The playlist of a session.
fn pinned(show: &Show, session: u64) -> Media {
    Media::parse(&show.public.wait_for(&format!("video-1.m3u8?s={session}")))
}

fn assert_over(show: &Show, session: u64) {
    assert_over_for_its_players(show, session);
    assert!(show.playlist().ended);
    let bare = Mpd::parse(&show.public.wait_for("manifest.mpd"));
    assert!(!bare.dynamic && !bare.updates);
    let status = show.status();
    assert_eq!((&status["status"], &status["legs"]), (&json!("ended"), &json!([])));
}

fn assert_over_for_its_players(show: &Show, session: u64) {
    for rendition in ["video-1", "audio-1"] {
        let playlist = show.public.get(&format!("{rendition}.m3u8?s={session}"));
        assert_eq!(playlist.status, 200);
        assert!(Media::parse(&playlist.text()).ended, "{rendition}");
    }
    let mpd = Mpd::parse(&show.public.get(&format!("manifest.mpd?s={session}")).text());
    assert!(!mpd.dynamic && !mpd.updates);
}

#[test]
fn an_encoder_that_was_cut_comes_back_to_the_same_session() {
    let server = Server::start("", &[]);
    let show = Show::new(&server, json!({}));
    assert_eq!(show.act("disconnect").problem(), (409, "conflict"), "nobody publishes");
    let push = show.on_air();
    let session = show.session();
    let cut = show.act("disconnect").done();
    assert_eq!(cut["status"], "live");
    let status = show.status();
    assert_eq!((&status["waiting"], &status["legs"]), (&json!(true), &json!([])));
    assert!(status["last"]["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{status:#}");
    assert_cut(push);
    assert!(!pinned(&show, session).ended);

    let _push = show.publish();
    let back = within(20, "it goes on", || {
        Some(pinned(&show, session)).filter(|media| media.discontinuities() == 1)
    });
    assert!(!back.ended);
    assert_eq!(show.session(), session);
    assert_eq!(show.status()["waiting"], false);
}

#[test]
fn an_entry_that_is_deleted_takes_its_stream_along() {
    let server = Server::start("", &[]);
    let show = Show::new(&server, json!({}));
    let push = show.on_air();
    let segment = show.playlist().segments[0].uri.clone();
    show.api.delete(&show.path("")).done();
    for name in ["master.m3u8", "manifest.mpd", "video-1.m3u8", &segment] {
        assert_eq!(show.public.get(name).status, 404, "{name}");
    }
    assert_cut(push);
    assert_refused(show.publish(), "unknown stream key");
    assert_eq!(show.api.get(&show.path("")).problem(), (404, "not-found"));
}
