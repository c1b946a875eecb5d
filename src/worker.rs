//! The program `headwater-worker`, which stands beside this one.
//!
//! It is another program because it links FFmpeg's libraries: this one starts and serves without them.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, anyhow};

/// Where it is, if it is.
pub(crate) fn program() -> Option<PathBuf> {
    let beside = std::env::current_exe().ok()?.with_file_name("headwater-worker");
    beside.is_file().then_some(beside)
}

/// Becomes it; returns only when it cannot.
pub(crate) fn become_it() -> anyhow::Result<()> {
    let program = program().context("there is no headwater-worker beside this program")?;
    Err(anyhow!(Command::new(&program).exec()).context(format!("cannot run {}", program.display())))
}
