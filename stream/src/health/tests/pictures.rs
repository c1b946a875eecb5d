//! Frame rates and B-frames.

use media::Kind;

use super::encoder::{Encoder, check, check_plan, every, two_b_frames};
use crate::health::Plan;
use crate::health::Severity::{Problem, Warning};

#[test]
fn a_frame_rate_that_varies_is_a_warning_and_rounding_is_not() {
    let phone = |kind, at: f64| if kind == Kind::Video { at + (at * 3.0).sin() * 0.1 } else { at };
    check(
        Encoder { stamp: Box::new(phone), ..Encoder::default() },
        30.0,
        &[("variable_frame_rate", Warning)],
    );
    let cut_off = |_, at: f64| (at * 1000.0).floor() / 1000.0;
    check(
        Encoder { rate: 59.94, sync: every(120), stamp: Box::new(cut_off), ..Encoder::default() },
        30.0,
        &[],
    );
}

#[test]
fn few_pictures_are_a_warning() {
    let rate = |rate: f64| Encoder { rate, sync: every(rate as u64 * 2), ..Encoder::default() };
    check(rate(10.0), 30.0, &[("frame_rate_low", Warning)]);
    check(rate(1.0), 30.0, &[("frame_rate_low", Warning)]);
    check(rate(15.0), 30.0, &[]);
}

#[test]
fn missing_pictures_are_a_warning_beyond_one_in_a_hundred() {
    let drops = |each: u64| Encoder {
        sync: every(60),
        arrival: Box::new(move |kind, at| {
            let n = (at * 30.0).round() as u64;
            (kind == Kind::Audio || n % each != 7).then_some(at)
        }),
        ..Encoder::default()
    };
    check(drops(50), 30.0, &[("frames_missing", Warning)]);
    check(drops(120), 30.0, &[]);
}

#[test]
fn b_frames_matter_for_webrtc_alone() {
    let webrtc = Plan { webrtc: true, ..Plan::default() };
    let with = |shown: fn(u64) -> u32| Encoder { shown: Box::new(shown), ..Encoder::default() };
    check_plan(with(two_b_frames), 30.0, &webrtc, &[("b_frames", Problem)]);
    check(with(two_b_frames), 30.0, &[]);
    check_plan(with(|_| 2), 30.0, &webrtc, &[]);
}
