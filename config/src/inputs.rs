//! `[[inputs]]`: where live entries take media from by themselves.

use address::InputUrl;

use crate::error::{Error, Place};
use crate::reader::{Reader, suggestion};
use crate::sections::InputEntry;
use crate::streams::{ENTRY, is_entry_id, word};
use crate::tree::{Node, Table};
use crate::value::Value;

const LIST: &str = "inputs";
const KEYS: &[&str] = &["entry", "url", "rendition", "enabled"];
const RENDITION: &str = "1 to 32 of a-z 0-9";

pub(crate) fn read(reader: &mut Reader) -> Vec<InputEntry> {
    let tables = std::mem::take(&mut reader.tree.inputs);
    tables.into_iter().filter_map(|table| one(table, &mut reader.errors)).collect()
}

fn one(mut table: Table, errors: &mut Vec<Error>) -> Option<InputEntry> {
    let entry = word(&mut table, LIST, "entry", ENTRY, is_entry_id, errors);
    let url = url(&mut table, errors);
    let rendition = match table.nodes.contains_key("rendition") {
        true => word(&mut table, LIST, "rendition", RENDITION, is_rendition, errors),
        false => None,
    };
    let enabled = enabled(&mut table, errors);
    leg(&mut table, errors);
    errors.extend(table.nodes.into_iter().map(|(key, node)| unknown(&key, node.place)));
    Some(InputEntry { entry: entry?.0, url: url?, rendition: rendition.map(|it| it.0), enabled })
}

/// The text itself is in no error: it may hold a passphrase.
fn url(table: &mut Table, errors: &mut Vec<Error>) -> Option<InputUrl> {
    let right = || "use srt://HOST:PORT, udp://ADDRESS:PORT or tcp://HOST:PORT, in quotes".to_owned();
    let (place, wrong, right) = match table.nodes.remove("url") {
        None => (table.place.clone(), "is missing".to_owned(), right()),
        Some(Node { place, value: Value::Text(text) }) => match InputUrl::parse(&text) {
            Ok(url) => return Some(url),
            Err(refused) => (place, refused.wrong, refused.right),
        },
        Some(Node { place, .. }) => (place, "is not a string".to_owned(), right()),
    };
    errors.push(error(place, "url", wrong, right));
    None
}

fn enabled(table: &mut Table, errors: &mut Vec<Error>) -> bool {
    match table.nodes.remove("enabled") {
        None => true,
        Some(Node { value: Value::Boolean(enabled), .. }) => enabled,
        Some(Node { place, value }) => {
            let right = "use true or false, without quotes".to_owned();
            errors.push(error(place, "enabled", format!("is {value}"), right));
            true
        }
    }
}

/// The leg that there is may be named.
fn leg(table: &mut Table, errors: &mut Vec<Error>) {
    if let Some(Node { place, value }) = table.nodes.remove("leg")
        && value != Value::Text("primary".to_owned())
    {
        let wrong = "this version does not support the backup leg".to_owned();
        errors.push(error(place, "leg", wrong, "remove it".to_owned()));
    }
}

fn unknown(key: &str, place: Place) -> Error {
    error(place, key, "unknown key".to_owned(), suggestion(key, KEYS))
}

fn error(place: Place, key: &str, wrong: String, right: String) -> Error {
    Error { place, key: format!("{LIST}.{key}"), wrong, right }
}

fn is_rendition(text: &str) -> bool {
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (1..=32).contains(&text.len()) && text.chars().all(legal)
}
