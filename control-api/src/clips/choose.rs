//! Which recordings stretches of time are of, and what they are beside each other.

use catalog::RecordingId;
use catalog::clips::Range;
use catalog::recordings::{Recording, RecordingState};
use packager::window::{Asked, At};

use super::Wanted;
use crate::clipper::{Cut, Source};
use crate::problem::Problem;

/// A recording is noted a moment after its first picture, in microseconds.
const NOTED_LATE: i64 = 5_000_000;

/// A stretch with the recording that it is of.
pub(super) struct Chosen<'a> {
    pub(super) field: String,
    pub(super) recording: &'a Recording,
    pub(super) asked: Asked,
}

/// Finds the recording of each.
pub(super) fn choose(recordings: &[Recording], wanted: Vec<Wanted>) -> Result<Vec<Chosen<'_>>, Problem> {
    let newest = recordings.last().ok_or_else(|| Problem::conflict("the entry has no recording"))?;
    let chosen = |Wanted { field, recording, asked }: Wanted| {
        let recording = match recording {
            Some(id) => recordings.iter().find(|it| it.id == id).ok_or_else(|| {
                Problem::invalid_field(format!("{field}recording"), "is no recording of this entry")
            })?,
            None => asked.start.or(asked.end).map_or(newest, |at| around(recordings, at).unwrap_or(newest)),
        };
        Ok(Chosen { field, recording, asked })
    };
    wanted.into_iter().map(chosen).collect()
}

/// The one in which a time lies, or the last one before it.
fn around(recordings: &[Recording], at: At) -> Option<&Recording> {
    let At::Wall(at) = at else { return None };
    let went_on = |it: &&Recording| it.progress.ended.is_none_or(|ended| ended.micros() >= at);
    let began = |it: &&Recording, late| it.started.micros() <= at.saturating_add(late);
    let begun = || recordings.iter().rev().filter(|it| began(it, NOTED_LATE));
    let within = recordings.iter().rev().filter(|it| began(it, 0)).find(went_on);
    within.or_else(|| begun().next()).or_else(|| recordings.first())
}

/// The stretches as ranges that follow each other. A segment in which one ends and the next begins is shown once.
pub(super) fn laid_out(found: Vec<(String, RecordingId, Cut)>) -> Result<Vec<Range>, Problem> {
    let mut ranges: Vec<Range> = Vec::with_capacity(found.len());
    for (field, recording, mut cut) in found {
        if let Some(before) = ranges.last() {
            if cut.first < before.last {
                return Err(Problem::invalid_field(
                    format!("{field}start"),
                    "lies before the end of the range before it",
                ));
            }
            if cut.last == before.last {
                continue;
            }
            if cut.first == before.last {
                (cut.first, cut.start) = (before.last + 1, before.end);
            }
        }
        let Cut { first, last, start, end } = cut;
        ranges.push(Range { recording, first, last, start, end });
    }
    Ok(ranges)
}

impl<'a> Source<'a> {
    /// A recording as the catalog knows it.
    pub(super) fn of(recording: &'a Recording) -> Source<'a> {
        let grows = recording.progress.state == RecordingState::Open;
        Source { entry: &recording.entry, recording: &recording.id, grows }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use catalog::EntryId;
    use catalog::recordings::Progress;
    use media::WallTime;

    fn recording(id: &str, started: i64, ended: Option<i64>) -> Recording {
        let state = if ended.is_some() { RecordingState::Finished } else { RecordingState::Open };
        Recording {
            id: RecordingId::parse(id).expect("an id"),
            entry: EntryId::parse("0_k3x9p2ab").expect("an id"),
            session: 1,
            progress: Progress { state, ended: ended.map(seconds), bytes: 0 },
            started: seconds(started),
            protected: false,
        }
    }

    fn seconds(seconds: i64) -> WallTime {
        WallTime::from_millis(seconds * 1000)
    }

    #[test]
    fn a_time_is_looked_for_in_the_recording_that_was_made_then() {
        let recordings = [recording("rec_00000001", 100, Some(200)), recording("rec_00000002", 203, None)];
        for (at, expected) in [
            (At::Wall(150_000_000), "rec_00000001"),
            (At::Wall(199_000_000), "rec_00000001"),
            (At::Wall(202_000_000), "rec_00000002"),
            (At::Wall(300_000_000), "rec_00000002"),
            (At::Wall(1_000_000), "rec_00000001"),
            (At::Since(0), "rec_00000002"),
            (At::Back(10), "rec_00000002"),
        ] {
            let asked = Asked { start: Some(at), end: None };
            let wanted = Wanted { field: String::new(), recording: None, asked };
            let chosen = choose(&recordings, vec![wanted]).expect("chosen");
            assert_eq!(chosen[0].recording.id.as_str(), expected, "{at:?}");
        }
    }

    #[test]
    fn a_segment_in_which_two_ranges_meet_is_shown_once() {
        let id = || RecordingId::parse("rec_00000001").expect("an id");
        let cut = |first, last| Cut { first, last, start: first as i64 * 2, end: last as i64 * 2 + 2 };
        let laid = |cuts: &[(u64, u64)]| {
            let found = cuts.iter().map(|&(first, last)| ("ranges[1].".to_owned(), id(), cut(first, last)));
            let ranges = laid_out(found.collect()).ok()?;
            Some(ranges.iter().map(|it| (it.first, it.last, it.start, it.end)).collect::<Vec<_>>())
        };
        assert_eq!(laid(&[(1, 3), (3, 5)]), Some(vec![(1, 3, 2, 8), (4, 5, 8, 12)]));
        assert_eq!(laid(&[(1, 3), (3, 3), (7, 8)]), Some(vec![(1, 3, 2, 8), (7, 8, 14, 18)]));
        assert_eq!(laid(&[(4, 6), (1, 2)]), None, "back in time");
        assert_eq!(laid(&[(4, 6), (5, 9)]), None, "over one another");
    }
}
