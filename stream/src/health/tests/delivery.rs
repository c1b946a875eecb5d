//! What arrives, and how fast.

use media::Kind;

use super::encoder::{Encoder, check, check_plan};
use crate::health::Severity::{Note, Problem, Warning};
use crate::health::{Plan, Verdict};

fn arriving(arrival: impl Fn(Kind, f64) -> Option<f64> + 'static) -> Encoder {
    Encoder { arrival: Box::new(arrival), ..Encoder::default() }
}

#[test]
fn a_publisher_that_sends_nothing_is_a_problem_after_five_seconds() {
    assert_eq!(arriving(|_, _| None).health(4.0, &Plan::default()).verdict, Verdict::Measuring);
    check(arriving(|_, _| None), 6.0, &[("no_media", Problem)]);
}

#[test]
fn a_verdict_takes_five_seconds_of_media_however_late_it_begins() {
    let late = || arriving(|_, at| Some(at + 8.0));
    assert_eq!(late().findings(7.9, &Plan::default()), [("no_media", Problem)]);
    assert_eq!(late().health(9.0, &Plan::default()).verdict, Verdict::Measuring);
    check(late(), 13.5, &[]);
}

#[test]
fn missing_sound_is_a_warning_and_a_missing_picture_a_note() {
    check(Encoder { audio: None, ..Encoder::default() }, 10.0, &[("no_audio", Warning)]);
    check(arriving(|kind, at| (kind == Kind::Video).then_some(at)), 10.0, &[("no_audio", Warning)]);
    check(Encoder { video: None, ..Encoder::default() }, 10.0, &[("no_video", Note)]);
    assert_eq!(Encoder { audio: None, ..Encoder::default() }.findings(4.0, &Plan::default()), []);
}

#[test]
fn sound_that_stops_is_a_problem() {
    let until = |end| arriving(move |kind, at| (kind == Kind::Video || at < end).then_some(at));
    check(until(27.0), 30.0, &[("audio_lost", Problem)]);
    check(until(28.5), 30.0, &[]);
    let picture = arriving(|kind, at| (kind == Kind::Audio || at < 27.0).then_some(at));
    check(picture, 30.0, &[("video_lost", Problem)]);
}

#[test]
fn where_everything_stops_nothing_else_is_lost() {
    let stop = arriving(|_, at| (at < 20.0).then_some(at));
    for millis in (1900..2200).step_by(2) {
        let found = stop.findings(20.0 + f64::from(millis) / 1000.0, &Plan::default());
        assert!(found.is_empty() || found == [("stalled", Problem)], "{found:?}");
    }
}

#[test]
fn what_comes_first_after_a_stall_does_not_make_the_other_look_lost() {
    let stall = arriving(|kind, at| Some(if at > 20.0 { at.max(23.0 + f64::from(kind as u8)) } else { at }));
    let at = |seconds| stall.findings(seconds, &Plan::default());
    assert_eq!(at(23.5), [("stalls", Warning)]);
}

#[test]
fn a_stall_is_a_problem_while_it_lasts_and_a_warning_for_a_minute() {
    let stall =
        |seconds: f64| arriving(move |_, at| Some(if at > 20.0 { at.max(20.0 + seconds) } else { at }));
    check(stall(3.0), 22.5, &[("stalled", Problem)]);
    check(stall(3.0), 40.0, &[("stalls", Warning)]);
    check(stall(3.0), 90.0, &[]);
    check(stall(1.5), 40.0, &[]);
}

#[test]
fn slower_than_it_plays_is_a_problem_and_a_little_late_is_not() {
    let pace = |share: f64| arriving(move |_, at| Some(at / share));
    check(pace(0.8), 40.0, &[("slow_delivery", Problem)]);
    check(pace(0.999), 40.0, &[]);
}

#[test]
fn a_file_sent_as_fast_as_it_goes_is_a_problem_and_a_burst_at_the_start_is_not() {
    check(arriving(|_, at| Some(at / 2.0)), 30.0, &[("fast_delivery", Problem)]);
    let at_once = Encoder { fastest: 50.0, ..arriving(|_, at| Some(at / 50.0)) };
    assert_eq!(at_once.findings(1.0, &Plan::default()), [("fast_delivery", Problem)]);
    check(arriving(|_, at| Some((at - 3.0).max(at / 50.0))), 30.0, &[]);
}

#[test]
fn a_delay_that_stays_is_a_note() {
    let delay = |seconds: f64| arriving(move |_, at| Some(if at > 20.0 { at + seconds } else { at }));
    check(delay(1.5), 60.0, &[("delayed", Note)]);
    check(delay(0.7), 60.0, &[]);
}

#[test]
fn more_than_planned_is_a_warning_and_far_more_a_problem() {
    // The encoder sends 2.5 Mbit/s.
    let plan = |bits| Plan { max_bitrate: Some(bits), ..Plan::default() };
    check_plan(Encoder::default(), 30.0, &plan(1_500_000), &[("bitrate_high", Problem)]);
    check_plan(Encoder::default(), 30.0, &plan(2_000_000), &[("bitrate_high", Warning)]);
    check_plan(Encoder::default(), 30.0, &plan(2_400_000), &[]);
}
