//! Whether what is to be stored can be: lengths, and what a database cannot hold.

use std::time::Duration;

use access::{Form, Rules};
use serde_json::Value;

use crate::entry::{self, Details, Kind, LiveSettings};
use crate::error::Error;

/// A text of at most so many characters. NUL is refused: PostgreSQL does not store it.
pub(crate) fn text(field: &'static str, text: &str, most: usize) -> Result<(), Error> {
    if text.chars().count() > most {
        return Err(Error::invalid(field, format!("is longer than {most} characters")));
    }
    if text.contains('\0') {
        return Err(Error::invalid(field, "has a NUL character in it"));
    }
    Ok(())
}

/// The same, and there must be something in it.
pub(crate) fn named(field: &'static str, name: &str, most: usize) -> Result<(), Error> {
    if name.trim().is_empty() {
        return Err(Error::invalid(field, "is empty"));
    }
    text(field, name, most)
}

/// JSON text of at most so many bytes.
pub(crate) fn json(field: &'static str, value: &Value, most: usize) -> Result<String, Error> {
    let text = value.to_string();
    if text.len() > most {
        return Err(Error::invalid(field, format!("is larger than {most} bytes of JSON")));
    }
    Ok(text)
}

/// A number that the databases hold as a signed one.
pub(crate) fn count(field: &'static str, number: u64) -> Result<i64, Error> {
    i64::try_from(number).map_err(|_| Error::invalid(field, format!("is larger than {}", i64::MAX)))
}

/// Details as they are stored: tags sorted and each once.
pub(crate) fn details(kind: Kind, mut details: Details) -> Result<Details, Error> {
    named("name", &details.name, entry::NAME)?;
    text("description", &details.description, entry::DESCRIPTION)?;
    if let Some(owner) = &details.owner {
        text("owner", owner, entry::OWNER)?;
    }
    json("metadata", &Value::Object(details.metadata.clone()), entry::METADATA)?;
    details.tags.sort_unstable();
    details.tags.dedup();
    tags(&details.tags)?;
    access(&details.access)?;
    live(kind, &details.live)?;
    Ok(details)
}

fn tags(tags: &[String]) -> Result<(), Error> {
    if tags.len() > entry::TAGS {
        return Err(Error::invalid("tags", format!("are more than {}", entry::TAGS)));
    }
    tags.iter().try_for_each(|tag| named("tags", tag, entry::TAG))
}

/// Rules are whatever can be written: their fields are not bound to it.
fn access(rules: &Rules) -> Result<(), Error> {
    Rules::read(&Form::from(rules)).map_err(|invalid| Error::invalid("access", invalid.to_string())).map(drop)
}

fn live(kind: Kind, live: &LiveSettings) -> Result<(), Error> {
    if kind == Kind::Vod && *live != LiveSettings::default() {
        return Err(Error::invalid("live", "a VOD entry has no settings for live"));
    }
    live.lengths().into_iter().try_for_each(|(name, length)| length.map_or(Ok(()), |it| span(name, it)))?;
    live.keep.check()?;
    match (live.starts_at, live.ends_at) {
        (Some(start), Some(end)) if end <= start => Err(Error::invalid("ends_at", "is not after starts_at")),
        _ => Ok(()),
    }
}

fn span(field: &'static str, length: Duration) -> Result<(), Error> {
    let whole = length.subsec_nanos().is_multiple_of(1_000_000);
    if whole && !length.is_zero() && length <= entry::LONGEST {
        return Ok(());
    }
    Err(Error::invalid(field, "is not 1 ms to 30 days in whole milliseconds"))
}

/// The same for a smaller column.
pub(crate) fn small_count(field: &'static str, number: u32) -> Result<i32, Error> {
    i32::try_from(number).map_err(|_| Error::invalid(field, format!("is larger than {}", i32::MAX)))
}

/// Whether a thing still has the version that its caller has seen.
pub(crate) fn version(expected: Option<u64>, current: u64) -> Result<(), Error> {
    match expected {
        Some(expected) if expected != current => Err(Error::Stale { current }),
        _ => Ok(()),
    }
}
