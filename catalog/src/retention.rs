//! How much of what was recorded is kept.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::check;
use crate::error::Error;

/// Longest that recordings are kept by age: ten years.
pub const LONGEST: Duration = Duration::from_secs(3650 * 86_400);

/// How much of what was recorded is kept. Whoever cleans up holds entries and accounts to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Retention {
    /// So long after a recording's end, in whole milliseconds; at most [`LONGEST`].
    pub age: Option<Duration>,
    /// So many recordings.
    pub count: Option<u32>,
    /// So many bytes of recordings.
    pub bytes: Option<u64>,
}

/// The columns of it: milliseconds, a number, bytes.
pub(crate) type Columns = (Option<i64>, Option<i64>, Option<i64>);

impl Retention {
    pub(crate) fn stored((age, count, bytes): Columns) -> Retention {
        let number = |column: Option<i64>| column.and_then(|it| u64::try_from(it).ok());
        Retention {
            age: number(age).map(Duration::from_millis),
            count: number(count).and_then(|it| u32::try_from(it).ok()),
            bytes: number(bytes),
        }
    }

    pub(crate) fn columns(&self) -> Columns {
        let millis = self.age.and_then(|age| i64::try_from(age.as_millis()).ok());
        (millis, self.count.map(i64::from), self.bytes.and_then(|it| i64::try_from(it).ok()))
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        let whole = |age: Duration| age.subsec_nanos().is_multiple_of(1_000_000) && !age.is_zero();
        if self.age.is_some_and(|age| !whole(age) || age > LONGEST) {
            return Err(Error::invalid("keep_age", "is not 1 ms to 3650 days in whole milliseconds"));
        }
        self.bytes.map(|bytes| check::count("keep_size", bytes)).transpose().map(drop)
    }

    pub(crate) fn summary(&self, into: &mut Map<String, Value>) {
        let (age, count, bytes) = self.columns();
        into.insert("keep_age".to_owned(), json!(age));
        into.insert("keep_count".to_owned(), json!(count));
        into.insert("keep_size".to_owned(), json!(bytes));
    }
}
