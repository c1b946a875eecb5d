//! Measures Headwater beside nginx with its rtmp module, on the same machine and the same input.
//!
//! `make bench` runs it. It is no part of the product: it starts the release binary as anybody would, and knows none of
//! the crates. What it asks of a server is its CPU clock, its memory, and the answers to requests.

mod crowd;
mod ending;
mod fleet;
mod flood;
mod flv;
mod http;
mod ingest;
mod input;
mod latency;
mod load;
mod machine;
mod playlist;
mod publisher;
mod report;
mod script;
mod server;
mod table;
mod usage;

use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};

use crate::fleet::{Fleet, Target};
use crate::publisher::Writes;
use crate::report::{Bench, Part, Plan};

#[derive(Parser)]
#[command(about = "Measures Headwater beside nginx with its rtmp module")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Take measurements and print their tables.
    Report {
        /// Which ones; all by default.
        parts: Vec<Part>,
        /// One short round.
        #[arg(long)]
        quick: bool,
    },
    /// Publish to any server in real time, with the keys s0, s1, …
    Publish(Publish),
}

#[derive(clap::Args)]
struct Publish {
    /// HOST:PORT of its RTMP listener.
    address: String,
    /// The application.
    #[arg(long, default_value = "live")]
    app: String,
    /// How many streams.
    #[arg(short = 'n', long, default_value_t = 1)]
    streams: usize,
    /// How long, in seconds.
    #[arg(short, long, default_value_t = 60)]
    seconds: u64,
    /// How a message is handed to the kernel.
    #[arg(long, value_enum, default_value_t)]
    writes: Writes,
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Report { parts, quick } => report(&parts, quick),
        Command::Publish(publish) => publish.run(),
    }
}

fn report(parts: &[Part], quick: bool) -> anyhow::Result<()> {
    let parts = if parts.is_empty() { Part::value_variants() } else { parts };
    let plan = if quick { Plan::QUICK } else { Plan::FULL };
    let bench = Bench { binary: server::binary()?, script: Arc::new(input::script()?), plan };
    report::run(&bench, parts)
}

impl Publish {
    fn run(self) -> anyhow::Result<()> {
        let target = Target { address: self.address, app: self.app };
        let script = Arc::new(input::script()?);
        let mut fleet = Fleet::start(&target, self.streams, &script, self.writes, Vec::new())?;
        fleet.run(Duration::from_secs(self.seconds))?;
        eprintln!("late by at most {:?}", fleet.late());
        Ok(())
    }
}
