//! `headwater entry …`

use serde_json::Value;

use super::show::{items, more, pairs, table, text};
use super::{Api, print};
use crate::cli::{self, EntryCommand};

pub(super) fn run(entry: &cli::Entry) -> anyhow::Result<()> {
    let flags = &entry.server;
    let api = Api::new(flags)?;
    match &entry.command {
        EntryCommand::List(page) => print(flags, &api.get(&format!("/entries{}", page.query()))?, list),
        EntryCommand::Show { id } => print(flags, &api.get(&format!("/entries/{id}"))?, shown),
        EntryCommand::Delete { id } => {
            api.delete(&format!("/entries/{id}"))?;
            print(flags, &Value::Null, |_| format!("{id} is deleted\n"))
        }
    }
}

fn list(answer: &Value) -> String {
    let columns =
        [("ID", "/id"), ("KIND", "/kind"), ("STATUS", "/status"), ("NAME", "/name"), ("CREATED", "/created")];
    table(&columns, items(answer, "/items")) + more(answer)
}

fn shown(entry: &Value) -> String {
    let of = |name: &'static str, pointer: &str| (name, text(entry, pointer));
    pairs(&[
        of("id", "/id"),
        of("kind", "/kind"),
        of("name", "/name"),
        of("status", "/status"),
        of("account", "/account"),
        of("description", "/description"),
        of("tags", "/tags"),
        of("owner", "/owner"),
        of("watch", "/playback/watch"),
        of("hls", "/playback/hls"),
        of("dash", "/playback/dash"),
        of("created", "/created"),
        of("updated", "/updated"),
    ])
}
