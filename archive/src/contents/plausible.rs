//! What a record can say at all. A checksum vouches for what was written, not for who wrote it.

use container::index::Record;

/// Numbers, places and times are below this; adding a few of them never overflows.
const LARGE: u64 = 1 << 53;
/// A gap of more segments is none.
const LONGEST_GAP: u64 = 10_000_000;

/// Whether a record can have been written by us: what comes after may calculate with its numbers.
pub(super) fn is_plausible(record: &Record) -> bool {
    let small = |number: u64| number < LARGE;
    let near = |ticks: i64| ticks.unsigned_abs() < LARGE;
    match record {
        Record::Session { id, .. } | Record::End { session: id } => small(*id),
        Record::Period { number, discontinuity, start, elapsed } => {
            small(*number) && small(*discontinuity) && near(*start) && small(*elapsed)
        }
        Record::Span { period, first, start, .. } => small(*period) && small(*first) && near(*start),
        Record::File { period, first, .. } => small(*period) && small(*first),
        Record::Part { number, offset, len, start, duration, .. } => {
            small(*number) && small(*offset) && small(*len) && near(*start) && near(*duration)
        }
        Record::Segment { number, offset, len, start, duration, media, .. } => {
            let times = [start, duration, media].into_iter().all(|ticks| near(*ticks));
            small(*number) && small(*offset) && small(*len) && times
        }
        Record::Silence { number, period, start, duration, .. } => {
            small(*number) && small(*period) && near(*start) && near(*duration)
        }
        Record::Gap { first, last, .. } => first <= last && small(*last) && last - first < LONGEST_GAP,
        Record::Closed { period } => small(*period),
        _ => true,
    }
}
