//! What the contract names and this version does not do yet: accepted where it asks for nothing, refused in plain
//! words where it asks for something.

use crate::error::{Error, Place};
use crate::tree::{Node, Table};
use crate::value::Value;

const SECTIONS: &[(&str, &str)] =
    &[("tls", "HTTPS and RTMPS"), ("rtc", "WebRTC"), ("origin", "playback rules")];

/// What a section is for that a later version will have.
pub(crate) fn section(name: &str) -> Option<&'static str> {
    SECTIONS.iter().find(|(section, _)| *section == name).map(|(_, what)| *what)
}

/// What such a section asks for; nothing with `enabled = false`.
pub(crate) fn asked(name: &str, table: Table, what: &str) -> Vec<Error> {
    let asks = |key: &str, node: &Node| key != "enabled" || node.value != Value::Boolean(false);
    let asked = table.nodes.into_iter().filter(|(key, node)| asks(key, node));
    asked.map(|(key, node)| unsupported(node.place, format!("{name}.{key}"), what)).collect()
}

fn unsupported(place: Place, key: String, what: &str) -> Error {
    Error {
        place,
        key,
        wrong: format!("this version does not support {what}"),
        right: "remove it".to_owned(),
    }
}
