//! Media playlists (RFC 8216bis §4.4.3, §4.4.4), whole or as delta updates (§6.2.5.1).

use std::fmt::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use media::{MediaTime, WallTime};

use super::shown::Shown;
use super::text::{listed_uri, seconds, seconds_beyond, segment_uri};
use super::{edge, low_latency};
use crate::manifest::Options;
use crate::names::Resource;
use crate::presentation::{Init, Period, Presentation, Rendition, Segment};

/// EXT-X-GAP asks for version 8, EXT-X-SKIP for 9 (RFC 8216bis §8).
const VERSION: u32 = 8;
const VERSION_WITH_SKIP: u32 = 9;

/// The media playlist of a rendition of this presentation (RFC 8216bis §4.4.3).
pub fn media(presentation: &Presentation, rendition: &Rendition, options: &Options) -> String {
    let low_latency = edge::applies(rendition, options.low_latency);
    let shown = Shown::of(rendition, low_latency && options.skip);
    // About what a segment takes, and the rest.
    let mut out = String::with_capacity(shown.segments.len() * 64 + 4096);
    let ahead = options.low_latency && rendition.session.low_latency;
    let mut writer =
        Writer { out: &mut out, rendition, low_latency, ahead, period: None, begun: false, map: None };
    writer.write(presentation, &shown, options).expect("a String takes everything");
    out
}

struct Writer<'a> {
    out: &'a mut String,
    rendition: &'a Rendition,
    low_latency: bool,
    /// Whether it lists parts at any time, after which durations must not change (RFC 8216bis §6.2.1).
    ahead: bool,
    /// Of what was written or left out last: P and its place among all.
    period: Option<(u64, u64)>,
    /// Whether a segment was written.
    begun: bool,
    /// Whose initialization segment holds.
    map: Option<u64>,
}

impl Writer<'_> {
    fn write(&mut self, presentation: &Presentation, shown: &Shown<'_>, options: &Options) -> fmt::Result {
        self.header(shown, options)?;
        self.beginning(shown)?;
        for segment in &shown.segments {
            self.segment(segment, self.low_latency && segment.number >= shown.parts_from)?;
        }
        if self.low_latency {
            self.open()?;
            low_latency::hints(self.out, presentation, self.rendition)?;
            low_latency::reports(self.out, presentation, self.rendition, options)?;
        }
        if self.rendition.ended {
            writeln!(self.out, "#EXT-X-ENDLIST")?;
        }
        Ok(())
    }

    fn header(&mut self, shown: &Shown<'_>, options: &Options) -> fmt::Result {
        let session = &self.rendition.session;
        let version = if shown.skipped.is_some() { VERSION_WITH_SKIP } else { VERSION };
        writeln!(self.out, "#EXTM3U\n#EXT-X-VERSION:{version}")?;
        writeln!(self.out, "#EXT-X-TARGETDURATION:{}", session.target_duration)?;
        if self.low_latency {
            low_latency::header(self.out, session)?;
        }
        writeln!(self.out, "#EXT-X-MEDIA-SEQUENCE:{}", shown.sequence)?;
        writeln!(self.out, "#EXT-X-DISCONTINUITY-SEQUENCE:{}", shown.discontinuity)?;
        if let Some(kind) = options.window.and_then(|window| window.playlist_type(options.pinned)) {
            writeln!(self.out, "#EXT-X-PLAYLIST-TYPE:{kind}")?;
        }
        if self.rendition.independent {
            writeln!(self.out, "#EXT-X-INDEPENDENT-SEGMENTS")?;
        }
        Ok(())
    }

    /// What stands for the segments before those that are shown.
    fn beginning(&mut self, shown: &Shown<'_>) -> fmt::Result {
        if let Some(skipped) = shown.skipped {
            self.period = Some(timeline(&skipped.period));
            writeln!(self.out, "#EXT-X-SKIP:SKIPPED-SEGMENTS={}", shown.skipped_segments())?;
        } else if let Some(number) = shown.burnt {
            let duration = f64::from(self.rendition.session.target_duration);
            writeln!(self.out, "#EXT-X-GAP\n#EXTINF:{duration:.6},")?;
            segment_uri(self.out, self.rendition, number);
            writeln!(self.out, "\n#EXT-X-DISCONTINUITY")?;
        }
        Ok(())
    }

    fn segment(&mut self, segment: &Segment, parts: bool) -> fmt::Result {
        self.state(&segment.period, segment.init(), || segment.wall_time())?;
        if parts {
            low_latency::parts(self.out, self.rendition, segment)?;
        }
        if segment.is_gap() {
            self.out.push_str("#EXT-X-GAP\n");
        }
        self.out.push_str("#EXTINF:");
        match self.ahead {
            true => seconds_beyond(self.out, segment.span(), Duration::MAX),
            false => seconds(self.out, segment.span()),
        }
        self.out.push_str(",\n");
        listed_uri(self.out, self.rendition, segment);
        self.out.push('\n');
        Ok(())
    }

    /// The parts behind the last segment.
    fn open(&mut self) -> fmt::Result {
        let Some(open) = &self.rendition.open else { return Ok(()) };
        let Some(first) = edge::open_parts(self.rendition).first() else { return Ok(()) };
        let start = MediaTime::new(first.start, open.init.track.timescale);
        self.state(&open.period, Some(&open.init), || open.period.start.plus(start))?;
        low_latency::open_parts(self.out, self.rendition)
    }

    /// What holds from the next segment on, where that is news: to who has what was left out, all of it is repeated.
    fn state(
        &mut self,
        period: &Period,
        init: Option<&Arc<Init>>,
        begins: impl FnOnce() -> WallTime,
    ) -> fmt::Result {
        let news = self.period != Some(timeline(period));
        if news && self.period.is_some() {
            writeln!(self.out, "#EXT-X-DISCONTINUITY")?;
        }
        if let Some(init) = init.filter(|init| self.map != Some(init.period)) {
            let uri = Resource::Init { rendition: self.rendition.name.to_string(), period: init.period };
            writeln!(self.out, "#EXT-X-MAP:URI=\"{uri}\"")?;
            self.map = Some(init.period);
        }
        if news || !self.begun {
            writeln!(self.out, "#EXT-X-PROGRAM-DATE-TIME:{}", begins())?;
        }
        (self.period, self.begun) = (Some(timeline(period)), true);
        Ok(())
    }
}

/// What tells a period from any other: a clip may have two stretches of one.
fn timeline(period: &Period) -> (u64, u64) {
    (period.number, period.discontinuity)
}
