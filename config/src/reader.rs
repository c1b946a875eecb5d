//! Takes settings out of a [`Tree`] one by one, and remembers which there are.
//!
//! A setting is declared by reading it: its name, its range and its words in an error come from one call.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use crate::error::{Error, Place};
use crate::sections::{KeepFree, KeepLocal, RecorderSync, Secret};
use crate::tree::{Node, Tree};
use crate::value::{self, Value};

/// A key that can be set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setting {
    /// Its section.
    pub section: &'static str,
    /// Its key.
    pub key: &'static str,
    /// What it accepts, as errors and the reference say it: `1s to 30s`.
    pub accepts: String,
    spelling: Spelling,
}

/// How a value is written in TOML.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Spelling {
    Bare,
    Quoted,
    QuotedWithUnit,
    /// A word or a number, or a text in quotes.
    Either,
    /// In brackets, each in quotes.
    List,
    /// In quotes, and never repeated to anybody.
    Secret,
}

impl Setting {
    /// As errors name it: `section.key`.
    pub fn path(&self) -> String {
        format!("{}.{}", self.section, self.key)
    }
}

/// Reads a tree section by section.
#[derive(Default)]
pub(crate) struct Reader {
    pub(crate) tree: Tree,
    pub(crate) errors: Vec<Error>,
    pub(crate) settings: Vec<Setting>,
    places: BTreeMap<String, Place>,
    refused: BTreeSet<String>,
}

impl Reader {
    pub(crate) fn new(mut tree: Tree) -> Reader {
        let errors = std::mem::take(&mut tree.errors);
        Reader { tree, errors, ..Reader::default() }
    }

    /// Opens a section; what is not read from it before it is dropped is unknown.
    pub(crate) fn section(&mut self, name: &'static str) -> Section<'_> {
        let nodes = self.tree.sections.remove(name).map(|table| table.nodes).unwrap_or_default();
        Section { name, nodes, reader: self }
    }

    fn refuse(&mut self, setting: &Setting, node: &Node) {
        self.errors.push(refused(setting, node));
        self.refused.insert(setting.path());
    }

    /// Where the first of these settings that was written stands.
    pub(crate) fn place(&self, paths: &[&str]) -> Option<&Place> {
        paths.iter().find_map(|path| self.places.get(*path))
    }

    /// Notes a rule between settings that does not hold, at the first of them that was written. Says nothing where
    /// one of them was refused already and the rule saw its default.
    pub(crate) fn broken(&mut self, paths: &[&str], wrong: String, right: String) {
        if paths.iter().any(|path| self.refused.contains(*path)) {
            return;
        }
        let Some(place) = self.place(paths).cloned() else { return };
        let key = paths.iter().find(|path| self.places.contains_key(**path)).unwrap_or(&paths[0]).to_string();
        self.errors.push(Error { place, key, wrong, right });
    }
}

/// A section that is being read.
pub(crate) struct Section<'r> {
    name: &'static str,
    nodes: BTreeMap<String, Node>,
    reader: &'r mut Reader,
}

impl Section<'_> {
    pub(crate) fn boolean(&mut self, key: &'static str, into: &mut bool) {
        let parse = |value: &Value| match value {
            Value::Boolean(yes) => Some(*yes),
            _ => None,
        };
        self.read(key, "true or false".to_owned(), Spelling::Bare, parse, into);
    }

    pub(crate) fn duration(
        &mut self,
        key: &'static str,
        range: RangeInclusive<Duration>,
        into: &mut Duration,
    ) {
        let [low, high] = [range.start(), range.end()].map(|end| value::duration_text(*end));
        let parse = |value: &Value| text(value).and_then(value::duration).filter(|it| range.contains(it));
        self.read(key, format!("{low} to {high}"), Spelling::QuotedWithUnit, parse, into);
    }

    pub(crate) fn size(&mut self, key: &'static str, range: RangeInclusive<u64>, into: &mut u64) {
        let [low, high] = [range.start(), range.end()].map(|end| value::size_text(*end));
        let parse = |value: &Value| text(value).and_then(value::size).filter(|it| range.contains(it));
        self.read(key, format!("{low} to {high}"), Spelling::QuotedWithUnit, parse, into);
    }

    pub(crate) fn count<T: TryFrom<i64>>(
        &mut self,
        key: &'static str,
        range: RangeInclusive<i64>,
        into: &mut T,
    ) {
        let accepts = format!("{} to {}", range.start(), range.end());
        let parse = |value: &Value| integer(value, &range).and_then(|it| T::try_from(it).ok());
        self.read(key, accepts, Spelling::Bare, parse, into);
    }

    pub(crate) fn seconds(&mut self, key: &'static str, range: RangeInclusive<i64>, into: &mut Option<u32>) {
        let accepts = format!("{} to {}, whole seconds", range.start(), range.end());
        let parse = |value: &Value| integer(value, &range).and_then(|it| u32::try_from(it).ok()).map(Some);
        self.read(key, accepts, Spelling::Bare, parse, into);
    }

    pub(crate) fn address(&mut self, key: &'static str, into: &mut SocketAddr) {
        let accepts = "IP:PORT, an IPv6 address in brackets".to_owned();
        self.read(key, accepts, Spelling::Quoted, |value| text(value)?.parse().ok(), into);
    }

    /// A list of networks; a variable of the environment may have commas between them.
    pub(crate) fn networks(&mut self, key: &'static str, most: usize, into: &mut Vec<IpNet>) {
        let accepts = format!("a list of at most {most} networks or addresses, [\"10.0.0.0/8\", \"::1\"]");
        let parse = |value: &Value| {
            let all: Option<Vec<IpNet>> = match value {
                Value::List(texts) => texts.iter().map(|text| value::network(text)).collect(),
                Value::Text(text) => text.split(',').map(value::network).collect(),
                _ => None,
            };
            all.filter(|all| all.len() <= most)
        };
        self.read(key, accepts, Spelling::List, parse, into);
    }

    pub(crate) fn path(&mut self, key: &'static str, into: &mut PathBuf) {
        let parse = |value: &Value| text(value).filter(|path| !path.is_empty()).map(PathBuf::from);
        self.read(key, "a path".to_owned(), Spelling::Quoted, parse, into);
    }

    pub(crate) fn duration_or_none(
        &mut self,
        key: &'static str,
        range: RangeInclusive<Duration>,
        into: &mut Option<Duration>,
    ) {
        let [low, high] = [range.start(), range.end()].map(|end| value::duration_text(*end));
        let parse =
            |value: &Value| text(value).and_then(value::duration).filter(|it| range.contains(it)).map(Some);
        self.read(key, format!("{low} to {high}"), Spelling::QuotedWithUnit, parse, into);
    }

    pub(crate) fn size_or_none(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u64>,
        into: &mut Option<u64>,
    ) {
        let [low, high] = [range.start(), range.end()].map(|end| value::size_text(*end));
        let parse =
            |value: &Value| text(value).and_then(value::size).filter(|it| range.contains(it)).map(Some);
        self.read(key, format!("{low} to {high}"), Spelling::QuotedWithUnit, parse, into);
    }

    pub(crate) fn count_or_none(
        &mut self,
        key: &'static str,
        range: RangeInclusive<i64>,
        into: &mut Option<u32>,
    ) {
        let accepts = format!("{} to {}", range.start(), range.end());
        let parse = |value: &Value| integer(value, &range).and_then(|it| u32::try_from(it).ok()).map(Some);
        self.read(key, accepts, Spelling::Bare, parse, into);
    }

    pub(crate) fn path_or_none(&mut self, key: &'static str, into: &mut Option<PathBuf>) {
        let parse = |value: &Value| text(value).filter(|path| !path.is_empty()).map(|it| Some(it.into()));
        self.read(key, "a path".to_owned(), Spelling::Quoted, parse, into);
    }

    /// A percentage, or a size.
    pub(crate) fn keep_free(&mut self, key: &'static str, into: &mut KeepFree) {
        const MOST: u8 = 90;
        const LARGEST: u64 = 1 << 50;
        let parse = |value: &Value| {
            let text = text(value)?;
            match text.strip_suffix('%') {
                Some(number) => number.parse().ok().filter(|percent| *percent <= MOST).map(KeepFree::Percent),
                None => value::size(text).filter(|size| *size <= LARGEST).map(KeepFree::Bytes),
            }
        };
        let accepts = format!("0% to {MOST}%, or a size up to {}", value::size_text(LARGEST));
        self.read(key, accepts, Spelling::QuotedWithUnit, parse, into);
    }

    /// `part`, `segment`, or how often.
    pub(crate) fn sync(
        &mut self,
        key: &'static str,
        range: RangeInclusive<Duration>,
        into: &mut RecorderSync,
    ) {
        let [low, high] = [range.start(), range.end()].map(|end| value::duration_text(*end));
        let parse = |value: &Value| match text(value)? {
            "part" => Some(RecorderSync::Part),
            "segment" => Some(RecorderSync::Segment),
            interval => value::duration(interval).filter(|it| range.contains(it)).map(RecorderSync::Interval),
        };
        self.read(key, format!("part, segment, or {low} to {high}"), Spelling::Quoted, parse, into);
    }

    /// A URL of the web without query and fragment, and without the slash at its end.
    pub(crate) fn base_url(&mut self, key: &'static str, into: &mut Option<String>) {
        let accepts = "http://HOST or https://HOST, perhaps with a port and a path".to_owned();
        let parse = |value: &Value| {
            let url = text(value)?.trim_end_matches('/');
            let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
            let legal = |c: char| c.is_ascii_alphanumeric() || "-._~:/[]%".contains(c);
            let host = rest.split('/').next().unwrap_or_default();
            (!host.is_empty() && rest.chars().all(legal)).then(|| Some(url.to_owned()))
        };
        self.read(key, accepts, Spelling::Quoted, parse, into);
    }

    /// A bucket of an object store, and perhaps a prefix in it.
    pub(crate) fn bucket(&mut self, key: &'static str, into: &mut Option<String>) {
        let parse = |value: &Value| {
            let url = text(value)?.trim_end_matches('/');
            let rest = url.strip_prefix("s3://")?;
            let legal = |c: char| c.is_ascii_alphanumeric() || "-._/".contains(c);
            let words = rest.split('/').all(|word| !word.is_empty() && word != "." && word != "..");
            (words && rest.chars().all(legal)).then(|| Some(url.to_owned()))
        };
        self.read(key, "s3://BUCKET or s3://BUCKET/PREFIX".to_owned(), Spelling::Quoted, parse, into);
    }

    /// A word without spaces.
    pub(crate) fn word(&mut self, key: &'static str, into: &mut Option<String>) {
        let parse = |value: &Value| text(value).filter(|it| is_word(it)).map(|it| Some(it.to_owned()));
        self.read(key, "a word".to_owned(), Spelling::Quoted, parse, into);
    }

    /// A word that nobody is shown.
    pub(crate) fn secret(&mut self, key: &'static str, into: &mut Option<Secret>) {
        let parse =
            |value: &Value| text(value).filter(|it| is_word(it)).map(|it| Some(Secret::new(it.to_owned())));
        self.read(key, "a word".to_owned(), Spelling::Secret, parse, into);
    }

    /// `true`, `false`, or how long.
    pub(crate) fn keep_local(
        &mut self,
        key: &'static str,
        range: RangeInclusive<Duration>,
        into: &mut KeepLocal,
    ) {
        let [low, high] = [range.start(), range.end()].map(|end| value::duration_text(*end));
        let parse = |value: &Value| match value {
            Value::Boolean(true) => Some(KeepLocal::Always),
            Value::Boolean(false) => Some(KeepLocal::Never),
            Value::Text(text) => value::duration(text).filter(|it| range.contains(it)).map(KeepLocal::For),
            _ => None,
        };
        self.read(key, format!("true, false, or \"{low}\" to \"{high}\""), Spelling::Either, parse, into);
    }

    /// The URL of a PostgreSQL database; it may carry a password.
    pub(crate) fn database(&mut self, key: &'static str, into: &mut Option<Secret>) {
        let parse = |value: &Value| {
            let url = text(value)?;
            let known = ["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme));
            known.then(|| Some(Secret::new(url.to_owned())))
        };
        let accepts = "postgres://USER:PASSWORD@HOST:PORT/NAME".to_owned();
        self.read(key, accepts, Spelling::Secret, parse, into);
    }

    /// One of some words.
    pub(crate) fn choice<T: Copy>(&mut self, key: &'static str, words: &[(&str, T)], into: &mut T) {
        let names: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
        let parse = |value: &Value| {
            let text = text(value)?;
            words.iter().find(|(name, _)| *name == text).map(|(_, choice)| *choice)
        };
        self.read(key, either(&names), Spelling::Quoted, parse, into);
    }

    fn read<T>(
        &mut self,
        key: &'static str,
        accepts: String,
        spelling: Spelling,
        parse: impl Fn(&Value) -> Option<T>,
        into: &mut T,
    ) {
        let setting = Setting { section: self.name, key, accepts, spelling };
        if let Some(node) = self.nodes.remove(key) {
            match parse(&node.value) {
                Some(value) => *into = value,
                None => self.reader.refuse(&setting, &node),
            }
            self.reader.places.insert(setting.path(), node.place);
        }
        self.reader.settings.push(setting);
    }

    fn unknown(&self, key: &str, place: Place) -> Error {
        let known: Vec<&str> =
            self.reader.settings.iter().filter(|s| s.section == self.name).map(|s| s.key).collect();
        let path = format!("{}.{key}", self.name);
        Error { place, key: path, wrong: "unknown key".to_owned(), right: suggestion(key, &known) }
    }
}

impl Drop for Section<'_> {
    fn drop(&mut self) {
        for (key, node) in std::mem::take(&mut self.nodes) {
            let error = self.unknown(&key, node.place);
            self.reader.errors.push(error);
        }
    }
}

/// `did you mean "x"?`, or all there is.
pub(crate) fn suggestion(word: &str, known: &[&str]) -> String {
    const CLOSE: f64 = 0.8;
    let scored = known.iter().map(|candidate| (strsim::jaro_winkler(word, candidate), candidate));
    let close = scored.filter(|(score, _)| *score >= CLOSE);
    match close.max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((_, best)) => format!("did you mean {best:?}?"),
        None => format!("there is {}", known.join(", ")),
    }
}

fn refused(setting: &Setting, node: &Node) -> Error {
    let hint = match (setting.spelling, &node.value) {
        (Spelling::QuotedWithUnit, Value::Integer(_) | Value::Other(_)) => ", with its unit and in quotes",
        (Spelling::Quoted, Value::Integer(_) | Value::Boolean(_)) => ", in quotes",
        (Spelling::Bare, Value::Text(_)) => ", without quotes",
        _ => "",
    };
    let right = format!("use {}{hint}", setting.accepts);
    let wrong = match setting.spelling {
        Spelling::Secret => "is something else".to_owned(),
        _ => format!("is {}", node.value),
    };
    Error { place: node.place.clone(), key: setting.path(), wrong, right }
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= 256 && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn integer(value: &Value, range: &RangeInclusive<i64>) -> Option<i64> {
    match value {
        Value::Integer(number) if range.contains(number) => Some(*number),
        _ => None,
    }
}

fn either(words: &[&str]) -> String {
    match words {
        [rest @ .., last] if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.concat(),
    }
}
