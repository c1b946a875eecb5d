//! HLS playlists of MPEG-TS segments, for players that know nothing of fragments (RFC 8216 as of version 3).
//!
//! The same segments, numbers and times as in the other playlists, without parts and initialization segments. A
//! video comes with its sound, so a variant is all there is, and a playlist lists a segment once both are there.

use std::fmt::{self, Write};
use std::sync::Arc;

use media::Kind;

use super::Options;
use super::captions::ClosedCaptions;
use crate::names::Ts;
use crate::presentation::{Presentation, Rendition, Segment};
use crate::ts::{self, Absent};

/// Decimal EXTINF (RFC 8216bis §8).
const VERSION: u32 = 3;
/// EXT-X-GAP (RFC 8216bis §8).
const VERSION_OF_GAPS: u32 = 8;

/// The multivariant playlist (RFC 8216bis §4.4.6): each video with its sound, or each audio where there is none.
/// While live, children are named with their session.
pub fn multivariant(presentation: &Presentation, options: &Options) -> String {
    let mut out = String::with_capacity(1024);
    write_multivariant(&mut out, presentation, options).expect("a String takes everything");
    out
}

/// Whether MPEG-TS carries anything of what there is. Not known, and so taken for granted, before something is there.
pub fn suits(presentation: &Presentation) -> bool {
    let mut inits = presentation.renditions.iter().filter_map(|rendition| rendition.init()).peekable();
    inits.peek().is_none() || inits.any(|init| ts::carries(init))
}

fn write_multivariant(out: &mut String, presentation: &Presentation, options: &Options) -> fmt::Result {
    writeln!(out, "#EXTM3U\n#EXT-X-VERSION:{VERSION}")?;
    if presentation.renditions.iter().all(|rendition| rendition.independent) {
        writeln!(out, "#EXT-X-INDEPENDENT-SEGMENTS")?;
    }
    let sound = of_kind(presentation, Kind::Audio).next();
    let captions = ClosedCaptions::of(of_kind(presentation, Kind::Video).map(Arc::as_ref));
    captions.write_group(out)?;
    for video in of_kind(presentation, Kind::Video) {
        write_variant(out, video, sound)?;
        captions.write_attribute(out)?;
        writeln!(out, "\n{}", Child { presentation, options, rendition: video })?;
    }
    for audio in of_kind(presentation, Kind::Audio) {
        write_variant(out, audio, None)?;
        captions.write_attribute(out)?;
        writeln!(out, "\n{}", Child { presentation, options, rendition: audio })?;
    }
    Ok(())
}

/// Renditions that newcomers should be told of, and that MPEG-TS can carry.
fn of_kind(presentation: &Presentation, kind: Kind) -> impl Iterator<Item = &Arc<Rendition>> {
    let fits = |rendition: &&Arc<Rendition>| rendition.init().is_some_and(|init| ts::carries(init));
    presentation.renditions.iter().filter(move |it| it.kind == kind && it.alive()).filter(fits)
}

/// EXT-X-STREAM-INF (RFC 8216bis §4.4.6.2), without the end of its line.
fn write_variant(out: &mut String, main: &Arc<Rendition>, sound: Option<&Arc<Rendition>>) -> fmt::Result {
    let both = || std::iter::once(main).chain(sound);
    let streams = both().count() as u64;
    let bandwidth = |rate: fn(&Rendition) -> u64| multiplexed(main, streams, both().map(|it| rate(it)).sum());
    write!(out, "#EXT-X-STREAM-INF:BANDWIDTH={}", bandwidth(|it| it.bitrate.peak))?;
    write!(out, ",AVERAGE-BANDWIDTH={}", bandwidth(|it| it.bitrate.average))?;
    let inits = || both().filter_map(|rendition| rendition.init());
    let codecs: Vec<String> = inits().map(|init| init.track.codec.rfc6381()).collect();
    write!(out, ",CODECS=\"{}\"", codecs.join(","))?;
    write_picture(out, main)
}

fn write_picture(out: &mut String, rendition: &Rendition) -> fmt::Result {
    if let Some(picture) = rendition.init().and_then(|init| init.track.codec.picture()) {
        let (width, height) = picture.display_size();
        write!(out, ",RESOLUTION={width}x{height}")?;
    }
    if let Some(rate) = rendition.frame_rate {
        write!(out, ",FRAME-RATE={:.3}", rate.per_second())?;
    }
    Ok(())
}

/// What a rate becomes in packets of 188 bytes: headers of packets, half a packet of stuffing and a header for each
/// unit, and in each segment tables and what makes the packets of each stream a multiple of sixteen.
fn multiplexed(main: &Rendition, streams: u64, rate: u64) -> u64 {
    const UNIT_BITS: u64 = 8 * 130;
    const PACKET_BITS: u64 = 8 * 188;
    const TABLES: u64 = 32;
    /// Units a second of audio.
    const SOUNDS: u64 = 15;
    let pictures = main.frame_rate.map_or(30.0, |rate| rate.per_second().ceil()) as u64;
    let units = if main.kind == Kind::Video { pictures + SOUNDS } else { SOUNDS };
    let seconds = main.last().map_or(1.0, |last| last.span().seconds().max(1.0));
    let each_segment = (TABLES + 15 * streams) * PACKET_BITS;
    rate * 188 / 184 + units * UNIT_BITS + (each_segment as f64 / seconds) as u64
}

/// The URI of a media playlist as the multivariant playlist names it.
struct Child<'a> {
    presentation: &'a Presentation,
    options: &'a Options,
    rendition: &'a Rendition,
}

impl fmt::Display for Child<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Ts::Playlist { rendition: self.rendition.name.to_string() })?;
        f.write_str(&self.options.inherited(self.presentation))
    }
}

/// Whether the media playlist of a rendition lists anything yet.
pub fn playable(presentation: &Presentation, rendition: &Rendition) -> bool {
    listed(presentation, rendition).next().is_some()
}

/// The media playlist of a rendition of this presentation (RFC 8216bis §4.4.3).
pub fn media(presentation: &Presentation, rendition: &Rendition, options: &Options) -> String {
    let mut out = String::with_capacity(2048);
    write_media(&mut out, presentation, rendition, options).expect("a String takes everything");
    out
}

/// A segment and whether there is nothing to fetch.
type Listed<'a> = (&'a Arc<Segment>, bool);

/// The segments of the window up to the first whose sound is still open.
fn listed<'a>(presentation: &'a Presentation, rendition: &'a Rendition) -> impl Iterator<Item = Listed<'a>> {
    rendition.window().map_while(move |segment| match ts::program(presentation, rendition, segment.number) {
        Ok(_) => Some((segment, false)),
        Err(Absent::Gone) => Some((segment, true)),
        Err(Absent::NotYet) => None,
    })
}

fn write_media(
    out: &mut String,
    presentation: &Presentation,
    rendition: &Rendition,
    options: &Options,
) -> fmt::Result {
    let session = &rendition.session;
    let listed: Vec<Listed<'_>> = listed(presentation, rendition).collect();
    let first = listed.first().map(|(first, _)| first);
    let burnt = first.and_then(|first| rendition.burnt_before(first.number));
    let before = u64::from(burnt.is_some());
    let sequence = first.map_or(0, |first| first.number) - before;
    let discontinuities = first.map_or(0, |first| first.period.discontinuity).saturating_sub(before);
    let gaps = burnt.is_some() || listed.iter().any(|(_, gap)| *gap);
    writeln!(out, "#EXTM3U\n#EXT-X-VERSION:{}", if gaps { VERSION_OF_GAPS } else { VERSION })?;
    writeln!(out, "#EXT-X-TARGETDURATION:{}", session.target_duration)?;
    writeln!(out, "#EXT-X-MEDIA-SEQUENCE:{sequence}")?;
    writeln!(out, "#EXT-X-DISCONTINUITY-SEQUENCE:{discontinuities}")?;
    if let Some(kind) = options.window.and_then(|window| window.playlist_type(options.pinned)) {
        writeln!(out, "#EXT-X-PLAYLIST-TYPE:{kind}")?;
    }
    if rendition.independent {
        writeln!(out, "#EXT-X-INDEPENDENT-SEGMENTS")?;
    }
    if let Some(number) = burnt {
        writeln!(out, "#EXT-X-GAP\n#EXTINF:{:.6},", f64::from(session.target_duration))?;
        writeln!(out, "{}\n#EXT-X-DISCONTINUITY", uri(rendition, number))?;
    }
    write_segments(out, rendition, &listed)?;
    if rendition.ended {
        writeln!(out, "#EXT-X-ENDLIST")?;
    }
    Ok(())
}

fn write_segments(out: &mut String, rendition: &Rendition, listed: &[Listed<'_>]) -> fmt::Result {
    let mut previous: Option<&Segment> = None;
    for (segment, gap) in listed {
        let timeline = |segment: &Segment| (segment.period.number, segment.period.discontinuity);
        let same_period = previous.map(|previous| timeline(previous) == timeline(segment));
        if same_period == Some(false) {
            writeln!(out, "#EXT-X-DISCONTINUITY")?;
        }
        if same_period != Some(true) {
            writeln!(out, "#EXT-X-PROGRAM-DATE-TIME:{}", segment.wall_time())?;
        }
        if *gap {
            writeln!(out, "#EXT-X-GAP")?;
        }
        writeln!(out, "#EXTINF:{:.6},", segment.span().seconds())?;
        writeln!(out, "{}", uri(rendition, segment.number))?;
        previous = Some(segment);
    }
    Ok(())
}

fn uri(rendition: &Rendition, number: u64) -> Ts {
    Ts::Segment { rendition: rendition.name.to_string(), number }
}
