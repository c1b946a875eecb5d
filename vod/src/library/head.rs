//! Where a recording begins, read from the beginning of its index: enough to tell which recording has a number, without
//! reading any of them whole.

use std::path::Path;

use archive::files::Files;
use archive::layout::INDEX;
use container::index::{Item, Reader, Record};

/// Bytes of an index that are read, and more where these are not enough.
const STEPS: [usize; 2] = [64 << 10, 8 << 20];

/// The least numbers that a recording has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Head {
    /// What names its first session.
    pub(super) session: u64,
    /// P of its first period.
    pub(super) period: u64,
    /// N of its first segment.
    pub(super) segment: u64,
    /// Wall time of its first period, in microseconds.
    pub(super) start: i64,
}

impl Head {
    /// Reads that of the recording in `folder`; `None` where there is nothing in it yet, or nothing that can be read.
    pub(super) fn read(files: &dyn Files, folder: &Path) -> Option<Head> {
        let path = folder.join(INDEX);
        STEPS.iter().find_map(|&len| Head::of(&files.read(&path, 0, len).ok()?))
    }

    fn of(bytes: &[u8]) -> Option<Head> {
        let (mut session, mut period, mut segment) = (None, None, None);
        for item in Reader::new(bytes).ok()? {
            match item {
                Item::Record(Record::Session { id, .. }) => session = session.or(Some(id)),
                Item::Record(Record::Period { number, start, .. }) => {
                    period = period.or(Some((number, start)));
                }
                Item::Record(Record::File { first, .. }) => segment = segment.or(Some(first)),
                _ => {}
            }
            if let (Some(session), Some((period, start)), Some(segment)) = (session, period, segment) {
                return Some(Head { session, period, segment, start });
            }
        }
        None
    }
}
