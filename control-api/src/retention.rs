//! How much of what was recorded is kept, as an entry and an account say it.

use std::ops::RangeInclusive;
use std::time::Duration;

use catalog::Retention;

use crate::check::Check;

const AGE: RangeInclusive<Duration> = Duration::from_secs(3600)..=catalog::retention::LONGEST;
const COUNT: RangeInclusive<u32> = 1..=1_000_000;
const SIZE: RangeInclusive<u64> = 1 << 20..=1 << 50;

/// What of it is to be changed: of each member nothing, to be cleared, or a value.
pub(crate) struct Patch<'a> {
    pub(crate) age: &'a Option<Option<String>>,
    pub(crate) count: Option<Option<u32>>,
    pub(crate) size: Option<Option<u64>>,
}

impl Patch<'_> {
    /// Merges into what there is, below a member of the body. What cannot be is collected and left as it was.
    pub(crate) fn apply(&self, below: &str, keep: &mut Retention, check: &mut Check) {
        match self.age {
            None => {}
            Some(None) => keep.age = None,
            Some(Some(text)) => keep.age = check.length(&format!("{below}.keep_age"), text, AGE).or(keep.age),
        }
        if let Some(count) = within(self.count, &COUNT, &format!("{below}.keep_count"), check) {
            keep.count = count;
        }
        if let Some(size) = within(self.size, &SIZE, &format!("{below}.keep_size"), check) {
            keep.bytes = size;
        }
    }
}

fn within<T: PartialOrd + std::fmt::Display>(
    value: Option<Option<T>>,
    range: &RangeInclusive<T>,
    field: &str,
    check: &mut Check,
) -> Option<Option<T>> {
    let fits = value.as_ref().is_none_or(|value| value.as_ref().is_none_or(|it| range.contains(it)));
    check.ensure(fits, field, || format!("is not {} to {}", range.start(), range.end()));
    value.filter(|_| fits)
}
