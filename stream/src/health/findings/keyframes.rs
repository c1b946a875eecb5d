//! Where players can join and segments can begin.

use std::time::Duration;

use super::super::{Finding, KeyframeInterval, Severity, words};
use super::{SETTLED, Seen, finding};

/// Beyond this no segment setting helps.
const HOPELESS: Duration = Duration::from_secs(10);
/// Who wants little delay does not wait longer for a picture.
const QUICK: Duration = Duration::from_secs(4);

pub(super) fn interval(seen: &Seen) -> Option<Finding> {
    let gop = &seen.meter.gop;
    if gop.keyframes() == 0 {
        return none(seen);
    }
    let wanted = wanted(seen);
    let complete = gop.interval();
    let unfinished = gop.unfinished();
    let longest = complete.map_or(unfinished, |interval| interval.longest.max(unfinished));
    let irregular = complete.filter(|interval| gop.intervals() >= 3 && is_irregular(interval));
    match irregular {
        _ if longest > HOPELESS => long(longest, wanted, Severity::Problem),
        Some(interval) => varies(interval, longest, wanted),
        None if exceeds(longest, wanted) => long(longest, wanted, Severity::Warning),
        None => uneven(complete?.longest, seen.plan.segment),
    }
}

pub(super) fn open_gop(seen: &Seen) -> Option<Finding> {
    if !seen.meter.gop.is_open() {
        return None;
    }
    finding(
        "open_gop",
        Severity::Warning,
        "Some keyframes do not stand by themselves (open GOP): who joins there sees broken pictures for a moment.",
        "Set the encoder to closed GOPs (x264: open-gop=0; hardware encoders: GOP structure closed, or IDR at each \
         keyframe).",
    )
}

fn none(seen: &Seen) -> Option<Finding> {
    let since = seen.now.saturating_duration_since(seen.meter.begun?);
    if seen.meter.facts.picture().is_none() || since < SETTLED {
        return None;
    }
    finding(
        "no_keyframe",
        Severity::Problem,
        format!("No keyframe in {}: no player can show a picture.", words::span(since)),
        set_to(wanted(seen)),
    )
}

fn long(longest: Duration, wanted: Duration, severity: Severity) -> Option<Finding> {
    finding(
        "keyframe_interval_long",
        severity,
        format!(
            "Up to {} pass from one keyframe to the next; {} are wanted. Viewers start later and see everything later.",
            words::span(longest),
            words::span(wanted),
        ),
        set_to(wanted),
    )
}

fn varies(interval: KeyframeInterval, longest: Duration, wanted: Duration) -> Option<Finding> {
    let within = !exceeds(longest, wanted);
    finding(
        "keyframe_interval_irregular",
        if within { Severity::Note } else { Severity::Warning },
        format!(
            "Keyframes come every {} to {}: segments are of different length.",
            words::span(interval.shortest),
            words::span(longest),
        ),
        format!(
            "{} Switch off keyframes at scene changes (x264: scenecut=0; hardware encoders: fixed GOP).",
            set_to(wanted)
        ),
    )
}

/// Segments end at keyframes past nine tenths of their target.
fn uneven(interval: Duration, segment: Duration) -> Option<Finding> {
    let (interval, target) = (interval.as_secs_f64(), segment.as_secs_f64());
    let actual = (0.9 * target / interval.max(0.001)).ceil() * interval;
    if actual <= target * 1.1 {
        return None;
    }
    let secs = |value| words::span(Duration::try_from_secs_f64(value).unwrap_or(Duration::MAX));
    finding(
        "keyframe_interval_uneven",
        Severity::Note,
        format!(
            "Keyframes every {} do not divide segments of {}: segments last {}.",
            secs(interval),
            secs(target),
            secs(actual)
        ),
        set_to(segment),
    )
}

fn wanted(seen: &Seen) -> Duration {
    let quick = seen.plan.low_latency || seen.plan.webrtc;
    if quick { seen.plan.segment.min(QUICK) } else { seen.plan.segment }
}

/// A twentieth is what frame rates of 1000/1001 and rounded timestamps add.
fn exceeds(interval: Duration, wanted: Duration) -> bool {
    interval > wanted.saturating_add(wanted / 20)
}

fn is_irregular(interval: &KeyframeInterval) -> bool {
    let spread = interval.longest.saturating_sub(interval.shortest);
    spread > (interval.longest / 10).max(Duration::from_millis(100))
}

fn set_to(wanted: Duration) -> String {
    let secs = words::number(wanted.as_secs_f64());
    format!(
        "Set the encoder's keyframe interval to {secs} s (OBS: Settings, Output, Streaming, Keyframe Interval; \
         ffmpeg: -force_key_frames 'expr:gte(t,n_forced*{secs})'; hardware encoders: GOP length, in frames {secs} \
         times the frame rate)."
    )
}
