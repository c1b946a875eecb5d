//! Encoders as they usually are.

use media::Kind;

use super::encoder::{Encoder, aac, every, two_b_frames};
use crate::health::{Plan, Verdict};

#[test]
fn nothing_is_found_in_usual_streams() {
    for rate in [24_000.0 / 1001.0, 24.0, 25.0, 30_000.0 / 1001.0, 30.0, 50.0, 60_000.0 / 1001.0, 60.0] {
        for sample_rate in [44_100, 48_000] {
            let encoder = Encoder {
                rate,
                sync: every((rate * 2.0).round() as u64),
                shown: Box::new(two_b_frames),
                audio: Some(aac(sample_rate)),
                arrival: Box::new(|kind, at| Some(at + jitter(kind, at))),
                ..Encoder::default()
            };
            let seconds: Vec<f64> = (0..90).map(f64::from).collect();
            encoder.watch(&seconds, &Plan::default(), |health| {
                assert_eq!(health.findings, [], "{rate} at {:?}", health.uptime);
                // The first media arrives a tenth of a second after the encoder.
                let enough = health.uptime.as_secs() > 5;
                assert_eq!(health.verdict, if enough { Verdict::Ready } else { Verdict::Measuring });
            });
        }
    }
}

/// Bursts of a tenth of a second, and another tenth that swells and ebbs away.
fn jitter(kind: Kind, at: f64) -> f64 {
    let late = at + 0.05 + (at * 2.0 + f64::from(kind as u8)).sin() * 0.05;
    (late * 10.0).ceil() / 10.0 - at
}

#[test]
fn what_is_measured_is_what_was_sent() {
    let encoder = Encoder { rate: 30_000.0 / 1001.0, shown: Box::new(two_b_frames), ..Encoder::default() };
    let health = encoder.health(60.0, &Plan::default());
    let [video, audio] = &health.tracks[..] else { panic!("{:#?}", health.tracks) };
    assert_eq!((video.codec.as_str(), video.width, video.height), ("avc1.64001f", Some(1280), Some(720)));
    assert_eq!((video.frame_rate, video.variable_frame_rate, video.b_frames), (Some(29.97), false, true));
    let interval = video.keyframe_interval.expect("known");
    let millis = [interval.last, interval.shortest, interval.longest].map(|span| span.as_millis());
    assert!(millis.iter().all(|it| (2001..=2003).contains(it)), "{interval:?}");
    assert_eq!(
        (audio.codec.as_str(), audio.sample_rate, audio.channels),
        ("mp4a.40.2", Some(48_000), Some(2))
    );
    assert_eq!((audio.frame_rate, audio.keyframe_interval, audio.width), (None, None, None));
    assert!(video.bitrate.abs_diff(2_397_600) < 80_000, "{}", video.bitrate);
    assert!(audio.bitrate.abs_diff(112_500) < 5_000, "{}", audio.bitrate);
    assert_eq!(health.bitrate, video.bitrate + audio.bitrate);
    assert_eq!((video.samples, video.bytes), (1799, 17_990_000));
    assert_eq!((health.jumps, health.drift.map(i64::abs)), (0, Some(0)));
}

#[test]
fn news_is_a_verdict_or_a_finding_and_not_a_number() {
    let plan = Plan::default();
    let at = |seconds| Encoder::default().health(seconds, &plan);
    assert!(!at(20.0).is_news(&at(10.0)));
    assert!(at(10.0).is_news(&at(1.0)), "ready");
    assert!(Encoder { audio: None, ..Encoder::default() }.health(10.0, &plan).is_news(&at(10.0)), "no sound");
}

#[test]
fn a_remedy_goes_with_everything_that_is_found() {
    let encoder = Encoder { audio: None, rate: 12.0, sync: every(100), ..Encoder::default() };
    let health = encoder.health(30.0, &Plan { max_bitrate: Some(100_000), ..Plan::default() });
    assert_eq!(health.findings.len(), 4, "{:#?}", health.findings);
    for finding in health.findings {
        assert!(finding.message.ends_with('.') && finding.remedy.ends_with('.'), "{finding:#?}");
    }
}
