//! DASH MPD (ISO/IEC 23009-1, DASH-IF IOP Timing Model), a pure function of a snapshot.
//!
//! Media time of a period is that of its `tfdt`; wall time is `availabilityStartTime` (always the Unix epoch)
//! plus `Period@start` plus media time. Names in the MPD are our own and plain, so nothing needs escaping.

mod describe;
mod list;
mod low_latency;
mod seconds;
mod set;
mod timeline;

use std::fmt::{self, Write};

use list::{Listed, list};
use low_latency::LowLatency;
use seconds::Seconds;
use set::sets;

use super::Options;
use crate::names::Resource;
use crate::presentation::Presentation;

/// The MPD. Where the request named a session it keeps its timeline after the end and only becomes static, so that an
/// open player ends where it is; otherwise an ended entry starts at zero.
pub fn mpd(presentation: &Presentation, options: &Options) -> String {
    let mut out = String::with_capacity(4096);
    let form = match (presentation.ended, options.pinned) {
        (false, _) => Form::Live,
        (true, true) => Form::Over,
        (true, false) => Form::Static,
    };
    let low = is_low_latency(presentation, options).then(|| LowLatency::of(presentation)).flatten();
    write_mpd(&mut out, presentation, form, low.as_ref(), options).expect("a String takes everything");
    out
}

/// Whether the MPD may list segments that still grow, so that it has news with every part: half a target duration is
/// too long to keep it.
pub fn is_low_latency(presentation: &Presentation, options: &Options) -> bool {
    options.low_latency && presentation.session.low_latency && !presentation.ended
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

fn write_mpd(
    out: &mut String,
    presentation: &Presentation,
    form: Form,
    low: Option<&LowLatency>,
    options: &Options,
) -> fmt::Result {
    let periods = list(presentation, form, low.map_or(&[], |low| &low.opened));
    write!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\"")?;
    write!(out, " profiles=\"urn:mpeg:dash:profile:isoff-live:2011,urn:mpeg:dash:profile:cmaf:2019\"")?;
    write_timing(out, presentation, form, low, options, &periods)?;
    writeln!(out, ">")?;
    if form != Form::Static {
        let query = options.location(presentation).replace('&', "&amp;");
        writeln!(out, "  <Location>{}?{query}</Location>", Resource::Mpd)?;
    }
    if let Some(low) = low {
        low.write_service(out)?;
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
        for set in sets(&period.renditions) {
            set::write(out, &set, period.origin, low)?;
        }
        writeln!(out, "  </Period>")?;
    }
    if form != Form::Static {
        writeln!(out, "  {UtcTiming}")?;
    }
    writeln!(out, "</MPD>")
}

/// How far back from now a window goes from which nothing leaves, and a little further, because now goes on until the next
/// update. It grows: without a depth players take all of the first Period for listed.
fn reach(presentation: &Presentation, periods: &[Listed<'_>], little: i64) -> Option<i64> {
    let listed = periods.iter().flat_map(|period| &period.renditions);
    let begins = listed.filter_map(|(_, segments)| segments.first()).map(|first| first.wall_time().micros());
    Some((presentation.published.micros() - begins.min()? + little).max(little))
}

/// Attributes of MPD that say how it relates to time (ISO/IEC 23009-1 §5.3.1.2).
fn write_timing(
    out: &mut String,
    presentation: &Presentation,
    form: Form,
    low: Option<&LowLatency>,
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
            let depth = options.window.and_then(|_| reach(presentation, periods, target));
            let depth = depth.unwrap_or(session.window.as_micros() as i64);
            write!(out, " timeShiftBufferDepth=\"{}\"", Seconds(depth))?;
            low_latency::write_rhythm(out, low, target)?;
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

/// The server's own clock (ISO/IEC 23009-1 §5.8.4.11 and §5.8.5.7).
struct UtcTiming;

impl fmt::Display for UtcTiming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = "urn:mpeg:dash:utc:http-iso:2014";
        write!(f, "<UTCTiming schemeIdUri=\"{scheme}\" value=\"{}\"/>", Resource::Time)
    }
}
