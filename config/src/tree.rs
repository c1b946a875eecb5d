//! What was written, and where: the document with the environment laid over it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::{Error, Place};
use crate::value::Value;

/// Variables of this prefix are ours.
pub(crate) const PREFIX: &str = "HEADWATER_";
/// Written as lists of tables.
const LISTS: [&str; 2] = ["streams", "inputs"];

/// A value and where it stands.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) value: Value,
}

/// A `[section]` or one table of a `[[list]]`.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) place: Place,
    pub(crate) nodes: BTreeMap<String, Node>,
}

/// Everything that was written.
#[derive(Default, Debug)]
pub(crate) struct Tree {
    pub(crate) sections: BTreeMap<String, Table>,
    pub(crate) streams: Vec<Table>,
    pub(crate) inputs: Vec<Table>,
    /// Variables of our prefix that name no key, for want of a double underscore.
    pub(crate) strays: Vec<String>,
    pub(crate) errors: Vec<Error>,
}

impl Tree {
    pub(crate) fn parse(
        name: &str,
        text: &str,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Tree {
        let mut tree = Tree::default();
        let document = Document { name: name.into(), text };
        document.read(&mut tree);
        for (name, value) in variables {
            tree.lay_over(name, &value);
        }
        tree
    }

    fn lay_over(&mut self, variable: String, value: &str) {
        let Some(name) = variable.strip_prefix(PREFIX) else { return };
        let Some((section, key)) = name.split_once("__") else { return self.strays.push(variable) };
        let (section, key) = (section.to_ascii_lowercase(), key.to_ascii_lowercase());
        let place = Place::Environment(variable);
        if LISTS.contains(&section.as_str()) {
            let wrong = "cannot be set by environment".to_owned();
            let right = format!("write [[{section}]] tables in the file");
            return self.errors.push(Error { place, key: section, wrong, right });
        }
        let empty = || Table { place: place.clone(), nodes: BTreeMap::new() };
        let table = self.sections.entry(section).or_insert_with(empty);
        table.nodes.insert(key, Node { place, value: Value::from_variable(value) });
    }
}

struct Document<'t> {
    name: Arc<str>,
    text: &'t str,
}

impl Document<'_> {
    fn read(&self, tree: &mut Tree) {
        let (root, faults) = DeTable::parse_recoverable(self.text);
        for (key, value) in root.get_ref() {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("streams", list) => tree.streams = self.list("streams", key.span(), list, &mut tree.errors),
                ("inputs", list) => tree.inputs = self.list("inputs", key.span(), list, &mut tree.errors),
                (section, DeValue::Table(table)) => {
                    tree.sections.insert(section.to_owned(), self.table(key.span(), table));
                }
                (key_text, _) => tree.errors.push(self.homeless(key.span(), key_text)),
            }
        }
        tree.errors.extend(faults.iter().map(|fault| self.fault(fault)));
    }

    fn list(
        &self,
        name: &str,
        span: Range<usize>,
        value: &DeValue<'_>,
        errors: &mut Vec<Error>,
    ) -> Vec<Table> {
        let Some(array) = value.as_array() else {
            errors.push(self.no_list(name, span));
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in array {
            match item.get_ref().as_table() {
                Some(table) => tables.push(self.table(item.span(), table)),
                None => errors.push(self.no_list(name, item.span())),
            }
        }
        tables
    }

    fn table(&self, span: Range<usize>, table: &DeTable<'_>) -> Table {
        let node = |key: &Spanned<_>, value: &Spanned<DeValue<'_>>| Node {
            place: self.place(key.span()),
            value: Value::from_toml(value.get_ref()),
        };
        let nodes = table.iter().map(|(key, value)| (key.get_ref().to_string(), node(key, value)));
        Table { place: self.place(span), nodes: nodes.collect() }
    }

    fn no_list(&self, name: &str, span: Range<usize>) -> Error {
        Error {
            place: self.place(span),
            key: name.to_owned(),
            wrong: "is a list of tables".to_owned(),
            right: format!("begin each with [[{name}]], double brackets"),
        }
    }

    fn homeless(&self, span: Range<usize>, key: &str) -> Error {
        Error {
            place: self.place(span),
            key: key.to_owned(),
            wrong: "stands outside any section".to_owned(),
            right: "put it below a header such as [http]".to_owned(),
        }
    }

    /// The parser's words only: its own rendering shows the source line, and with it a stream key.
    fn fault(&self, fault: &toml::de::Error) -> Error {
        Error {
            place: self.place(fault.span().unwrap_or_default()),
            key: "syntax".to_owned(),
            wrong: fault.message().trim_end().replace('\n', ", "),
            right: "write TOML (https://toml.io)".to_owned(),
        }
    }

    fn place(&self, span: Range<usize>) -> Place {
        let mut end = span.start.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &self.text[..end];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Place::File { name: self.name.clone(), line, column }
    }
}
