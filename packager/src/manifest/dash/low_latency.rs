//! Low latency (ISO/IEC 23009-1 §5.3.9.5 and §5.13, Annex K): a segment is listed and can be fetched while it grows.
//!
//! The open segment is listed as soon as it has a part, with the duration that it will have if the encoder goes on as it
//! did: that of the segment before, and for sound up to where the pictures' segment will end. What it turns out to be is
//! said in the next MPD after it closed, before anything behind it is listed, so that `S` elements never leave a gap nor
//! overlap in any MPD, and `S@t` never changes. An encoder with a fixed distance of keyframes never needs that. A Period
//! is shown with its first whole segments, as without low latency: its AdaptationSets must not change afterwards.

use std::fmt::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use media::{Kind, MediaTime, WallTime};

use super::seconds::Seconds;
use crate::presentation::{Content, Open, Presentation, Rendition, Segment};

/// The least latency that players are told to keep (`Latency@target`).
const LEAST_LATENCY: Duration = Duration::from_millis(1500);
/// And how many parts it is at least: one in the making, one until the MPD says so, one in the buffer.
const LATENCY_PARTS: u32 = 3;
/// How slow and how fast players may go to keep it; what is hardly heard.
const PLAYBACK_RATE: (&str, &str) = ("0.96", "1.04");

/// How early segments can be fetched.
pub(super) struct LowLatency {
    /// What grows.
    pub(super) opened: Vec<Opened>,
    /// `@availabilityTimeOffset` in microseconds: how long before its end a segment has its first part.
    offset: i64,
    /// PART-TARGET.
    part: Duration,
    /// How much of the past is listed.
    window: Duration,
}

/// The open segment of a rendition as it is expected to become.
pub(super) struct Opened {
    rendition: Arc<str>,
    segment: Segment,
}

impl LowLatency {
    /// `None` where parts are no shorter than segments.
    pub(super) fn of(presentation: &Presentation) -> Option<LowLatency> {
        let (part, opened) = (presentation.session.part_target, opened(presentation));
        let expected = opened.iter().map(|open| open.segment.span().micros());
        let whole = presentation.renditions.iter().filter_map(|rendition| shortest(presentation, rendition));
        let offset = (whole.chain(expected).min()? - part.as_micros() as i64) / 1000 * 1000;
        let window = presentation.session.window;
        (offset > 0).then_some(LowLatency { opened, offset, part, window })
    }

    /// What players are told to keep as latency.
    pub(super) fn latency(&self) -> Duration {
        LEAST_LATENCY.max(self.part * LATENCY_PARTS)
    }

    /// How often the MPD has news.
    pub(super) fn update_period(&self) -> Duration {
        self.part
    }

    /// ServiceDescription (§5.13, Annex K), for all and for clients of DVB (ETSI TS 103 285 §10.20). `max` is the
    /// window: dash.js 5.2 takes whoever is farther behind to the edge, and one may go back within it.
    ///
    /// Shaka 5.2 adds `Latency@target` to `suggestedPresentationDelay`, and so would end at twice the latency; where there
    /// are two descriptions it keeps to the latter alone.
    pub(super) fn write_service(&self, out: &mut String) -> fmt::Result {
        self.write_description(out, 0, "")?;
        self.write_description(out, 1, "    <Scope schemeIdUri=\"urn:dvb:dash:lowlatency:scope:2019\"/>\n")
    }

    fn write_description(&self, out: &mut String, id: u32, scope: &str) -> fmt::Result {
        let target = self.latency().as_millis();
        let max = self.window.as_millis().max(target);
        write!(out, "  <ServiceDescription id=\"{id}\">\n{scope}")?;
        write!(out, "    <Latency target=\"{target}\" min=\"{}\"", target / 2)?;
        writeln!(out, " max=\"{max}\" referenceId=\"0\"/>")?;
        writeln!(out, "    <PlaybackRate min=\"{}\" max=\"{}\"/>", PLAYBACK_RATE.0, PLAYBACK_RATE.1)?;
        writeln!(out, "  </ServiceDescription>")
    }

    /// ProducerReferenceTime (§5.12), which `prft` of each segment repeats, and Resync (§5.3.12): a part is the unit of
    /// which a decoder can take hold, and begins with a sync sample only where all samples are.
    ///
    /// There are two of the former, the period's anchor and that of the newest segment. One would do; Shaka 5.2 takes a
    /// single one for the date at which presentation time was zero, which it is not, and leaves several alone.
    pub(super) fn write_timing(&self, out: &mut String, run: &[&Segment], all_sync: bool) -> fmt::Result {
        let Some(newest) = run.last() else { return Ok(()) };
        write_reference(out, 0, newest.period.start, 0)?;
        write_reference(out, 1, newest.wall_time(), newest.start)?;
        let (kind, longest) = (u8::from(all_sync), newest.scale.ticks(self.part));
        writeln!(out, "      <Resync type=\"{kind}\" dT=\"{longest}\"/>")
    }

    /// Attributes of SegmentTemplate (§5.3.9.5).
    pub(super) fn write_availability(&self, out: &mut String) -> fmt::Result {
        let offset = self.offset as f64 / 1e6;
        write!(out, " availabilityTimeOffset=\"{offset}\" availabilityTimeComplete=\"false\"")
    }
}

fn write_reference(out: &mut String, id: u32, wall: WallTime, media: i64) -> fmt::Result {
    write!(out, "      <ProducerReferenceTime id=\"{id}\" inband=\"true\" type=\"encoder\"")?;
    writeln!(out, " wallClockTime=\"{wall}\" presentationTime=\"{media}\">")?;
    writeln!(out, "        {}", super::UtcTiming)?;
    writeln!(out, "      </ProducerReferenceTime>")
}

/// The duration in microseconds of the shortest listed segment of a rendition, but for those with which a period ended:
/// the encoder went away there.
fn shortest(presentation: &Presentation, rendition: &Rendition) -> Option<i64> {
    let mut window = rendition.window().peekable();
    let (mut shortest, mut cut) = (None::<i64>, None);
    while let Some(segment) = window.next() {
        let period = segment.period.number;
        let goes_on = match window.peek() {
            Some(next) => next.period.number == period,
            None => presentation.closed.is_none_or(|closed| closed < period),
        };
        let span = segment.span().micros();
        match goes_on && !segment.is_gap() {
            true => shortest = Some(shortest.map_or(span, |shortest| shortest.min(span))),
            false => cut = Some(span),
        }
    }
    shortest.or(cut)
}

/// The open segments of all renditions.
fn opened(presentation: &Presentation) -> Vec<Opened> {
    let renditions = presentation.renditions.iter();
    renditions.filter_map(|rendition| open_of(presentation, rendition, rendition.open.as_ref()?)).collect()
}

fn open_of(presentation: &Presentation, rendition: &Rendition, open: &Open) -> Option<Opened> {
    let first = open.parts.first()?;
    let scale = open.init.track.timescale;
    let grown: i64 = open.parts.iter().map(|part| part.duration).sum();
    let frame = open.init.track.codec.sound().map(|sound| i64::from(sound.frame_length));
    let usual = frame.and_then(|frame| beside_pictures(presentation, open, frame));
    let usual = usual.or_else(|| before(rendition, open)).unwrap_or_default();
    let segment = Segment {
        number: open.number,
        period: open.period.clone(),
        start: first.start,
        duration: usual.max(grown),
        scale,
        content: Content::Media { init: open.init.clone(), parts: open.parts.clone() },
    };
    Some(Opened { rendition: rendition.name.clone(), segment })
}

/// The duration of the segment before, in the same period.
fn before(rendition: &Rendition, open: &Open) -> Option<i64> {
    let last = rendition.last().filter(|last| last.period.number == open.period.number)?;
    Some(last.duration)
}

/// Sound ends with the first frame that begins where the segment of the pictures ends, or later.
fn beside_pictures(presentation: &Presentation, open: &Open, frame: i64) -> Option<i64> {
    let (scale, start) = (open.init.track.timescale, open.parts.first()?.start);
    let mut ends = presentation.renditions.iter().filter_map(|rendition| pictures_end(rendition, open));
    let end = ends.next()?;
    let whole = (end.to(scale) - start) / frame.max(1) - 1;
    let frames = (whole..).take(3).find(|frames| MediaTime::new(start + frames * frame, scale) >= end)?;
    Some(frames * frame)
}

/// Where the pictures of a segment end, or will.
fn pictures_end(rendition: &Rendition, beside: &Open) -> Option<MediaTime> {
    if rendition.kind != Kind::Video {
        return None;
    }
    if let Some(open) = rendition.open.as_ref().filter(|open| open.number == beside.number) {
        let grown = open.parts.iter().map(|part| part.duration).sum();
        let end = open.parts.first()?.start + before(rendition, open)?.max(grown);
        return Some(MediaTime::new(end, open.init.track.timescale));
    }
    let last = rendition.last().filter(|last| last.period.number == beside.period.number)?;
    // The sound may have its first part before the pictures have theirs.
    let ahead = beside.number.checked_sub(last.number).filter(|&ahead| ahead <= 1)?;
    Some(MediaTime::new(last.start + last.duration * (1 + ahead as i64), last.scale))
}

impl Opened {
    /// The open segment of that rendition.
    pub(super) fn of<'a>(opened: &'a [Opened], rendition: &Rendition) -> Option<&'a Segment> {
        opened.iter().find(|open| open.rendition == rendition.name).map(|open| &open.segment)
    }
}

/// `suggestedPresentationDelay` and `minimumUpdatePeriod` (§5.3.1.2).
pub(super) fn write_rhythm(out: &mut String, low: Option<&LowLatency>, target: i64) -> fmt::Result {
    let micros = |duration: Duration| duration.as_micros() as i64;
    let (delay, update) = match low {
        Some(low) => (micros(low.latency()), micros(low.update_period())),
        None => (3 * target, target / 2),
    };
    write!(out, " suggestedPresentationDelay=\"{}\"", Seconds(delay))?;
    write!(out, " minimumUpdatePeriod=\"{}\"", Seconds(update))
}
