//! What is wrong with a request, all of it at once.

use std::ops::RangeInclusive;
use std::time::Duration;

use media::WallTime;

use crate::problem::{FieldError, Problem};
use crate::{length, times};

/// Collects what is wrong.
#[derive(Default, Debug)]
pub(crate) struct Check(Vec<FieldError>);

impl Check {
    /// That something is so; else what is wrong with a field.
    pub(crate) fn ensure(&mut self, so: bool, field: &str, problem: impl FnOnce() -> String) {
        if !so {
            self.wrong(field, problem());
        }
    }

    pub(crate) fn wrong(&mut self, field: &str, problem: impl Into<String>) {
        self.0.push(FieldError { field: field.to_owned(), problem: problem.into() });
    }

    /// A text of at most so many characters, without NUL.
    pub(crate) fn text(&mut self, field: &str, text: &str, most: usize) {
        self.ensure(text.chars().count() <= most, field, || format!("is longer than {most} characters"));
        self.ensure(!text.contains('\0'), field, || "has a NUL character in it".to_owned());
    }

    /// The same, and there must be something in it.
    pub(crate) fn named(&mut self, field: &str, text: &str, most: usize) {
        self.ensure(!text.trim().is_empty(), field, || "is empty".to_owned());
        self.text(field, text, most);
    }

    /// A length of time within a range.
    pub(crate) fn length(
        &mut self,
        field: &str,
        text: &str,
        range: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        let parsed = length::parse(text).filter(|length| range.contains(length));
        let (least, most) = (length::format(*range.start()), length::format(*range.end()));
        self.ensure(parsed.is_some(), field, || {
            format!("is not a length of {least} to {most}, written like 2s")
        });
        parsed
    }

    /// A point of time.
    pub(crate) fn time(&mut self, field: &str, text: &str) -> Option<WallTime> {
        times::parse(text).map_err(|problem| self.wrong(field, problem)).ok()
    }

    /// Nothing was wrong, or everything that was.
    pub(crate) fn done(self) -> Result<(), Problem> {
        if self.0.is_empty() { Ok(()) } else { Err(Problem::invalid(self.0)) }
    }
}
