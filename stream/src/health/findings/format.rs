//! Codecs and formats that some players lack.

use super::super::{Finding, Severity, words};
use super::{Seen, finding};

pub(super) fn profile(seen: &Seen) -> Option<Finding> {
    let profile = seen.meter.facts.picture()?.profile?;
    let name = match profile {
        66 | 77 | 100 => return None,
        88 => "Extended",
        110 => "High 10 (10 bits a colour)",
        122 => "High 4:2:2",
        44 | 244 => "High 4:4:4",
        _ => "of its own",
    };
    finding(
        "video_profile",
        Severity::Warning,
        format!("The H.264 profile is {name} ({profile}): phones, TVs and some browsers show no picture."),
        "Encode 8 bits, 4:2:0, profile High or Main (OBS: Settings, Advanced, Color Format NV12; ffmpeg: -pix_fmt \
         yuv420p -profile:v high).",
    )
}

pub(super) fn level(seen: &Seen) -> Option<Finding> {
    let picture = seen.meter.facts.picture()?;
    let level = picture.level.filter(|level| *level > 52)?;
    finding(
        "video_level",
        Severity::Warning,
        format!(
            "The H.264 level is {}.{} ({} by {} pixels): few decoders go beyond 5.2.",
            level / 10,
            level % 10,
            picture.width,
            picture.height
        ),
        "Use a smaller picture or a lower frame rate, or set the level to 5.2 or less where the encoder chose it by \
         itself (ffmpeg: -level 5.2).",
    )
}

pub(super) fn interlaced(seen: &Seen) -> Option<Finding> {
    seen.meter.facts.picture().filter(|picture| picture.interlaced)?;
    finding(
        "interlaced",
        Severity::Warning,
        "The video is coded as fields, or may be: most players show interlaced pictures with combs at every movement.",
        "Let the encoder deinterlace and send progressive frames (OBS: right click on the source, Deinterlacing; \
         ffmpeg: -vf bwdif). If the picture is progressive, switch off interlaced coding.",
    )
}

pub(super) fn audio_profile(seen: &Seen) -> Option<Finding> {
    let object_type = seen.meter.facts.sound()?.object_type;
    let object_type = object_type.filter(|object_type| !matches!(object_type, 2 | 5 | 29))?;
    finding(
        "audio_profile",
        Severity::Warning,
        format!("The sound is AAC of object type {}: many players have only AAC-LC and HE-AAC.", object_type),
        "Set the audio codec to AAC-LC (ffmpeg: -c:a aac).",
    )
}

pub(super) fn channels(seen: &Seen) -> Option<Finding> {
    let sound = seen.meter.facts.sound().filter(|sound| sound.channels > 2)?;
    finding(
        "audio_channels",
        Severity::Warning,
        format!(
            "The sound has {} channels: some phones and browsers play two of them, or none.",
            sound.channels
        ),
        "Mix down to stereo (OBS: Settings, Audio, Channels Stereo; ffmpeg: -ac 2), unless all your players have \
         surround.",
    )
}

/// 44.1 and 48 kHz play everywhere, 32 kHz is what broadcasters also use.
pub(super) fn sample_rate(seen: &Seen) -> Option<Finding> {
    let rate = seen.meter.facts.sound()?.sample_rate;
    let (severity, because) = match rate {
        32_000 | 44_100 | 48_000 => return None,
        0..32_000 => (Severity::Note, "it sounds dull"),
        _ => (Severity::Warning, "some players do not play it"),
    };
    finding(
        "audio_sample_rate",
        severity,
        format!("The sound has {} kHz: {because}.", words::number(f64::from(rate) / 1000.0)),
        "Set 48 kHz at the encoder (OBS: Settings, Audio, Sample Rate; ffmpeg: -ar 48000).",
    )
}

pub(super) fn changes(seen: &Seen) -> Option<Finding> {
    if seen.meter.changes.lately(seen.now) < 3 {
        return None;
    }
    finding(
        "track_changes",
        Severity::Warning,
        "Codec, picture size or sample rate changed three times or more in the last minute; players stumble each time.",
        "Set a fixed resolution and fixed audio settings; switch off adaptive resolution at the encoder.",
    )
}
