//! Answers as text for people.

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde_json::Value;

/// A table of some members of each item.
pub(super) fn table<'a>(columns: &[(&str, &str)], items: impl IntoIterator<Item = &'a Value>) -> String {
    let mut table = Table::new();
    table.load_preset(NOTHING);
    table.set_header(columns.iter().map(|(title, _)| *title));
    for item in items {
        table.add_row(columns.iter().map(|(_, pointer)| text(item, pointer)));
    }
    lines(&table)
}

/// Names and values, one pair a line; what has no value is left out.
pub(super) fn pairs(pairs: &[(&str, String)]) -> String {
    let mut table = Table::new();
    table.load_preset(NOTHING);
    for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        table.add_row([*name, value]);
    }
    lines(&table)
}

/// A member as text; nothing where it is null or not there. Control characters are shown, not sent to a terminal.
pub(super) fn text(value: &Value, pointer: &str) -> String {
    match value.pointer(pointer) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => plain(text),
        Some(Value::Array(items)) => items.iter().map(|item| text(item, "")).collect::<Vec<_>>().join(", "),
        Some(other) => plain(&other.to_string()),
    }
}

/// The items of a list, or of a member of an answer.
pub(super) fn items<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// What else there is of a list.
pub(super) fn more(answer: &Value) -> &'static str {
    match answer.get("next") {
        None | Some(Value::Null) => "",
        Some(_) => "There are more: --limit shows up to 500, --json has the cursor of the next page.\n",
    }
}

fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn lines(table: &Table) -> String {
    let trimmed = table.lines().map(|line| line.trim().to_owned() + "\n");
    trimmed.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_somebody_called_an_entry_cannot_paint_the_terminal() {
        let answer = json!({"name": "\u{1b}[31mred\nx", "tags": ["a", "b"], "none": null, "n": 3});
        assert_eq!(text(&answer, "/name"), " [31mred x");
        assert_eq!(text(&answer, "/tags"), "a, b");
        assert_eq!(text(&answer, "/n"), "3");
        assert_eq!(text(&answer, "/none") + &text(&answer, "/absent"), "");
    }

    #[test]
    fn tables_are_aligned_and_without_ornament() {
        let items = [json!({"id": "0_1", "name": "long name"}), json!({"id": "0_22", "name": "x"})];
        let table = table(&[("ID", "/id"), ("NAME", "/name")], &items);
        assert_eq!(table, "ID    NAME\n0_1   long name\n0_22  x\n");
        assert_eq!(pairs(&[("a", "1".into()), ("empty", String::new())]), "a  1\n");
    }
}
