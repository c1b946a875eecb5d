//! When the segments of a recording were on air, by the clock on the wall.

use std::collections::BTreeMap;

use container::mp4::parse_init;
use media::{MediaTime, Timescale, WallTime};

use crate::contents::{Contents, Entry, Gap, Place};

/// When the segments of a recording were on air, by number: those that any rendition has.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Times(BTreeMap<u64, (WallTime, WallTime)>);

impl Times {
    /// Of all segments. What lies in a period that the index does not know has no time.
    pub fn of(contents: &Contents) -> Times {
        let scale = |init: &_| parse_init(init).ok().map(|track| track.timescale);
        let scales: Vec<Option<Timescale>> = contents.files.iter().map(|file| scale(&file.init)).collect();
        let mut times = Times::default();
        for entry in contents.renditions.iter().flat_map(|rendition| &rendition.segments) {
            if let Some(span) = span(contents, &scales, entry) {
                times.see(entry.number, span);
            }
        }
        times
    }

    /// Since when and until when segments are missing, as their neighbours and other renditions tell.
    pub fn of_gap(&self, gap: &Gap) -> (Option<WallTime>, Option<WallTime>) {
        let first = self.0.get(&gap.first).map(|(start, _)| *start);
        let last = self.0.get(&gap.last).map(|(_, end)| *end);
        let before = || self.0.range(..gap.first).next_back().map(|(_, (_, end))| *end);
        let behind = || self.0.range(gap.last.saturating_add(1)..).next().map(|(_, (start, _))| *start);
        (first.or_else(before), last.or_else(behind))
    }

    fn see(&mut self, number: u64, (start, end): (WallTime, WallTime)) {
        let known = self.0.entry(number).or_insert((start, end));
        *known = (known.0.min(start), known.1.max(end));
    }
}

fn span(contents: &Contents, scales: &[Option<Timescale>], entry: &Entry) -> Option<(WallTime, WallTime)> {
    let (period, scale) = match entry.place {
        Place::Stored { file, .. } => {
            (contents.files.get(file as usize)?.period, (*scales.get(file as usize)?)?)
        }
        Place::Silence { period, timescale } => (period, timescale),
    };
    let zero = contents.periods.get(&period)?.start;
    let at = |ticks| zero.plus(MediaTime::new(ticks, scale));
    Some((at(entry.start), at(entry.start.saturating_add(entry.duration))))
}
