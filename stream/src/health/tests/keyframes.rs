//! Keyframe intervals.

use std::time::Duration;

use media::Sync;

use super::encoder::{Encoder, at, check, check_plan, every};
use crate::health::Plan;
use crate::health::Severity::{Note, Problem, Warning};

fn with(sync: Box<dyn Fn(u64) -> Sync>) -> Encoder {
    Encoder { sync, ..Encoder::default() }
}

#[test]
fn longer_than_segments_is_a_warning_and_beyond_ten_seconds_a_problem() {
    check(with(every(62)), 40.0, &[]);
    check(with(every(75)), 40.0, &[("keyframe_interval_long", Warning)]);
    check(with(every(300)), 40.0, &[("keyframe_interval_long", Warning)]);
    check(with(every(306)), 40.0, &[("keyframe_interval_long", Problem)]);
}

#[test]
fn what_is_long_depends_on_the_plan() {
    let six = Plan { segment: Duration::from_secs(6), ..Plan::default() };
    check_plan(with(every(180)), 40.0, &six, &[]);
    let quick = Plan { low_latency: true, ..six };
    check_plan(with(every(180)), 40.0, &quick, &[("keyframe_interval_long", Warning)]);
}

#[test]
fn one_keyframe_and_no_other_is_a_problem_once_ten_seconds_passed() {
    let once = || with(at(|n| n == 0));
    assert_eq!(once().findings(2.0, &Plan::default()), []);
    assert_eq!(once().findings(9.0, &Plan::default()), [("keyframe_interval_long", Warning)]);
    check(once(), 11.0, &[("keyframe_interval_long", Problem)]);
}

#[test]
fn no_keyframe_at_all_is_a_problem_after_five_seconds() {
    assert_eq!(with(at(|_| false)).findings(4.9, &Plan::default()), []);
    check(with(at(|_| false)), 5.1, &[("no_keyframe", Problem)]);
    let late = with(at(|n| n >= 60 && n % 60 == 0));
    check(late, 5.1, &[]);
}

#[test]
fn irregular_is_a_note_within_segments_and_a_warning_beyond() {
    let scenes = |gop: u64| with(at(move |n| n % gop == 0 || n % gop == 20));
    check(scenes(60), 40.0, &[("keyframe_interval_irregular", Note)]);
    check(scenes(120), 40.0, &[("keyframe_interval_irregular", Warning)]);
    check(with(at(|n| n % 60 == n / 60 % 2 * 2)), 40.0, &[]);
}

#[test]
fn what_does_not_divide_a_segment_is_a_note() {
    check(with(every(45)), 40.0, &[("keyframe_interval_uneven", Note)]);
    for divides in [15, 20, 30, 60] {
        check(with(every(divides)), 40.0, &[]);
    }
}

#[test]
fn open_gops_are_a_warning() {
    let sync = |n: u64| {
        if n == 0 {
            Sync::Yes
        } else if n.is_multiple_of(60) {
            Sync::Recovery
        } else {
            Sync::No
        }
    };
    check(with(Box::new(sync)), 40.0, &[("open_gop", Warning)]);
}
