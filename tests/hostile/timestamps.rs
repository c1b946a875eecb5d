//! Timestamps that wrap, jump, or disagree between the tracks.

use crate::bystander::{Bystander, ENTRY, SETTINGS};
use crate::process::{MB, assert_memory_returns, memory};
use crate::publisher::Publisher;
use crate::support::cmaf;
use crate::support::dash::Mpd;
use crate::support::hls::Media;
use crate::support::server::Entry;
use crate::support::{Server, within};

/// The playlist of the video with at least that many segments.
fn playlist(play: &Entry, segments: usize) -> Media {
    within(10, "segments", || {
        Some(Media::parse(&play.wait_for("video-1.m3u8"))).filter(|media| media.segments.len() >= segments)
    })
}

/// A stream that runs over `boundary`, in milliseconds of RTMP, is one period without a hole.
fn check_continuous(boundary: u32) {
    let server = Server::start(SETTINGS, &[ENTRY, "e"]);
    let bystander = Bystander::on_air(&server);
    let mut publisher = Publisher::on_air(server.rtmp(), "e", true);
    publisher.run(boundary.wrapping_sub(4000), 9, true);
    let play = server.play("e");
    let media = playlist(&play, 8);
    assert_eq!(media.discontinuities(), 0);
    for segment in &media.segments {
        // Playlists of parts run ahead by a microsecond.
        assert_eq!(segment.extinf, "1.000001", "{boundary}");
    }
    for (at, segment) in media.segments.iter().enumerate() {
        let first = cmaf::samples(&play.get(&segment.uri).body)[0].dts;
        assert_eq!(first, at as i64 * 90_000, "{boundary}");
    }
    bystander.assert_undisturbed();
}

#[test]
fn past_24_bits_the_timestamp_is_extended() {
    check_continuous(0xff_ffff);
}

#[test]
fn past_31_bits_nothing_happens() {
    check_continuous(1 << 31);
}

#[test]
fn past_32_bits_they_begin_anew() {
    check_continuous(0);
}

#[test]
fn a_jump_of_all_timestamps_is_one_discontinuity_and_costs_no_memory() {
    let server = Server::start(SETTINGS, &[ENTRY, "back", "forward"]);
    let bystander = Bystander::on_air(&server);
    let before = memory(&server);
    for (entry, from) in [("back", 10_000), ("forward", 3_624_000)] {
        let mut publisher = Publisher::on_air(server.rtmp(), entry, true);
        publisher.run(16_000, 8, true);
        publisher.run(from, 8, true);
        let play = server.play(entry);
        let media = playlist(&play, 14);
        assert_eq!(media.discontinuities(), 1, "{entry}");
        assert!(media.segments.iter().all(|segment| !segment.gap && segment.seconds() <= 1.5), "{media:?}");
        let mpd = within(5, "two Periods", || {
            Some(Mpd::parse(&play.wait_for("manifest.mpd"))).filter(|mpd| mpd.periods.len() > 1)
        });
        assert_eq!(mpd.periods.len(), 2, "{entry}");
        let told = format!("entry={entry} unsaid=0");
        let log = server.log();
        let mut lines = log.lines().filter(|line| line.contains("stepped by") && line.contains(&told));
        assert!(lines.next().is_some() && lines.next().is_none(), "an operator is told once:\n{log}");
    }
    assert!(memory(&server) < before + 8 * MB);
    assert_memory_returns(&server, before);
    bystander.assert_undisturbed();
}

/// A step at each keyframe, a thousand of them: neither the playlist nor the log grows with it.
#[test]
fn timestamps_that_jump_all_the_time_meet_bounds() {
    let server = Server::start(SETTINGS, &[ENTRY, "e"]);
    let bystander = Bystander::on_air(&server);
    let before = memory(&server);
    let mut publisher = Publisher::on_air(server.rtmp(), "e", false);
    publisher.run(0, 4, false);
    for jump in 0..1000 {
        publisher.picture(if jump % 2 == 0 { 100_000 } else { 0 }, true, 100);
    }
    let play = server.play("e");
    let media = playlist(&play, 100);
    assert!(media.segments.len() <= 310, "{} listed", media.segments.len());
    let lines = server.log().matches("timestamps of video-1 stepped by").count();
    assert!((1..=20).contains(&lines), "{lines} lines");
    assert!(publisher.rtmp.stands());
    assert_memory_returns(&server, before);
    bystander.assert_undisturbed();
}

/// Whose audio is five seconds behind hears it five seconds later: nothing is moved, nothing is lost but that.
#[test]
fn tracks_that_are_five_seconds_apart_stay_so() {
    let server = Server::start(SETTINGS, &[ENTRY, "e"]);
    let bystander = Bystander::on_air(&server);
    let mut publisher = Publisher::on_air(server.rtmp(), "e", true);
    for frame in 0..16 * 25 {
        publisher.picture(frame * 40, frame % 25 == 0, 100);
        for sound in 0..2 {
            publisher.sound(5000 + frame * 40 + sound * 20);
        }
    }
    let play = server.play("e");
    playlist(&play, 14);
    let first = |rendition: &str| {
        let media = Media::parse(&play.wait_for(&format!("{rendition}.m3u8")));
        let segment = media.segments.iter().find(|segment| !segment.gap).expect("media").clone();
        let timescale = if rendition == "video-1" { 90_000.0 } else { 48_000.0 };
        let samples = cmaf::samples(&play.get(&segment.uri).body);
        (media.discontinuities(), samples[0].pts as f64 / timescale)
    };
    let ((_, video), (_, audio)) = (first("video-1"), first("audio-1"));
    assert!((video, (audio - 5.0).abs() < 0.1) == (0.0, true), "video at {video} s, audio at {audio} s");
    bystander.assert_undisturbed();
}
