//! Clocks and timestamps.

use media::Kind;

use super::super::{Finding, Severity, words};
use super::{STALL, Seen, Whole, finding};

/// Microseconds of drift that are worth knowing.
const DRIFT: i64 = 200_000;
/// Microseconds between sound and picture that people notice, and that players no longer bear.
const SKEW: (i64, i64) = (500_000, 3_000_000);

pub(super) fn drift(whole: &Whole) -> Option<Finding> {
    let clock = &whole.reference()?.clock;
    let drift = clock.drift().filter(|drift| drift.abs() > DRIFT)?;
    let growth = clock.growth().filter(|_| clock.slow().or(clock.fast()).is_none())?;
    let way = if growth > 0.0 { "slow: media falls behind" } else { "fast: media runs ahead" };
    let per_minute = words::micros((growth * 60.0) as i64);
    finding(
        "clock_drift",
        Severity::Warning,
        format!(
            "The encoder's clock runs {way} by {per_minute} a minute, by {} since it began.",
            words::micros(drift)
        ),
        "Let the encoder take its time from the network (NTP) and from one clock for picture and sound. A file or a \
         stream that is passed on may have been stamped at the wrong frame rate. Players get a short discontinuity \
         whenever half a second has come together.",
    )
}

pub(super) fn skew(whole: &Whole) -> Option<Finding> {
    let flows = |kind| whole.active(kind).filter(|meter| meter.silent(whole.now) < STALL);
    let skew = flows(Kind::Video)?.clock.behind(&flows(Kind::Audio)?.clock)?;
    if skew.saturating_abs() <= SKEW.0 {
        return None;
    }
    let (late, early) = if skew > 0 { ("picture", "sound") } else { ("sound", "picture") };
    finding(
        "skew",
        if skew.saturating_abs() > SKEW.1 { Severity::Problem } else { Severity::Warning },
        format!("The {late} is {} behind the {early} of the same time.", words::micros(skew)),
        "Watch the preview: if lips and voice do not match, correct the delay of the audio source (OBS: Advanced \
         Audio Properties, Sync Offset; ffmpeg: -itsoffset). If they do, the encoder sends one of them late, which \
         costs that much delay for everybody.",
    )
}

/// Of the track that had most: a restart of the encoder's clock steps all of them.
pub(super) fn jumps(whole: &Whole) -> Option<Finding> {
    let count = whole.meters.iter().map(|meter| meter.jumps.lately(whole.now)).max()?;
    if count == 0 {
        return None;
    }
    finding(
        "timestamps_jump",
        if count >= 3 { Severity::Problem } else { Severity::Warning },
        format!(
            "The timestamps jumped {} in the last minute: back, or ahead of the clock.",
            words::times(count)
        ),
        "Viewers get a discontinuity at each jump. Usual causes are a playlist or looped file that is passed on \
         without new timestamps, an unstable source, or a change of the encoder's system time: encode anew instead \
         of copying, or fix the source.",
    )
}

pub(super) fn gaps(seen: &Seen) -> Option<Finding> {
    if seen.meter.gaps.lately(seen.now) < 3 {
        return None;
    }
    finding(
        "audio_gaps",
        Severity::Warning,
        "The sound had holes, three or more in the last minute.",
        "Check the audio device and its sample rate (the same at the device, the system and the encoder), and \
         whether the encoder's processor is overloaded.",
    )
}
