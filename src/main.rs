//! The `headwater` binary: reads the settings, builds the edges, joins them, shuts them down.
//!
//! Everything here is wiring. What a server does is in the crates below; what each may know is held by
//! `tests/floors.rs`.

mod admission;
mod certificate;
mod check;
mod cli;
mod client;
mod clipper;
mod clips;
mod data;
mod demo;
mod descriptors;
mod doors;
mod herald;
mod inputs;
mod keeping;
mod library;
mod listen;
mod listeners;
mod load;
mod log;
mod metrics;
mod objects;
mod recording;
mod serve;
mod stills;
mod stop;
mod targets;
mod tenancy;
mod threads;
mod token;
mod warden;
mod wiring;
mod worker;

use std::process::ExitCode;

use clap::Parser;

/// With threads of its own that give memory back ten seconds after a flood, also when nothing happens any more.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let done = match cli::Cli::parse().command {
        cli::Command::Serve(flags) => serve::run(&flags),
        cli::Command::Demo => demo::run(),
        cli::Command::Check(flags) => check::run(&flags),
        cli::Command::Openapi => openapi(),
        cli::Command::Worker => worker::become_it(),
        cli::Command::Live(command) => client::live(&command),
        cli::Command::Entry(command) => client::entry(&command),
        cli::Command::Token(cli::Token { command: cli::TokenCommand::Create(flags) }) => {
            token::create(&flags)
        }
    };
    done.map_or_else(failed, |()| ExitCode::SUCCESS)
}

fn openapi() -> anyhow::Result<()> {
    use std::io::{ErrorKind, Write, stdout};
    match stdout().write_all(control_api::openapi().as_bytes()) {
        // Somebody downstream had enough.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

fn failed(error: anyhow::Error) -> ExitCode {
    eprintln!("{error:#}");
    ExitCode::FAILURE
}
