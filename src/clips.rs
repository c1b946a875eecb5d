//! What clips are made of, for playback: from the catalog's view in memory.

use std::path::Path;
use std::sync::Arc;

use archive::files::Disk;
use catalog::clips::{Clip, Range};
use catalog::{Catalog, Keys};
use vod::{ClipPart, Library, WithClips};

/// Bytes of what is known of clips that are kept in memory.
const CACHE: u64 = 64 << 20;

/// Clips of recordings below `root`, beside everything else that is shown.
pub(crate) fn beside(library: Library, catalog: &Catalog, root: &Path) -> WithClips {
    let clips = Clips(catalog.keys().clone());
    WithClips::new(Arc::new(library), Arc::new(clips), Arc::new(Disk), root, CACHE)
}

/// The clips of a catalog.
struct Clips(Keys);

impl vod::Clips for Clips {
    fn of(&self, entry: &str) -> Option<Vec<ClipPart>> {
        self.0.clip(entry).map(|clip| parts(&clip))
    }
}

/// A part for each run of ranges of one recording.
fn parts(clip: &Clip) -> Vec<ClipPart> {
    let runs = clip.ranges.chunk_by(|one, other| one.recording == other.recording);
    let part = |run: &[Range]| ClipPart {
        recording: Arc::from(format!("{}/{}", clip.source, run[0].recording)),
        ranges: run.iter().map(|range| range.first..=range.last).collect(),
    };
    runs.map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use catalog::{EntryId, RecordingId};

    #[test]
    fn ranges_of_one_recording_are_one_part() {
        let range = |id: &str, first| Range {
            recording: RecordingId::parse(id).expect("an id"),
            first,
            last: first + 1,
            start: 0,
            end: 1,
        };
        let ranges = vec![range("rec_00000001", 3), range("rec_00000001", 9), range("rec_00000002", 20)];
        let source = EntryId::parse("0_k3x9p2ab").expect("an id");
        let parts = parts(&Clip { source, ranges, access: Arc::default() });
        let shown: Vec<_> = parts.iter().map(|it| (&*it.recording, it.ranges.clone())).collect();
        let expected =
            [("0_k3x9p2ab/rec_00000001", vec![3..=4, 9..=10]), ("0_k3x9p2ab/rec_00000002", vec![20..=21])];
        assert_eq!(shown, expected);
    }
}
