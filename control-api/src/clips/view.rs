//! What a clip looks like when it was cut.

use catalog::clips::Range;
use catalog::{Entry, EntryId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::base::Base;
use crate::entries::EntryView;

/// An entry that was cut out of a recording.
#[derive(Serialize, ToSchema)]
#[schema(as = Clip)]
pub(super) struct ClipView {
    #[serde(flatten)]
    entry: EntryView,
    /// What it shows.
    clip: CutView,
}

/// What a clip shows.
#[derive(Serialize, ToSchema)]
#[schema(as = ClipContents)]
struct CutView {
    /// The entry that it was cut of.
    source: String,
    /// How long it is, in seconds.
    duration: f64,
    /// Stretches of recordings, as they became: cut at segments.
    ranges: Vec<RangeView>,
}

/// A stretch of a recording.
#[derive(Serialize, ToSchema)]
#[schema(as = ClipRange)]
struct RangeView {
    /// Which recording.
    recording: String,
    /// Where it begins, in seconds since the start of the recording.
    start: f64,
    /// Where it ends.
    end: f64,
}

impl ClipView {
    pub(super) fn new(base: &Base, source: &EntryId, entry: &Entry, ranges: &[Range]) -> ClipView {
        let micros: i64 = ranges.iter().map(|range| range.end - range.start).sum();
        let clip = CutView {
            source: source.to_string(),
            duration: seconds(micros),
            ranges: ranges.iter().map(RangeView::new).collect(),
        };
        ClipView { entry: EntryView::new(entry, None, base), clip }
    }
}

impl RangeView {
    fn new(range: &Range) -> RangeView {
        RangeView {
            recording: range.recording.to_string(),
            start: seconds(range.start),
            end: seconds(range.end),
        }
    }
}

fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}
