//! Tracks that are announced and do not come, come late, or stop.

use crate::bystander::{Bystander, ENTRY, SETTINGS};
use crate::publisher::Publisher;
use crate::support::dash::Mpd;
use crate::support::hls::{Media, children};
use crate::support::server::Entry;
use crate::support::{Server, within};

fn media(play: &Entry, rendition: &str) -> Media {
    Media::parse(&play.wait_for(&format!("{rendition}.m3u8")))
}

/// What is announced is waited for two seconds, not for ever.
#[test]
fn an_announced_track_that_never_comes_is_not_waited_for() {
    let server = Server::start(SETTINGS, &[ENTRY, "e"]);
    let bystander = Bystander::on_air(&server);
    let mut publisher = Publisher::on_air(server.rtmp(), "e", true);
    publisher.run(0, 6, false);
    let multivariant = within(8, "a playlist of what there is", || {
        let answer = server.play("e").get("master.m3u8");
        (answer.status == 200).then(|| answer.text())
    });
    assert_eq!(children(&multivariant).len(), 1, "{multivariant}");
    bystander.assert_undisturbed();
}

#[test]
fn audio_that_is_ten_seconds_late_comes_in_with_a_new_period() {
    let server = Server::start(SETTINGS, &[ENTRY, "e"]);
    let bystander = Bystander::on_air(&server);
    let mut publisher = Publisher::on_air(server.rtmp(), "e", false);
    publisher.run(0, 10, false);
    let play = server.play("e");
    assert_eq!(children(&play.wait_for("master.m3u8")).len(), 1);
    publisher.describe(true, true);
    publisher.run(10_000, 6, true);
    let both = within(10, "both", || {
        Some(play.wait_for("master.m3u8")).filter(|multivariant| children(multivariant).len() == 2)
    });
    assert!(both.contains("mp4a.40.2"), "{both}");
    assert_eq!(media(&play, "video-1").discontinuities(), 1);
    assert!(media(&play, "video-1").segments.iter().all(|segment| !segment.gap));
    bystander.assert_undisturbed();
}

#[test]
fn audio_that_stops_takes_nobody_with_it() {
    let server = Server::start(SETTINGS, &[ENTRY, "e"]);
    let bystander = Bystander::on_air(&server);
    let mut publisher = Publisher::on_air(server.rtmp(), "e", true);
    publisher.run(0, 6, true);
    publisher.run(6000, 10, false);
    let play = server.play("e");
    let video = within(10, "the video goes on", || {
        Some(media(&play, "video-1")).filter(|media| media.segments.len() >= 14)
    });
    assert_eq!(video.discontinuities(), 0);
    let audio = media(&play, "audio-1");
    assert!(audio.segments.iter().rev().take(5).all(|segment| segment.gap), "{audio:?}");
    assert!(!audio.segments[0].gap);
    assert_eq!(children(&play.wait_for("master.m3u8")).len(), 1, "newcomers are not told of it");
    let mpd = Mpd::parse(&play.wait_for("manifest.mpd"));
    let tracks: Vec<usize> = mpd.periods.iter().map(|period| period.representations.len()).collect();
    assert_eq!(tracks, [2, 1]);
    bystander.assert_undisturbed();
}
