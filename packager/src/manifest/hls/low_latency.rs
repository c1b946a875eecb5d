//! What the media playlist of a live rendition says to players that play parts (RFC 8216bis §4.4.3.7, §4.4.3.8,
//! §4.4.4.9, §4.4.5.3, §4.4.5.4).

use std::fmt::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use container::mp4::parse_fragment;
use media::{Kind, MediaTime, Sync};

use super::edge::{self, Listed};
use super::text::{part_uri, seconds_beyond};
use crate::manifest::Options;
use crate::names::Resource;
use crate::presentation::{Part, Presentation, Rendition, Segment, Session};

/// HOLD-BACK and how long parts are listed, in target durations (RFC 8216bis §4.4.3.8, §6.2.2).
const HOLD_BACK: u32 = 3;
/// PART-HOLD-BACK in part targets: a little more than the three of Apple's rules for authors. With three, hls.js ran dry in
/// the middle of a segment wherever one answer was late by a part; with four, players are half a second later than they
/// have to be.
const PART_HOLD_BACK: f64 = 3.4;
/// CAN-SKIP-UNTIL in target durations.
const SKIP_UNTIL: u32 = 6;

/// How much of the end of a playlist a delta update shows at least.
pub(super) fn skip_boundary(session: &Session) -> Duration {
    target_duration(session) * SKIP_UNTIL
}

/// For how long parts are listed.
pub(super) fn parts_listed(session: &Session) -> Duration {
    target_duration(session) * HOLD_BACK
}

fn target_duration(session: &Session) -> Duration {
    Duration::from_secs(session.target_duration.into())
}

/// EXT-X-SERVER-CONTROL and EXT-X-PART-INF: the same for all renditions and from the first playlist to the last.
pub(super) fn header(out: &mut String, session: &Session) -> fmt::Result {
    let part = session.part_target.as_secs_f64();
    let (hold_back, skip) = (target_duration(session) * HOLD_BACK, skip_boundary(session));
    write!(out, "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL={:.1}", skip.as_secs_f64())?;
    write!(out, ",HOLD-BACK={:.1}", hold_back.as_secs_f64())?;
    writeln!(out, ",PART-HOLD-BACK={:.3}", part * PART_HOLD_BACK)?;
    writeln!(out, "#EXT-X-PART-INF:PART-TARGET={part:.3}")
}

/// The parts of a finished segment.
pub(super) fn parts(out: &mut String, rendition: &Rendition, segment: &Segment) -> fmt::Result {
    for listed in edge::parts(segment, rendition.session.part_target) {
        part(out, rendition, segment.number, &listed)?;
    }
    Ok(())
}

/// The parts of the open segment.
pub(super) fn open_parts(out: &mut String, rendition: &Rendition) -> fmt::Result {
    let Some(open) = &rendition.open else { return Ok(()) };
    for made in edge::open_parts(rendition) {
        let duration = MediaTime::new(made.duration, open.init.track.timescale);
        let listed = Listed { index: made.index.into(), duration, part: Some(made) };
        part(out, rendition, open.number, &listed)?;
    }
    Ok(())
}

fn part(out: &mut String, rendition: &Rendition, number: u64, listed: &Listed<'_>) -> fmt::Result {
    out.push_str("#EXT-X-PART:DURATION=");
    seconds_beyond(out, listed.duration, rendition.session.part_target);
    out.push_str(",URI=\"");
    part_uri(out, rendition, number, listed.index);
    out.push('"');
    match listed.part {
        None => out.push_str(",GAP=YES"),
        Some(part) if decodable(rendition.kind, part) => out.push_str(",INDEPENDENT=YES"),
        Some(_) => {}
    }
    out.push('\n');
    Ok(())
}

/// Whether decoding can begin somewhere in a part: it need not be at its start (RFC 8216bis §4.4.4.9).
fn decodable(kind: Kind, part: &Part) -> bool {
    let within =
        || parse_fragment(&part.header).is_ok_and(|it| it.samples.iter().any(|s| s.sync == Sync::Yes));
    part.independent || (kind == Kind::Video && within())
}

/// EXT-X-PRELOAD-HINT for the next part. None for an initialization segment: which one is new is known with its first part.
pub(super) fn hints(out: &mut String, presentation: &Presentation, rendition: &Rendition) -> fmt::Result {
    if let Some(next) = edge::hint(presentation, rendition) {
        out.push_str("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"");
        part_uri(out, rendition, next.msn, next.part);
        out.push_str("\"\n");
    }
    Ok(())
}

/// EXT-X-RENDITION-REPORT for all others that have something to play.
pub(super) fn reports(
    out: &mut String,
    presentation: &Presentation,
    rendition: &Rendition,
    options: &Options,
) -> fmt::Result {
    let others = presentation.renditions.iter().filter(|other| other.name != rendition.name);
    for other in others.filter(|other| other.last().is_some()) {
        report(out, other, options)?;
    }
    Ok(())
}

fn report(out: &mut String, other: &Arc<Rendition>, options: &Options) -> fmt::Result {
    let uri = Resource::Playlist { rendition: other.name.to_string() };
    write!(out, "#EXT-X-RENDITION-REPORT:URI=\"{uri}")?;
    if options.pinned {
        write!(out, "?s={}", other.session.id)?;
    }
    let (msn, part) = edge::last(other);
    write!(out, "\",LAST-MSN={msn}")?;
    if let Some(part) = part {
        write!(out, ",LAST-PART={part}")?;
    }
    writeln!(out)
}
