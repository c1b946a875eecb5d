//! AdaptationSet and Representation (ISO/IEC 23009-1 §5.3.3 and §5.3.5).

use std::fmt::{self, Write};
use std::sync::Arc;

use media::{Kind, Language, MediaTime};

use super::describe;
use super::list::Run;
use super::low_latency::LowLatency;
use super::timeline;
use crate::manifest::captions::write_accessibility;
use crate::presentation::{Init, Rendition, Segment};

/// Renditions between which players switch (ISO/IEC 23009-1 §5.3.3.1): pictures of one codec and brightness go together,
/// and each sound stands by itself.
pub(super) struct Set<'a> {
    id: u32,
    runs: Vec<&'a Run<'a>>,
    /// Another language than the main one.
    alternate: bool,
}

pub(super) fn sets<'a>(runs: &'a [Run<'a>]) -> Vec<Set<'a>> {
    let mut sets: Vec<Set<'a>> = Vec::new();
    let mut sounds = in_order(runs).into_iter();
    for run in runs {
        let run = if run.0.kind == Kind::Audio { sounds.next().unwrap_or(run) } else { run };
        let same = |set: &&mut Set| set.runs.iter().all(|other| switches(other, run));
        if let Some(set) = sets.iter_mut().find(same) {
            set.runs.push(run);
            continue;
        }
        let usual = set_id(run.0.kind);
        let taken = sets.iter().any(|set| set.id == usual);
        let id = if taken { 3 + sets.len() as u32 } else { usual };
        sets.push(Set { id, runs: vec![run], alternate: is_alternate(&sets, run) });
    }
    sets
}

/// Sounds by name: which of them had its first segment first says nothing.
fn in_order<'a>(runs: &'a [Run<'a>]) -> Vec<&'a Run<'a>> {
    let mut sounds: Vec<&Run<'_>> = runs.iter().filter(|run| run.0.kind == Kind::Audio).collect();
    sounds.sort_by_key(|(sound, _)| (sound.name.len(), sound.name.clone()));
    sounds
}

/// Whether there is a sound in another language before it.
fn is_alternate(before: &[Set<'_>], run: &Run<'_>) -> bool {
    let sounds =
        before.iter().flat_map(|set| set.runs.first()).filter(|(other, _)| other.kind == Kind::Audio);
    let first = sounds.map(|other| language(other)).next();
    run.0.kind == Kind::Audio && first.is_some_and(|first| first != language(run))
}

fn language<'a>((_, segments): &Run<'a>) -> Option<&'a Language> {
    segments.iter().find_map(|segment| segment.init())?.track.language.as_ref()
}

fn switches(one: &Run<'_>, other: &Run<'_>) -> bool {
    let pictures = |run: &Run<'_>| {
        let codec = &run.1.iter().find_map(|segment| segment.init())?.track.codec;
        Some((std::mem::discriminant(codec), codec.picture()?.range()))
    };
    let (one, other) = (pictures(one), pictures(other));
    one.is_some() && one == other
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
    if let Some(language) = &init.track.language {
        write!(out, " lang=\"{language}\"")?;
    }
    if set.is_aligned() {
        write!(out, " segmentAlignment=\"true\"")?;
    }
    // startWithSAP is a claim about every segment, so one cut without a keyframe takes it away.
    let independent = set.runs.iter().all(|(rendition, _)| rendition.independent);
    writeln!(out, "{}>", if independent { " startWithSAP=\"1\"" } else { "" })?;
    describe::write(out, &init.track.codec)?;
    if let Some(low) = low {
        low.write_timing(out, segments, rendition.kind == Kind::Audio)?;
    }
    write_accessibility(out, set.runs.iter().map(|(rendition, _)| *rendition), "      ")?;
    let role = if set.alternate { "alternate" } else { "main" };
    writeln!(out, "      <Role schemeIdUri=\"urn:mpeg:dash:role:2011\" value=\"{role}\"/>")?;
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
