//! DASH MPD (ISO/IEC 23009-1, DASH-IF IOP Timing Model), a pure function of a snapshot.
//!
//! Media time of a period is that of its `tfdt`; wall time is `availabilityStartTime` (always the Unix epoch)
//! plus `Period@start` plus media time. Names in the MPD are our own and plain, so nothing needs escaping.

use std::fmt::{self, Write};
use std::sync::Arc;

use media::{Codec, Kind, MediaTime};

use super::Options;
use crate::names::Resource;
use crate::presentation::{Init, Presentation, Rendition, Segment, Span};

/// The MPD. Where the request named a session it keeps its timeline after the end and only becomes static, so that an
/// open player ends where it is; otherwise an ended entry starts at zero.
pub fn mpd(presentation: &Presentation, options: &Options) -> String {
    let mut out = String::with_capacity(4096);
    let form = match (presentation.ended, options.pinned) {
        (false, _) => Form::Live,
        (true, true) => Form::Over,
        (true, false) => Form::Static,
    };
    write_mpd(&mut out, presentation, form, options).expect("a String takes everything");
    out
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Grows.
    Live,
    /// Static, on the timeline on which it was live.
    Over,
    /// On demand, periods rebased to zero.
    Static,
}

/// A span with what of it is listed.
struct Listed<'a> {
    span: &'a Span,
    id: String,
    /// Media time of its first listed segment (static) or of its first segment (dynamic).
    origin: MediaTime,
    /// Media time of its end, once that is known.
    end: Option<MediaTime>,
    renditions: Vec<(&'a Rendition, Vec<&'a Segment>)>,
}

fn write_mpd(out: &mut String, presentation: &Presentation, form: Form, options: &Options) -> fmt::Result {
    let periods = list(presentation, form);
    write!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\"")?;
    write!(out, " profiles=\"urn:mpeg:dash:profile:isoff-live:2011,urn:mpeg:dash:profile:cmaf:2019\"")?;
    write_timing(out, presentation, form, options, &periods)?;
    writeln!(out, ">")?;
    if form != Form::Static {
        let query = options.location(presentation).replace('&', "&amp;");
        writeln!(out, "  <Location>{}?{query}</Location>", Resource::Mpd)?;
    }
    let mut elapsed = 0;
    for period in &periods {
        let start = match form {
            Form::Static => elapsed,
            _ => period.span.period.start.plus(period.origin).micros(),
        };
        let length = period.end.map(|end| end.micros() - period.origin.micros());
        elapsed += length.unwrap_or(0);
        write!(out, "  <Period id=\"{}\" start=\"{}\"", period.id, Seconds(start))?;
        match length {
            Some(length) => writeln!(out, " duration=\"{}\">", Seconds(length))?,
            None => writeln!(out, ">")?,
        }
        for (rendition, segments) in &period.renditions {
            write_adaptation_set(out, rendition, segments, period.origin)?;
        }
        writeln!(out, "  </Period>")?;
    }
    if form != Form::Static {
        let scheme = "urn:mpeg:dash:utc:http-iso:2014";
        writeln!(out, "  <UTCTiming schemeIdUri=\"{scheme}\" value=\"{}\"/>", Resource::Time)?;
    }
    writeln!(out, "</MPD>")
}

/// Attributes of MPD that say how it relates to time (ISO/IEC 23009-1 §5.3.1.2).
fn write_timing(
    out: &mut String,
    presentation: &Presentation,
    form: Form,
    options: &Options,
    periods: &[Listed<'_>],
) -> fmt::Result {
    let session = &presentation.session;
    let target = i64::from(session.target_duration) * 1_000_000;
    let longest = periods.iter().flat_map(|period| &period.renditions).flat_map(|(_, segments)| segments);
    let longest = longest.map(|segment| segment.span().micros()).max().unwrap_or(target).max(target);
    match form {
        Form::Static => {
            let total = periods.iter().map(|period| period.length()).sum();
            write!(out, " type=\"static\" mediaPresentationDuration=\"{}\"", Seconds(total))?;
        }
        Form::Live => {
            write!(out, " type=\"dynamic\" availabilityStartTime=\"1970-01-01T00:00:00Z\"")?;
            write!(out, " publishTime=\"{}\"", presentation.published)?;
            // Without it nothing that is listed ever leaves (§5.3.1.2).
            if options.window.is_none() {
                let window = session.window.as_micros() as i64;
                write!(out, " timeShiftBufferDepth=\"{}\"", Seconds(window))?;
            }
            write!(out, " suggestedPresentationDelay=\"{}\"", Seconds(3 * target))?;
            write!(out, " minimumUpdatePeriod=\"{}\"", Seconds(target / 2))?;
        }
        Form::Over => {
            let end = periods
                .last()
                .map_or(0, |last| last.span.period.start.plus(last.origin).micros() + last.length());
            write!(out, " type=\"static\" availabilityStartTime=\"1970-01-01T00:00:00Z\"")?;
            write!(out, " publishTime=\"{}\"", presentation.published)?;
            write!(out, " mediaPresentationDuration=\"{}\"", Seconds(end))?;
        }
    }
    write!(out, " maxSegmentDuration=\"{}\" minBufferTime=\"{}\"", Seconds(longest), Seconds(target))
}

impl Listed<'_> {
    fn length(&self) -> i64 {
        self.end.map_or(0, |end| end.micros() - self.origin.micros())
    }
}

/// What of each span is in the window.
fn list(presentation: &Presentation, form: Form) -> Vec<Listed<'_>> {
    let mut periods: Vec<Listed<'_>> = Vec::new();
    for (at, span) in presentation.spans.iter().enumerate() {
        let next = presentation.spans.get(at + 1);
        let renditions: Vec<_> = presentation
            .renditions
            .iter()
            .filter_map(|rendition| {
                let run = run(rendition, span, next.map(|next| next.first));
                (!run.is_empty()).then_some((&**rendition, run))
            })
            .collect();
        if next.is_none() && begins(presentation, span, &renditions) {
            continue;
        }
        let first = renditions.iter().filter_map(|(_, run)| run.first()).map(|s| s.start_time()).min();
        let Some(first) = first else {
            continue;
        };
        let last = renditions.iter().filter_map(|(_, run)| run.last());
        let ends = last.map(|s| MediaTime::new(s.start + s.duration, s.scale));
        let reached = if presentation.ended && next.is_none() { common_end(ends) } else { ends.max() };
        let over = next.is_some()
            || presentation.ended
            || presentation.closed.is_some_and(|closed| closed >= span.period.number);
        // A span that another one follows in the same period ends where that begins.
        let end = match next.filter(|next| next.period.number == span.period.number) {
            Some(next) => Some(next.start),
            None => reached.filter(|_| over),
        };
        let id = match span.start == MediaTime::ZERO {
            true => span.period.number.to_string(),
            false => format!("{}-{}", span.period.number, span.first),
        };
        let origin = if form == Form::Static { first } else { span.start };
        periods.push(Listed { span, id, origin, end, renditions });
    }
    periods
}

/// Where a presentation ends whose tracks end a little apart: a player that waits for every track at the end must
/// find them all there.
fn common_end(ends: impl Iterator<Item = MediaTime> + Clone) -> Option<MediaTime> {
    const LITTLE_MICROS: i64 = 500_000;
    let (first, last) = (ends.clone().min()?, ends.max()?);
    Some(if last.micros() - first.micros() <= LITTLE_MICROS { first } else { last })
}

/// Whether a rendition still makes its first segment of a span in which others have one. The Period is not shown
/// yet then, because the AdaptationSets of a Period do not change once it is.
fn begins(presentation: &Presentation, span: &Span, listed: &[(&Rendition, Vec<&Segment>)]) -> bool {
    let makes_first = |rendition: &&Arc<Rendition>| {
        let open = rendition.open.as_ref().filter(|open| open.number >= span.first);
        open.is_some() && !listed.iter().any(|(other, _)| other.name == rendition.name)
    };
    let just_begun = listed.iter().all(|(_, run)| run.len() <= 1);
    just_begun && presentation.renditions.iter().any(|rendition| makes_first(&rendition))
}

/// The segments of a rendition that a span lists: an unbroken run, because `$Number$` counts on.
fn run<'a>(rendition: &'a Rendition, span: &Span, until: Option<u64>) -> Vec<&'a Segment> {
    let mut run: Vec<&Segment> = Vec::new();
    let in_span = |number: u64| number >= span.first && until.is_none_or(|until| number < until);
    for segment in rendition.window().filter(|segment| in_span(segment.number)) {
        let follows = run.last().is_none_or(|last| last.number + 1 == segment.number);
        if segment.is_gap() || !follows {
            // What comes after a gap within a span is a sliver; before it is what was on air.
            if !run.is_empty() {
                break;
            }
            continue;
        }
        run.push(segment);
    }
    run
}

fn write_adaptation_set(
    out: &mut String,
    rendition: &Rendition,
    segments: &[&Segment],
    origin: MediaTime,
) -> fmt::Result {
    let (Some(first), Some(init)) = (segments.first(), segments.first().and_then(|s| s.init())) else {
        return Ok(());
    };
    let (id, kind) = (&rendition.name, rendition.kind.as_str());
    write!(out, "    <AdaptationSet id=\"{}\" contentType=\"{kind}\"", set_id(rendition.kind))?;
    write!(out, " mimeType=\"{kind}/mp4\" segmentAlignment=\"true\"")?;
    // startWithSAP is a claim about every segment, so one cut without a keyframe takes it away.
    writeln!(out, "{}>", if rendition.independent { " startWithSAP=\"1\"" } else { "" })?;
    if let Codec::Aac(aac) = &init.track.codec {
        let scheme = "urn:mpeg:mpegB:cicp:ChannelConfiguration";
        let value = channel_configuration(aac.channels);
        writeln!(out, "      <AudioChannelConfiguration schemeIdUri=\"{scheme}\" value=\"{value}\"/>")?;
    }
    writeln!(out, "      <Role schemeIdUri=\"urn:mpeg:dash:role:2011\" value=\"main\"/>")?;
    write!(out, "      <SegmentTemplate timescale=\"{}\"", first.scale.hz())?;
    write!(out, " presentationTimeOffset=\"{}\" startNumber=\"{}\"", origin.to(first.scale), first.number)?;
    writeln!(out, " initialization=\"{id}/init-{}.mp4\" media=\"{id}/$Number$.m4s\">", init.period)?;
    write_timeline(out, segments)?;
    writeln!(out, "      </SegmentTemplate>")?;
    write_representation(out, rendition, init)?;
    writeln!(out, "    </AdaptationSet>")
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

/// `S` elements with equal neighbours folded (ISO/IEC 23009-1 §5.3.9.6).
fn write_timeline(out: &mut String, segments: &[&Segment]) -> fmt::Result {
    writeln!(out, "        <SegmentTimeline>")?;
    let mut at = 0;
    while let Some(first) = segments.get(at) {
        let equal = segments[at..].windows(2).take_while(|pair| {
            pair[1].duration == first.duration && pair[0].start + pair[0].duration == pair[1].start
        });
        let repeats = equal.count();
        write!(out, "          <S t=\"{}\" d=\"{}\"", first.start, first.duration)?;
        match repeats {
            0 => writeln!(out, "/>")?,
            _ => writeln!(out, " r=\"{repeats}\"/>")?,
        }
        at += repeats + 1;
    }
    writeln!(out, "        </SegmentTimeline>")
}

fn write_representation(out: &mut String, rendition: &Rendition, init: &Arc<Init>) -> fmt::Result {
    write!(out, "      <Representation id=\"{}\"", rendition.name)?;
    write!(
        out,
        " codecs=\"{}\" bandwidth=\"{}\"",
        init.track.codec.rfc6381(),
        rendition.bitrate.peak.max(1)
    )?;
    match &init.track.codec {
        Codec::Avc(avc) => {
            let (horizontal, vertical) = avc.pixel_aspect;
            write!(
                out,
                " width=\"{}\" height=\"{}\" sar=\"{horizontal}:{vertical}\"",
                avc.width, avc.height
            )?;
            if let Some(rate) = rendition.frame_rate {
                write!(out, " frameRate=\"{}/{}\"", rate.frames, rate.per)?;
            }
        }
        Codec::Aac(aac) => write!(out, " audioSamplingRate=\"{}\"", aac.sample_rate)?,
    }
    writeln!(out, "/>")
}

/// Microseconds as xs:duration in seconds, without trailing zeros.
struct Seconds(i64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0.max(0) / 1_000_000, self.0.max(0) % 1_000_000);
        if part == 0 {
            return write!(f, "PT{whole}S");
        }
        let part = format!("{part:06}");
        write!(f, "PT{whole}.{}S", part.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_no_more_digits_than_they_need() {
        let shown = |micros| Seconds(micros).to_string();
        assert_eq!(shown(0), "PT0S");
        assert_eq!(shown(2_000_000), "PT2S");
        assert_eq!(shown(1_795_309_432_123_000), "PT1795309432.123S");
        assert_eq!(shown(5), "PT0.000005S");
    }
}
