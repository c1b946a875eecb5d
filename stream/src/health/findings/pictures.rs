//! Distances and order of pictures.

use super::super::frames::Pace;
use super::super::{Finding, Severity, words};
use super::{Seen, finding};

/// Frames per second below which movement is a slide show.
const LOW: f64 = 15.0;

pub(super) fn frame_rate_varies(seen: &Seen) -> Option<Finding> {
    let pace = seen.meter.frames.pace().filter(|pace| pace.varies)?;
    finding(
        "variable_frame_rate",
        Severity::Warning,
        format!(
            "Pictures come {} to {} apart, {} a second on average: movement judders, and segments differ in length.",
            words::micros(pace.spread.0.into()),
            words::micros(pace.spread.1.into()),
            words::number(pace.rate),
        ),
        "Set a constant frame rate at source and encoder (ffmpeg: -r 30 before the output; phones and cameras: switch \
         off automatic frame rate), and check that the encoder is not overloaded.",
    )
}

pub(super) fn frame_rate_low(seen: &Seen) -> Option<Finding> {
    let pace = seen.meter.frames.pace().filter(|pace| pace.rate < LOW)?;
    finding(
        "frame_rate_low",
        Severity::Warning,
        format!("There are {} pictures a second.", words::number(pace.rate)),
        "Right for slides. Otherwise set 25 or more at source and encoder (OBS: Settings, Video, Common FPS Values), \
         and check that the encoder is not overloaded.",
    )
}

/// More than one in a hundred.
pub(super) fn missing(seen: &Seen) -> Option<Finding> {
    let is_worth_it = |pace: &Pace| pace.missing >= 3 && pace.missing * 99 > pace.seen;
    let pace = seen.meter.frames.pace().filter(is_worth_it)?;
    finding(
        "frames_missing",
        Severity::Warning,
        format!(
            "{} of the last {} pictures are missing.",
            pace.missing,
            pace.missing.saturating_add(pace.seen)
        ),
        "The encoder drops pictures because it or its network is too slow (OBS: View, Stats says which): lower the \
         bitrate, choose a faster preset or a smaller picture.",
    )
}

pub(super) fn b_frames(seen: &Seen) -> Option<Finding> {
    if !seen.plan.webrtc || !seen.meter.order.b_frames(seen.now) {
        return None;
    }
    finding(
        "b_frames",
        Severity::Problem,
        "The picture has B-frames, and viewers by WebRTC cannot put them into order: their picture jumps to and fro.",
        "Switch off B-frames (OBS: Max B-frames 0, with x264 bframes=0 or Tune zerolatency; ffmpeg: -bf 0; hardware \
         encoders: GOP structure IPPP).",
    )
}
