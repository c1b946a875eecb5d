//! Media playlists (RFC 8216bis §4.4.3, §4.4.4).

use std::fmt::{self, Write};
use std::sync::Arc;

use super::VERSION;
use crate::manifest::Options;
use crate::names::Resource;
use crate::presentation::{Init, Presentation, Rendition, Segment};

/// The media playlist of a rendition of this presentation (RFC 8216bis §4.4.3).
pub fn media(_presentation: &Presentation, rendition: &Rendition, _options: &Options) -> String {
    let mut out = String::with_capacity(2048);
    write_media(&mut out, rendition).expect("a String takes everything");
    out
}

fn write_media(out: &mut String, rendition: &Rendition) -> fmt::Result {
    let session = &rendition.session;
    let listed: Vec<&Arc<Segment>> = rendition.window().collect();
    let first = listed.first();
    let burnt = first.zip(session.burnt).filter(|(first, burnt)| burnt + 1 == first.number);
    let sequence = first.map_or(0, |first| first.number) - u64::from(burnt.is_some());
    let discontinuities = first.map_or(0, |first| first.period.discontinuity);
    let discontinuities = discontinuities.saturating_sub(burnt.is_some().into());
    writeln!(out, "#EXTM3U\n#EXT-X-VERSION:{VERSION}")?;
    writeln!(out, "#EXT-X-TARGETDURATION:{}", session.target_duration)?;
    writeln!(out, "#EXT-X-MEDIA-SEQUENCE:{sequence}")?;
    writeln!(out, "#EXT-X-DISCONTINUITY-SEQUENCE:{discontinuities}")?;
    if rendition.independent {
        writeln!(out, "#EXT-X-INDEPENDENT-SEGMENTS")?;
    }
    if let Some((_, number)) = burnt {
        writeln!(out, "#EXT-X-GAP\n#EXTINF:{:.6},", f64::from(session.target_duration))?;
        writeln!(out, "{}\n#EXT-X-DISCONTINUITY", segment_uri(rendition, number))?;
    }
    write_segments(out, rendition, &listed)?;
    if rendition.ended {
        writeln!(out, "#EXT-X-ENDLIST")?;
    }
    Ok(())
}

fn write_segments(out: &mut String, rendition: &Rendition, listed: &[&Arc<Segment>]) -> fmt::Result {
    let mut previous: Option<&Segment> = None;
    let mut map: Option<&Arc<Init>> = None;
    for segment in listed {
        let same_period = previous.map(|previous| previous.period.number == segment.period.number);
        if same_period == Some(false) {
            writeln!(out, "#EXT-X-DISCONTINUITY")?;
        }
        if let Some(init) = segment.init().filter(|init| map.is_none_or(|map| !Arc::ptr_eq(map, init))) {
            let uri = Resource::Init { rendition: rendition.name.to_string(), period: init.period };
            writeln!(out, "#EXT-X-MAP:URI=\"{uri}\"")?;
            map = Some(init);
        }
        if same_period != Some(true) {
            writeln!(out, "#EXT-X-PROGRAM-DATE-TIME:{}", segment.wall_time())?;
        }
        if segment.is_gap() {
            writeln!(out, "#EXT-X-GAP")?;
        }
        writeln!(out, "#EXTINF:{:.6},", segment.span().seconds())?;
        writeln!(out, "{}", segment_uri(rendition, segment.number))?;
        previous = Some(segment);
    }
    Ok(())
}

fn segment_uri(rendition: &Rendition, number: u64) -> Resource {
    Resource::Segment { rendition: rendition.name.to_string(), number }
}
