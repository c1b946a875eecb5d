//! The multivariant playlist (RFC 8216bis §4.4.6): which renditions there are, and which go together.

use std::fmt::{self, Write};
use std::sync::Arc;

use media::Kind;
use media::codec::VideoRange;

use super::VERSION;
use super::groups::{self, Group};
use crate::manifest::Options;
use crate::manifest::captions::ClosedCaptions;
use crate::names::Resource;
use crate::presentation::{Presentation, Rendition};

/// The multivariant playlist (RFC 8216bis §4.4.6). Children are named with their session or recording, so that an open
/// player stays on its own timeline when the entry ends or begins anew.
pub fn multivariant(presentation: &Presentation, options: &Options) -> String {
    let mut out = String::with_capacity(1024);
    write_multivariant(&mut out, presentation, options).expect("a String takes everything");
    out
}

fn write_multivariant(out: &mut String, presentation: &Presentation, options: &Options) -> fmt::Result {
    let alive = |kind| presentation.renditions.iter().filter(move |r| r.kind == kind && r.alive());
    writeln!(out, "#EXTM3U\n#EXT-X-VERSION:{VERSION}")?;
    if presentation.renditions.iter().all(|rendition| rendition.independent) {
        writeln!(out, "#EXT-X-INDEPENDENT-SEGMENTS")?;
    }
    let uri = |rendition: &Rendition| Child { presentation, options, rendition: rendition.name.to_string() };
    let has_video = alive(Kind::Video).next().is_some();
    if !has_video {
        return alive(Kind::Audio).try_for_each(|audio| {
            stream_inf(out, &[audio], None, None)?;
            writeln!(out, "\n{}", uri(audio))
        });
    }
    let groups = groups::of(alive(Kind::Audio));
    for (group, name, audio) in groups.iter().flat_map(Group::named) {
        group.write_media(out, name, audio)?;
        writeln!(out, ",URI=\"{}\"", uri(audio))?;
    }
    let captions = ClosedCaptions::of(alive(Kind::Video).map(Arc::as_ref));
    captions.write_group(out)?;
    // Where nothing is brighter than television, nothing has to be said.
    let ranges = alive(Kind::Video).any(|video| range(video) != VideoRange::Sdr);
    for video in in_order(alive(Kind::Video).collect()) {
        // A variant for each group, because its codecs are those of its group; and one where there is none.
        let mut beside: Vec<Option<&Group<'_>>> = groups.iter().map(Some).collect();
        beside.resize(beside.len().max(1), None);
        for group in beside {
            let heaviest = group.and_then(Group::heaviest);
            let together: Vec<&Arc<Rendition>> = std::iter::once(video).chain(heaviest).collect();
            stream_inf(out, &together, group, ranges.then(|| range(video)))?;
            captions.write_attribute(out)?;
            writeln!(out, "\n{}", uri(video))?;
        }
    }
    Ok(())
}

fn range(video: &Rendition) -> VideoRange {
    let picture = video.init().and_then(|init| init.track.codec.picture());
    picture.map_or(VideoRange::Sdr, |picture| picture.range())
}

/// Players begin with the variant that is listed first: the one whose rate most networks bear, then the others from the
/// best down.
fn in_order(mut variants: Vec<&Arc<Rendition>>) -> Vec<&Arc<Rendition>> {
    const SENSIBLE: u64 = 2_000_000;
    // Equal rates stand in the order of appearance.
    variants.sort_by_key(|video| std::cmp::Reverse(video.bitrate.average));
    let off = |video: &&Arc<Rendition>| video.bitrate.average.abs_diff(SENSIBLE);
    if let Some(first) = (0..variants.len()).min_by_key(|&at| off(&variants[at])) {
        variants[..=first].rotate_right(1);
    }
    variants
}

/// EXT-X-STREAM-INF (RFC 8216bis §4.4.6.2) of renditions that play together, without the end of its line.
fn stream_inf(
    out: &mut String,
    renditions: &[&Arc<Rendition>],
    audio: Option<&Group<'_>>,
    range: Option<VideoRange>,
) -> fmt::Result {
    let sum = |rate: fn(&Rendition) -> u64| renditions.iter().map(|r| rate(r)).sum::<u64>();
    write!(out, "#EXT-X-STREAM-INF:BANDWIDTH={}", sum(|r| r.bitrate.peak))?;
    write!(out, ",AVERAGE-BANDWIDTH={}", sum(|r| r.bitrate.average))?;
    let inits = || renditions.iter().filter_map(|rendition| rendition.init());
    let codecs: Vec<String> = inits().map(|init| init.track.codec.rfc6381()).collect();
    write!(out, ",CODECS=\"{}\"", codecs.join(","))?;
    for init in inits() {
        if let Some(picture) = init.track.codec.picture() {
            let (width, height) = picture.display_size();
            write!(out, ",RESOLUTION={width}x{height}")?;
        }
    }
    for rate in renditions.iter().filter_map(|rendition| rendition.frame_rate) {
        write!(out, ",FRAME-RATE={:.3}", rate.per_second())?;
    }
    if let Some(range) = range {
        write!(out, ",VIDEO-RANGE={}", range.as_str())?;
    }
    if let Some(group) = audio {
        write!(out, ",AUDIO=\"{}\"", group.id)?;
    }
    Ok(())
}

/// The URI of a media playlist as the multivariant playlist names it.
struct Child<'a> {
    presentation: &'a Presentation,
    options: &'a Options,
    rendition: String,
}

impl fmt::Display for Child<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Resource::Playlist { rendition: self.rendition.clone() })?;
        f.write_str(&self.options.inherited(self.presentation))
    }
}
