//! AdaptationSet and Representation (ISO/IEC 23009-1 §5.3.3 and §5.3.5).

use std::fmt::{self, Write};
use std::sync::Arc;

use media::{Kind, MediaTime};

use super::list::Run;
use super::low_latency::LowLatency;
use super::timeline;
use crate::manifest::captions::write_accessibility;
use crate::presentation::{Init, Rendition, Segment};

/// Renditions between which players switch (ISO/IEC 23009-1 §5.3.3.1): pictures go together, and each sound stands by
/// itself.
pub(super) struct Set<'a> {
    id: u32,
    runs: Vec<&'a Run<'a>>,
}

pub(super) fn sets<'a>(runs: &'a [Run<'a>]) -> Vec<Set<'a>> {
    let mut sets: Vec<Set<'a>> = Vec::new();
    for run in runs {
        let same = |set: &&mut Set| set.runs.iter().all(|(other, _)| switches(other, run.0));
        if let Some(set) = sets.iter_mut().find(same) {
            set.runs.push(run);
            continue;
        }
        let usual = set_id(run.0.kind);
        let taken = sets.iter().any(|set| set.id == usual);
        let id = if taken { 3 + sets.len() as u32 } else { usual };
        sets.push(Set { id, runs: vec![run] });
    }
    sets
}

fn switches(one: &Rendition, other: &Rendition) -> bool {
    one.kind == Kind::Video && other.kind == Kind::Video
}

impl Set<'_> {
    /// Whether segments of one number begin together (ISO/IEC 23009-1 §5.3.3.2, segmentAlignment), but for the rounding
    /// of timestamps.
    fn is_aligned(&self) -> bool {
        const ROUNDING_MICROS: u64 = 2000;
        let [(_, first), others @ ..] = &self.runs[..] else { return true };
        let beside = |segment: &&Segment| {
            let at = first.binary_search_by_key(&segment.number, |other| other.number).ok()?;
            Some(first[at].start_time().micros().abs_diff(segment.start_time().micros()))
        };
        others.iter().flat_map(|(_, run)| run).filter_map(beside).all(|off| off <= ROUNDING_MICROS)
    }
}

pub(super) fn write(
    out: &mut String,
    set: &Set<'_>,
    origin: MediaTime,
    low: Option<&LowLatency>,
) -> fmt::Result {
    let [(rendition, segments), others @ ..] = &set.runs[..] else { return Ok(()) };
    let Some(init) = segments.first().and_then(|s| s.init()) else {
        return Ok(());
    };
    let kind = rendition.kind.as_str();
    write!(out, "    <AdaptationSet id=\"{}\" contentType=\"{kind}\"", set.id)?;
    write!(out, " mimeType=\"{kind}/mp4\"")?;
    if set.is_aligned() {
        write!(out, " segmentAlignment=\"true\"")?;
    }
    // startWithSAP is a claim about every segment, so one cut without a keyframe takes it away.
    let independent = set.runs.iter().all(|(rendition, _)| rendition.independent);
    writeln!(out, "{}>", if independent { " startWithSAP=\"1\"" } else { "" })?;
    if let Some(sound) = init.track.codec.sound() {
        let scheme = "urn:mpeg:mpegB:cicp:ChannelConfiguration";
        let value = channel_configuration(sound.channels);
        writeln!(out, "      <AudioChannelConfiguration schemeIdUri=\"{scheme}\" value=\"{value}\"/>")?;
    }
    if let Some(low) = low {
        low.write_timing(out, segments, rendition.kind == Kind::Audio)?;
    }
    write_accessibility(out, set.runs.iter().map(|(rendition, _)| *rendition), "      ")?;
    writeln!(out, "      <Role schemeIdUri=\"urn:mpeg:dash:role:2011\" value=\"main\"/>")?;
    if others.is_empty() {
        write_template(out, (rendition, segments), origin, low, "      ")?;
        write_representation(out, rendition, init)?;
        writeln!(out, "/>")?;
    } else {
        set.runs.iter().try_for_each(|run| write_one(out, run, origin, low))?;
    }
    writeln!(out, "    </AdaptationSet>")
}

/// A Representation with a template of its own: where several stand in a set, each has its own keyframes.
fn write_one(
    out: &mut String,
    (rendition, segments): &Run<'_>,
    origin: MediaTime,
    low: Option<&LowLatency>,
) -> fmt::Result {
    let Some(init) = segments.first().and_then(|s| s.init()) else {
        return Ok(());
    };
    write_representation(out, rendition, init)?;
    writeln!(out, ">")?;
    write_template(out, (rendition, segments), origin, low, "        ")?;
    writeln!(out, "      </Representation>")
}

fn write_template(
    out: &mut String,
    (rendition, segments): (&Rendition, &[&Segment]),
    origin: MediaTime,
    low: Option<&LowLatency>,
    indent: &str,
) -> fmt::Result {
    let (Some(first), Some(init)) = (segments.first(), segments.first().and_then(|s| s.init())) else {
        return Ok(());
    };
    let id = &rendition.name;
    write!(out, "{indent}<SegmentTemplate timescale=\"{}\"", first.scale.hz())?;
    write!(out, " presentationTimeOffset=\"{}\" startNumber=\"{}\"", origin.to(first.scale), first.number)?;
    if let Some(low) = low {
        low.write_availability(out)?;
    }
    // What only has its first parts stands in a span of its own.
    let parts = first.stored().and_then(|stored| stored.only).map(|last| format!(".0-{last}"));
    let media = format!("{id}/$Number${}.m4s", parts.unwrap_or_default());
    writeln!(out, " initialization=\"{id}/init-{}.mp4\" media=\"{media}\">", init.period)?;
    timeline::write(out, segments, indent)?;
    writeln!(out, "{indent}</SegmentTemplate>")
}

fn set_id(kind: Kind) -> u32 {
    match kind {
        Kind::Video => 1,
        Kind::Audio => 2,
    }
}

/// ISO/IEC 23091-3, Table 2: 7 channels are index 11, 8 are 12, fewer are their own number.
fn channel_configuration(channels: u8) -> u8 {
    match channels {
        7 => 11,
        8 => 12,
        few => few,
    }
}

/// The beginning of a Representation, up to its last attribute.
fn write_representation(out: &mut String, rendition: &Rendition, init: &Arc<Init>) -> fmt::Result {
    write!(out, "      <Representation id=\"{}\"", rendition.name)?;
    write!(
        out,
        " codecs=\"{}\" bandwidth=\"{}\"",
        init.track.codec.rfc6381(),
        rendition.bitrate.peak.max(1)
    )?;
    if let Some(picture) = init.track.codec.picture() {
        let (horizontal, vertical) = picture.pixel_aspect;
        write!(out, " width=\"{}\" height=\"{}\"", picture.width, picture.height)?;
        write!(out, " sar=\"{horizontal}:{vertical}\"")?;
        if let Some(rate) = rendition.frame_rate {
            write!(out, " frameRate=\"{}/{}\"", rate.frames, rate.per)?;
        }
    }
    if let Some(sound) = init.track.codec.sound() {
        write!(out, " audioSamplingRate=\"{}\"", sound.sample_rate)?;
    }
    Ok(())
}
