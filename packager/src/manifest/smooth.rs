//! The Smooth Streaming client manifest ([MS-SSTR] §2.2.2), a pure function of a snapshot, and the fragments that it
//! lists.
//!
//! Media is on one absolute timeline, Unix time in units of 100 ns, so that clients that compare it with their clock
//! know how far behind live they are, and no reconnect moves it. What is over can be had on another one as well, which
//! begins at zero and leaves out what lies between periods: clients with a clock of their own begin there
//! ([`Options::from_zero`]). Names in the manifest are our own and plain, so nothing needs escaping.
//!
//! Deliberately not here: what has no place in Smooth. There are no parts, and a change of the codec configuration
//! has no mark: what is listed has one configuration from its beginning to the edge.

mod chunk;
mod fragment;
mod quality;
mod stream;

use std::fmt::{self, Write};
use std::sync::Arc;

use media::Kind;

pub use chunk::{LOOKAHEAD, TIMESCALE};
pub use fragment::{Absent, Fragment, Located, fragment, locate};

use super::Options;
use crate::names::smooth::Zero;
use crate::presentation::{Presentation, Rendition};
use chunk::{Chunk, Timeline};
use stream::Stream;

/// Whether there is anything that a client of Smooth could play: it has names for H.264, H.265 and AAC only. Not known, and
/// so taken for granted, before something is there.
pub fn suits(presentation: &Presentation) -> bool {
    let mut inits = presentation.renditions.iter().filter_map(|rendition| rendition.init()).peekable();
    inits.peek().is_none() || inits.any(|init| quality::is_known(&init.track.codec))
}

/// Whether there is something to list: of every rendition that lives a chunk is there of which is known what follows
/// it. That is a segment later than HLS and DASH have something to play.
pub fn playable(presentation: &Presentation) -> bool {
    let mut living = living(presentation).peekable();
    living.peek().is_some() && living.all(|rendition| chunk::is_ready(rendition))
}

/// The renditions that live, and are or may become something that clients know.
pub fn living(presentation: &Presentation) -> impl Iterator<Item = &Arc<Rendition>> {
    let known = |rendition: &&Arc<Rendition>| {
        rendition.init().is_none_or(|init| quality::is_known(&init.track.codec))
    };
    presentation.renditions.iter().filter(|rendition| rendition.alive()).filter(known)
}

/// The client manifest ([MS-SSTR] §2.2.2); `None` where nothing is to be listed yet. After the end it keeps its
/// timeline and says how long that was, with or without a session named; unless it is asked for from zero.
pub fn manifest(presentation: &Presentation, options: &Options) -> Option<String> {
    let mut streams = stream::streams(presentation);
    if streams.is_empty() || !playable(presentation) {
        return None;
    }
    let zero = (options.from_zero && presentation.ended).then(|| rebase(&mut streams, presentation));
    let mut out = String::with_capacity(4096);
    write_manifest(&mut out, presentation, options, &streams, zero.flatten())
        .expect("a String takes everything");
    Some(out)
}

/// Moves all streams so that the first chunk of any begins at zero, and says which that is.
fn rebase(streams: &mut [Stream<'_>], presentation: &Presentation) -> Option<Zero> {
    let firsts = streams.iter().filter_map(|stream| stream.chunks.first());
    let first = firsts.min_by_key(|chunk| chunk.time)?;
    let zero = Zero { session: presentation.session.id, time: first.time };
    let timeline = Timeline::beginning(first.segment);
    for chunk in streams.iter_mut().flat_map(|stream| &mut stream.chunks) {
        *chunk = timeline.chunk(chunk.segment);
    }
    Some(zero)
}

fn write_manifest(
    out: &mut String,
    presentation: &Presentation,
    options: &Options,
    streams: &[Stream<'_>],
    zero: Option<Zero>,
) -> fmt::Result {
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    write!(out, "<SmoothStreamingMedia MajorVersion=\"2\" MinorVersion=\"0\" TimeScale=\"{TIMESCALE}\"")?;
    if presentation.ended {
        writeln!(out, " Duration=\"{}\">", duration(streams))?;
    } else {
        // A duration of zero is one that nobody knows yet, a window of zero one that loses nothing ([MS-SSTR] §2.2.2.1).
        let whole = options.window.is_some();
        let window = if whole { 0 } else { presentation.session.window.as_nanos() / 100 };
        write!(out, " Duration=\"0\" IsLive=\"TRUE\"")?;
        // The first is the name in the specification, the second the one that servers and clients use.
        write!(out, " LookaheadCount=\"{LOOKAHEAD}\" LookAheadFragmentCount=\"{LOOKAHEAD}\"")?;
        writeln!(out, " DVRWindowLength=\"{window}\">")?;
    }
    for stream in streams {
        write_stream(out, stream, zero)?;
    }
    writeln!(out, "</SmoothStreamingMedia>")
}

/// From the first chunk of any stream to the last.
fn duration(streams: &[Stream<'_>]) -> u64 {
    let first = streams.iter().filter_map(|stream| stream.chunks.first()).map(|chunk| chunk.time).min();
    let last = streams.iter().filter_map(|stream| stream.chunks.last()).map(Chunk::end).max();
    last.unwrap_or(0).saturating_sub(first.unwrap_or(0))
}

/// [MS-SSTR] §2.2.2.3.
fn write_stream(out: &mut String, stream: &Stream<'_>, zero: Option<Zero>) -> fmt::Result {
    let (name, kind) = (&stream.name, stream.kind.as_str());
    let (chunks, levels) = (stream.chunks.len(), stream.levels.len());
    write!(
        out,
        "  <StreamIndex Type=\"{kind}\" Name=\"{name}\" Chunks=\"{chunks}\" QualityLevels=\"{levels}\""
    )?;
    if let Some(language) = stream.language {
        write!(out, " Language=\"{}\"", language.iso639_2())?;
    }
    if stream.kind == Kind::Video {
        let (width, height) = stream.largest();
        write!(out, " MaxWidth=\"{width}\" MaxHeight=\"{height}\"")?;
        write!(out, " DisplayWidth=\"{width}\" DisplayHeight=\"{height}\"")?;
    }
    write!(out, " Url=\"")?;
    if let Some(zero) = zero {
        write!(out, "{zero}/")?;
    }
    writeln!(out, "QualityLevels({{bitrate}})/Fragments({name}={{start time}})\">")?;
    for (index, level) in stream.levels.iter().enumerate() {
        quality::write_level(out, index, level)?;
    }
    // The time is said of each chunk, so that nobody has to add up, and the duration, which a hole after it would
    // otherwise hide ([MS-SSTR] §2.2.2.6).
    for chunk in &stream.chunks {
        writeln!(out, "    <c t=\"{}\" d=\"{}\"/>", chunk.time, chunk.duration)?;
    }
    writeln!(out, "  </StreamIndex>")
}
