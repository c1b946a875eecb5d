//! `[[streams]]`: live entries that need no API, and the rules for entry ids and stream keys.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::error::{Error, Place};
use crate::reader::{Reader, suggestion};
use crate::sections::{LiveEntry, Secret, StreamKey};
use crate::tree::{Node, Table};
use crate::value::Value;

pub(crate) const ENTRY: &str = "1 to 64 of a-z 0-9 _ -, beginning with a letter or a digit";
const KEY: &str = "1 to 128 of A-Z a-z 0-9 _ -";
const PASSPHRASE: &str = "10 to 79 bytes";

/// Splits a published name at its last `_` into key and rendition (`[a-z0-9]+`); `None` when it does not split.
/// A name that is a key itself is never split: try that first.
pub fn split_rendition(name: &str) -> Option<(&str, &str)> {
    let (key, rendition) = name.rsplit_once('_')?;
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (!key.is_empty() && !rendition.is_empty() && rendition.chars().all(legal)).then_some((key, rendition))
}

pub(crate) fn read(reader: &mut Reader) -> Vec<LiveEntry> {
    let mut known = Known::default();
    let mut entries = Vec::new();
    for table in std::mem::take(&mut reader.tree.streams) {
        entries.extend(one(table, &mut known, &mut reader.errors));
    }
    reader.errors.extend(known.ambiguous());
    entries
}

/// Where each entry and each key was seen first.
#[derive(Default)]
struct Known {
    entries: BTreeMap<String, Place>,
    keys: BTreeMap<String, Place>,
}

impl Known {
    /// Keys that another key followed by a rendition spells too.
    fn ambiguous(&self) -> Vec<Error> {
        let shorter = |key: &str| split_rendition(key).and_then(|(key, _)| self.keys.get(key));
        let both = self.keys.iter().filter_map(|(key, place)| Some((place, shorter(key)?)));
        let error = |(place, other): (&Place, &Place)| Error {
            place: place.clone(),
            key: "streams.key".to_owned(),
            wrong: format!("is also the key at {other} followed by a rendition"),
            right: "choose a key without that beginning, or with other than a-z 0-9 after its last _"
                .to_owned(),
        };
        both.map(error).collect()
    }
}

fn one(mut table: Table, known: &mut Known, errors: &mut Vec<Error>) -> Option<LiveEntry> {
    let entry = word(&mut table, "streams", "entry", ENTRY, is_entry_id, errors);
    let key = word(&mut table, "streams", "key", KEY, is_stream_key, errors);
    let passphrase = match table.nodes.contains_key("passphrase") {
        true => Some(word(&mut table, "streams", "passphrase", PASSPHRASE, is_passphrase, errors)?),
        false => None,
    };
    errors.extend(table.nodes.into_iter().map(|(key, node)| unknown(&key, node.place)));
    let fresh_entry = entry.as_ref().is_none_or(|it| first("streams.entry", it, &mut known.entries, errors));
    let fresh_key = key.as_ref().is_none_or(|it| first("streams.key", it, &mut known.keys, errors));
    let (entry, key) = (entry?.0, StreamKey::new(key?.0));
    (fresh_entry && fresh_key).then_some(LiveEntry {
        entry,
        key,
        passphrase: passphrase.map(|(text, _)| Secret::new(text)),
    })
}

/// A text that keeps a rule. The value itself is in no error: it may be a key.
pub(crate) fn word(
    table: &mut Table,
    list: &str,
    key: &str,
    accepts: &str,
    legal: fn(&str) -> bool,
    errors: &mut Vec<Error>,
) -> Option<(String, Place)> {
    let (place, wrong) = match table.nodes.remove(key) {
        None => (table.place.clone(), "is missing"),
        Some(Node { place, value: Value::Text(text) }) if legal(&text) => return Some((text, place)),
        Some(Node { place, value: Value::Text(_) }) => {
            (place, "has characters or a length that are not allowed")
        }
        Some(Node { place, .. }) => (place, "is not a string"),
    };
    let right = format!("use {accepts}, in quotes");
    errors.push(Error { place, key: format!("{list}.{key}"), wrong: wrong.to_owned(), right });
    None
}

fn first(
    path: &str,
    (text, place): &(String, Place),
    seen: &mut BTreeMap<String, Place>,
    errors: &mut Vec<Error>,
) -> bool {
    match seen.entry(text.clone()) {
        Entry::Vacant(free) => {
            free.insert(place.clone());
            true
        }
        Entry::Occupied(taken) => {
            let wrong = format!("is the same as at {}", taken.get());
            let right = "give each its own".to_owned();
            errors.push(Error { place: place.clone(), key: path.to_owned(), wrong, right });
            false
        }
    }
}

fn unknown(key: &str, place: Place) -> Error {
    let right = suggestion(key, &["entry", "key", "passphrase"]);
    Error { place, key: format!("streams.{key}"), wrong: "unknown key".to_owned(), right }
}

pub(crate) fn is_entry_id(id: &str) -> bool {
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    (1..=64).contains(&id.len()) && id.chars().all(legal) && !id.starts_with(['_', '-'])
}

fn is_passphrase(text: &str) -> bool {
    (10..=79).contains(&text.len()) && !text.contains('\0')
}

fn is_stream_key(key: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    (1..=128).contains(&key.len()) && key.chars().all(legal)
}
