//! `headwater live …` and `headwater entry …`: talks to a running server through its API.
//!
//! Tables are for people and may change; `--json` is the API's own answer.

mod api;
mod entry;
mod live;
mod show;

use std::io::{self, Write};

use anyhow::Context;
use serde_json::Value;

use crate::cli;
use api::Api;

/// `headwater live …`
pub(crate) fn live(command: &cli::Live) -> anyhow::Result<()> {
    live::run(command)
}

/// `headwater entry …`
pub(crate) fn entry(command: &cli::Entry) -> anyhow::Result<()> {
    entry::run(command)
}

/// Prints an answer, for a machine or for a person.
fn print(flags: &cli::Server, answer: &Value, text: impl FnOnce(&Value) -> String) -> anyhow::Result<()> {
    let text = match flags.json {
        true => serde_json::to_string_pretty(answer)? + "\n",
        false => text(answer),
    };
    match io::stdout().write_all(text.as_bytes()) {
        // Somebody downstream had enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to stdout"),
    }
}
