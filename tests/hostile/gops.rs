//! Keyframes that are far apart, close together, or never come; pictures that are few or many.

use crate::bystander::{Bystander, ENTRY};
use crate::publisher::Publisher;
use crate::support::hls::{Media, children};
use crate::support::server::Entry;
use crate::support::{Server, within};

const SETTINGS: &str = "
[packager]
segment = \"1s\"
probe = \"2s\"
window = \"2m\"
";

/// Pictures as an encoder sends them.
struct Pictures {
    /// Milliseconds from one to the next, as a fraction.
    millis: (u32, u32),
    /// Pictures from keyframe to keyframe, cycled through; zero is never.
    gops: &'static [u32],
    count: u32,
}

impl Pictures {
    /// Sends them as fast as they are taken.
    fn send(&self, publisher: &mut Publisher) {
        let mut next_key = Some(0);
        let mut gops = self.gops.iter().cycle();
        for frame in 0..self.count {
            let keyframe = next_key == Some(frame) && self.gops[0] != 0;
            if keyframe {
                next_key = gops.next().map(|gop| frame + gop);
            }
            publisher.picture(frame * self.millis.0 / self.millis.1, keyframe, 100);
        }
    }

    fn seconds(&self) -> f64 {
        f64::from(self.count * self.millis.0 / self.millis.1) / 1000.0
    }
}

/// All of it is listed, in segments that a player can count on; the playlist is returned.
fn check(pictures: &Pictures) -> Media {
    let server = Server::start(SETTINGS, &[ENTRY, "e"]);
    let bystander = Bystander::on_air(&server);
    let mut publisher = Publisher::on_air(server.rtmp(), "e", false);
    pictures.send(&mut publisher);
    let play = server.play("e");
    let least = pictures.seconds() - 9.0;
    let media =
        within(15, "most of it is listed", || Some(playlist(&play)).filter(|media| listed(media) >= least));
    assert_eq!(media.discontinuities(), 0);
    for segment in &media.segments {
        assert!(segment.seconds().round() <= f64::from(media.target_duration), "{segment:?}");
        assert!(segment.seconds() > 0.4 && !segment.gap, "{segment:?}");
    }
    bystander.assert_undisturbed();
    media
}

fn playlist(play: &Entry) -> Media {
    Media::parse(&play.wait_for("video-1.m3u8"))
}

fn listed(media: &Media) -> f64 {
    media.segments.iter().map(|segment| segment.seconds()).sum()
}

#[test]
fn keyframes_at_any_distance() {
    let media = check(&Pictures { millis: (40, 1), gops: &[25, 13, 100, 175, 50], count: 1500 });
    assert!(media.target_duration <= 7, "{}", media.target_duration);
}

#[test]
fn a_keyframe_a_minute_is_cut_in_between() {
    let media = check(&Pictures { millis: (40, 1), gops: &[1500], count: 3100 });
    assert!(media.target_duration <= 2, "{}", media.target_duration);
}

#[test]
fn keyframes_only() {
    let media = check(&Pictures { millis: (40, 1), gops: &[1], count: 500 });
    assert_eq!(media.target_duration, 1);
}

#[test]
fn one_picture_a_second() {
    let media = check(&Pictures { millis: (1000, 1), gops: &[2], count: 40 });
    assert!(media.target_duration <= 2, "{}", media.target_duration);
}

#[test]
fn a_hundred_and_twenty_pictures_a_second() {
    let media = check(&Pictures { millis: (1000, 120), gops: &[120], count: 2400 });
    assert_eq!(media.target_duration, 1);
}

/// The sound plays, and the operator is told what to change.
#[test]
fn video_without_a_keyframe_is_said_to_be_so_and_the_sound_plays() {
    let server = Server::start(SETTINGS, &[ENTRY, "e"]);
    let bystander = Bystander::on_air(&server);
    let mut publisher = Publisher::on_air(server.rtmp(), "e", true);
    let never = Pictures { millis: (40, 1), gops: &[0], count: 1 };
    let play = server.play("e");
    let mut millis = 0;
    let multivariant = within(15, "the sound", || {
        never.send(&mut publisher);
        for _ in 0..10 {
            publisher.picture(millis, false, 1000);
            publisher.sound(millis);
            publisher.sound(millis + 20);
            millis += 40;
        }
        let answer = play.get("master.m3u8");
        (answer.status == 200).then(|| answer.text())
    });
    assert_eq!(children(&multivariant)[0].0, "audio-1", "{multivariant}");
    let told =
        server.log().matches("video without a keyframe: check the encoder's keyframe interval").count();
    assert_eq!(told, 1, "{}", server.log());
    bystander.assert_undisturbed();
}

/// Three in a row that are shown before the picture that they follow; nothing is shown before its segment.
#[test]
fn pictures_that_are_shown_in_another_order() {
    let server = Server::start(SETTINGS, &[ENTRY, "e"]);
    let bystander = Bystander::on_air(&server);
    let mut publisher = Publisher::on_air(server.rtmp(), "e", false);
    for frame in 0..400i32 {
        // Decode order: a picture, then the three before it; each is shown one later than it would be without them.
        let shown = if frame % 4 == 1 { frame + 3 } else { frame - i32::from(frame % 4 != 0) };
        let offset = (shown - frame + 1) * 40;
        publisher.shown_later((frame * 40) as u32, offset, frame % 24 == 0, 100);
    }
    let play = server.play("e");
    let media = within(10, "segments", || Some(playlist(&play)).filter(|media| media.segments.len() >= 14));
    for segment in &media.segments {
        let samples = crate::support::cmaf::samples(&play.get(&segment.uri).body);
        let start = samples[0].dts;
        assert!(samples.iter().all(|sample| sample.pts >= start), "{}", segment.uri);
        assert_eq!(samples[0].pts, start, "{}", segment.uri);
    }
    bystander.assert_undisturbed();
}
