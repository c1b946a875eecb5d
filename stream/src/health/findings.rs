//! What the numbers mean: each file has one kind of findings, each function one or a few of them.

mod delivery;
mod format;
mod keyframes;
mod pictures;
mod timing;

use std::time::{Duration, Instant};

use media::{Kind, TrackId};

use super::meter::Meter;
use super::probe::STALL;
use super::recent::Recent;
use super::{Finding, Plan, Severity, Verdict};

/// What is not there after so long is missing.
const SETTLED: Duration = Duration::from_secs(5);

/// Everything that is known of a publisher.
pub(super) struct Whole<'a> {
    pub(super) meters: &'a [Meter],
    pub(super) plan: &'a Plan,
    pub(super) now: Instant,
    pub(super) uptime: Duration,
    /// Time since anything arrived; `None` before the first sample.
    pub(super) quiet: Option<Duration>,
    /// For how long media has arrived without a stall; `None` before the first sample.
    pub(super) flows: Option<Duration>,
    pub(super) stalls: &'a Recent,
    pub(super) bitrate: u64,
}

impl Whole<'_> {
    /// The track by which delivery is judged: the video, or the audio where there is none.
    pub(super) fn reference(&self) -> Option<&Meter> {
        self.active(Kind::Video).or_else(|| self.active(Kind::Audio))
    }

    /// Media has arrived for long enough to miss what is not there.
    fn is_settled(&self) -> bool {
        let begun = self.meters.iter().filter_map(|meter| meter.begun).min();
        begun.is_some_and(|begun| self.now.saturating_duration_since(begun) >= SETTLED)
    }

    /// The first track of this kind that brought anything.
    fn active(&self, kind: Kind) -> Option<&Meter> {
        self.meters.iter().find(|meter| meter.id.kind == kind && meter.samples > 0)
    }
}

/// One track and what it is meant for.
struct Seen<'a> {
    meter: &'a Meter,
    plan: &'a Plan,
    now: Instant,
}

const WHOLE: &[fn(&Whole) -> Option<Finding>] = &[
    delivery::no_media,
    delivery::stalled,
    delivery::stalls,
    delivery::no_video,
    delivery::no_audio,
    delivery::pace,
    delivery::bitrate,
    timing::drift,
    timing::skew,
    timing::jumps,
];

const TRACK: &[fn(&Seen) -> Option<Finding>] = &[
    keyframes::interval,
    keyframes::open_gop,
    pictures::frame_rate_varies,
    pictures::frame_rate_low,
    pictures::missing,
    pictures::b_frames,
    timing::gaps,
    format::profile,
    format::level,
    format::interlaced,
    format::audio_profile,
    format::channels,
    format::sample_rate,
    format::changes,
];

/// Everything that should be known, the worst first.
pub(super) fn all(whole: &Whole) -> Vec<Finding> {
    let mut findings: Vec<Finding> = WHOLE.iter().filter_map(|find| find(whole)).collect();
    findings.extend(delivery::lost(whole));
    for meter in whole.meters {
        let seen = Seen { meter, plan: whole.plan, now: whole.now };
        let found = TRACK.iter().filter_map(|find| find(&seen));
        findings.extend(found.map(|finding| Finding { track: Some(meter.id), ..finding }));
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

/// Of a publisher whose keyframes are not where the other renditions of its entry have theirs.
pub(super) fn misaligned() -> Finding {
    Finding {
        code: "keyframes_misaligned",
        severity: Severity::Warning,
        track: Some(TrackId::VIDEO),
        message: "Keyframes are not where the other renditions have theirs: players that change to this one see a broken \
                  picture for a moment, or change late."
            .to_owned(),
        remedy: "Set the same keyframe interval in every output and force keyframes at the same times (ffmpeg: \
                 -force_key_frames 'expr:gte(t,n_forced*2)'; others: fixed GOP, no scene-change keyframes), best in \
                 one encoder that makes all renditions."
            .to_owned(),
    }
}

/// Whether it can go on air.
pub(super) fn verdict(whole: &Whole, findings: &[Finding]) -> Verdict {
    let active = || whole.meters.iter().filter(|meter| meter.samples > 0);
    let known = |meter: &Meter| meter.id.kind == Kind::Audio || meter.gop.interval().is_some();
    if findings.iter().any(|finding| finding.severity == Severity::Problem) {
        Verdict::NotReady
    } else if whole.is_settled() && active().all(known) {
        Verdict::Ready
    } else {
        Verdict::Measuring
    }
}

fn finding(
    code: &'static str,
    severity: Severity,
    message: impl Into<String>,
    remedy: impl Into<String>,
) -> Option<Finding> {
    Some(Finding { code, severity, track: None, message: message.into(), remedy: remedy.into() })
}
