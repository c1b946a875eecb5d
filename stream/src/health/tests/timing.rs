//! Clocks, timestamps and what lies between sound and picture.

use media::Kind;

use super::encoder::{Encoder, check};
use crate::health::Plan;
use crate::health::Severity::{Problem, Warning};

fn stamped(stamp: impl Fn(Kind, f64) -> f64 + 'static) -> Encoder {
    Encoder { stamp: Box::new(stamp), ..Encoder::default() }
}

#[test]
fn a_clock_that_runs_off_is_a_warning_beyond_200_ms() {
    // The wrong frame rate: 30 pictures a second stamped as 29.97, and the other way round.
    let slow = || stamped(|_, at| at * 0.999);
    check(slow(), 260.0, &[("clock_drift", Warning)]);
    check(slow(), 180.0, &[]);
    check(stamped(|_, at| at * 1.001), 260.0, &[("clock_drift", Warning)]);
    let drift = slow().health(200.0, &Plan::default()).drift;
    assert!(drift.is_some_and(|millis| (170..200).contains(&millis)), "{drift:?}");
}

#[test]
fn sound_and_picture_apart_are_a_warning_and_far_apart_a_problem() {
    let skew = |seconds: f64| stamped(move |kind, at| if kind == Kind::Audio { at + seconds } else { at });
    check(skew(0.4), 20.0, &[]);
    check(skew(0.7), 20.0, &[("skew", Warning)]);
    check(skew(-0.7), 20.0, &[("skew", Warning)]);
    check(skew(5.0), 20.0, &[("skew", Problem)]);
}

#[test]
fn timestamps_that_jump_are_a_warning_for_a_minute_and_a_problem_when_they_do_so_again_and_again() {
    for by in [-10.0, -0.5, 1.5, 3600.0] {
        let jump = || stamped(move |_, at| if at > 20.0 { at + by } else { at });
        check(jump(), 40.0, &[("timestamps_jump", Warning)]);
        check(jump(), 90.0, &[]);
        assert_eq!(jump().health(90.0, &Plan::default()).jumps, 1);
    }
    let looped = stamped(|_, at| at % 9.9);
    check(looped, 40.0, &[("timestamps_jump", Problem)]);
}

#[test]
fn a_hole_that_the_clock_explains_is_no_jump() {
    // The network stood still and the encoder dropped what it could not send; the first picture comes late.
    let congested = Encoder {
        arrival: Box::new(|_, at| match at {
            20.0..20.05 => Some(21.9),
            20.05..21.9 => None,
            _ => Some(at),
        }),
        ..Encoder::default()
    };
    assert_eq!(congested.health(60.0, &Plan::default()).jumps, 0);
}

#[test]
fn holes_in_the_sound_are_a_warning_from_the_third_on() {
    let holes = |count: f64| {
        stamped(move |kind, at| match kind {
            Kind::Audio => at + 0.06 * (at / 10.0).floor().min(count),
            Kind::Video => at,
        })
    };
    check(holes(3.0), 40.0, &[("audio_gaps", Warning)]);
    check(holes(2.0), 40.0, &[]);
}
