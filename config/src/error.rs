//! What is wrong with a configuration: where, which key, what, and what would be right.

use std::fmt;
use std::sync::Arc;

/// Where a setting stands.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Place {
    /// In a document.
    File {
        /// Its name, as the caller gave it.
        name: Arc<str>,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
    },
    /// In an environment variable of this name.
    Environment(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File { name, line, column } => write!(f, "{name}:{line}:{column}"),
            Place::Environment(variable) => write!(f, "environment variable {variable}"),
        }
    }
}

/// One thing that is wrong. Never carries a stream key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, thiserror::Error)]
#[error("{place}: {key}: {wrong}; {right}")]
pub struct Error {
    /// Where it stands.
    pub place: Place,
    /// Which key, as `section.key`; `syntax` when the document is not TOML there.
    pub key: String,
    /// What is wrong.
    pub wrong: String,
    /// What would be right.
    pub right: String,
}

/// Everything that is wrong, in the order of the document and then of the variables; at least one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Errors(Vec<Error>);

impl Errors {
    /// Sorted and without repetitions; `None` when nothing is wrong.
    pub(crate) fn new(mut errors: Vec<Error>) -> Option<Errors> {
        errors.sort();
        errors.dedup();
        (!errors.is_empty()).then_some(Errors(errors))
    }

    /// One by one.
    pub fn iter(&self) -> impl Iterator<Item = &Error> {
        self.0.iter()
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(Error::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for Errors {}
