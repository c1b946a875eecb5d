//! Whether media arrives, and as fast as it plays.

use std::time::Duration;

use media::Kind;

use super::super::meter::Meter;
use super::super::{Finding, Severity, words};
use super::{SETTLED, STALL, Whole, finding};

pub(super) fn no_media(whole: &Whole) -> Option<Finding> {
    if whole.quiet.is_some() || whole.uptime < SETTLED {
        return None;
    }
    finding(
        "no_media",
        Severity::Problem,
        format!(
            "The encoder is connected since {} and has sent neither picture nor sound.",
            words::span(whole.uptime)
        ),
        "Check that the encoder encodes: its preview, its source, and its log. Then stop and start the stream.",
    )
}

pub(super) fn stalled(whole: &Whole) -> Option<Finding> {
    let quiet = whole.quiet.filter(|&quiet| quiet >= STALL)?;
    finding(
        "stalled",
        Severity::Problem,
        format!("Nothing has arrived for {}.", words::span(quiet)),
        "Check the network at the encoder, and whether the encoder still runs; if it does not go on by itself, stop \
         and start the stream.",
    )
}

pub(super) fn stalls(whole: &Whole) -> Option<Finding> {
    let count = whole.stalls.lately(whole.now);
    if count == 0 {
        return None;
    }
    finding(
        "stalls",
        Severity::Warning,
        format!("In the last minute nothing arrived for two seconds or more, {}.", words::times(count)),
        "The network between encoder and server breaks off: use a cable instead of Wi-Fi, another uplink, or a lower \
         bitrate.",
    )
}

pub(super) fn no_video(whole: &Whole) -> Option<Finding> {
    if !whole.is_settled() || whole.active(Kind::Video).is_some() {
        return None;
    }
    finding(
        "no_video",
        Severity::Note,
        "There is sound and no picture.",
        "Right for an audio programme. Otherwise check the video source and that the video encoder is on.",
    )
}

pub(super) fn no_audio(whole: &Whole) -> Option<Finding> {
    if !whole.is_settled() || whole.active(Kind::Audio).is_some() {
        return None;
    }
    finding(
        "no_audio",
        Severity::Warning,
        "There is a picture and no sound track, not even a silent one.",
        "Check that an audio source and the audio encoder are on (OBS: the mixer shows a level, and the audio track \
         is ticked under Settings, Output). Some players expect sound: a silent track is better than none.",
    )
}

/// Tracks that came and come no more, while others do.
pub(super) fn lost<'a>(whole: &'a Whole) -> impl Iterator<Item = Finding> + 'a {
    let quiet = whole.quiet.unwrap_or_default();
    let flows = whole.flows.filter(|_| quiet < STALL).unwrap_or_default();
    // While the others came: where everything stops, the track that was last heard a little earlier is not lost.
    let silent = move |meter: &Meter| meter.silent(whole.now).saturating_sub(quiet).min(flows);
    let gone = move |meter: &&Meter| meter.samples > 0 && silent(meter) >= patience(meter);
    whole.meters.iter().filter(gone).filter_map(|meter| gone_silent(whole, meter))
}

/// A track may be silent for so long: pictures of a slide show are far apart.
fn patience(meter: &Meter) -> Duration {
    let pace = meter.frames.pace().filter(|pace| pace.rate > 0.0);
    pace.map_or(STALL, |pace| STALL.max(Duration::from_secs_f64(3.0 / pace.rate.max(0.01))))
}

fn gone_silent(whole: &Whole, meter: &Meter) -> Option<Finding> {
    let silent = words::span(meter.silent(whole.now));
    let (code, what) = match meter.id.kind {
        Kind::Video => ("video_lost", "picture"),
        Kind::Audio => ("audio_lost", "sound"),
    };
    let found = finding(
        code,
        Severity::Problem,
        format!("There was a {what} track, and nothing of it has arrived for {silent}; the rest goes on."),
        format!("Check the {what} source at the encoder; if it is there, stop and start the stream."),
    );
    found.map(|found| Finding { track: Some(meter.id), ..found })
}

/// Slower or faster than real time, or later than it was.
pub(super) fn pace(whole: &Whole) -> Option<Finding> {
    let clock = &whole.reference()?.clock;
    let slow = clock.slow().and_then(|pace| slow(whole, pace, clock.drift()?));
    slow.or_else(|| fast(clock.fast()?)).or_else(|| delayed(clock.drift()?, clock.growth()))
}

fn slow(whole: &Whole, pace: f64, drift: i64) -> Option<Finding> {
    let bearable = (whole.bitrate as f64 * 0.8) as u64;
    finding(
        "slow_delivery",
        Severity::Problem,
        format!(
            "Media arrives at {} % of the speed at which it plays and is {} late by now: players will stall.",
            words::number(pace.max(0.0) * 100.0),
            words::micros(drift.max(0)),
        ),
        format!(
            "The uplink carries {} of what the encoder makes, or the encoder is too slow for its settings. Lower the \
             bitrate to {} or less, close what else uses the network, or choose a faster encoder preset.",
            words::rate(whole.bitrate),
            words::rate(bearable),
        ),
    )
}

fn fast(pace: f64) -> Option<Finding> {
    finding(
        "fast_delivery",
        Severity::Problem,
        format!("Media arrives {} times as fast as it plays: it is ahead of the clock.", words::number(pace)),
        "A file has to be sent in real time (ffmpeg: -re before -i; GStreamer: sync=true at the sink).",
    )
}

fn delayed(drift: i64, growth: Option<f64>) -> Option<Finding> {
    if drift < 1_000_000 || growth.is_some() {
        return None;
    }
    finding(
        "delayed",
        Severity::Note,
        format!("Media arrives {} later than when the encoder began.", words::micros(drift)),
        "After trouble with the network the encoder did not catch up. It plays well; for a smaller delay stop and \
         start the stream before going live.",
    )
}

/// More than planned. A tenth is what constant bitrate varies by.
pub(super) fn bitrate(whole: &Whole) -> Option<Finding> {
    let planned = whole.plan.max_bitrate.filter(|_| whole.is_settled())?;
    let above = |percent: u128| u128::from(whole.bitrate) * 100 > u128::from(planned) * percent;
    if !above(110) {
        return None;
    }
    finding(
        "bitrate_high",
        if above(150) { Severity::Problem } else { Severity::Warning },
        format!("{} arrive; {} were planned.", words::rate(whole.bitrate), words::rate(planned)),
        format!(
            "Lower the bitrate of picture and sound at the encoder to {} altogether, with constant bitrate (OBS: \
             Settings, Output, Rate Control CBR), or have the plan raised.",
            words::rate(planned)
        ),
    )
}
