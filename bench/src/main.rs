//! Measures Headwater beside nginx with its rtmp module, on the same machine and the same input.
//!
//! `make bench` runs it. It is no part of the product: it starts the release binary as anybody would, and knows none of
//! the crates. What it asks of a server is its CPU clock, its memory, and the answers to requests.

mod fleet;
mod flv;
mod ingest;
mod input;
mod publisher;
mod script;
mod server;
mod usage;

use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::fleet::{Fleet, Target};
use crate::ingest::Times;
use crate::publisher::Writes;
use crate::server::{Headwater, Nginx, Package, Server};

#[derive(Parser)]
#[command(about = "Measures Headwater beside nginx with its rtmp module")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Publish to any server in real time, as keys s0, s1, …
    Publish {
        /// HOST:PORT of its RTMP listener.
        address: String,
        /// How many streams.
        #[arg(short = 'n', long, default_value_t = 1)]
        streams: usize,
        /// How long, in seconds.
        #[arg(short, long, default_value_t = 60)]
        seconds: u64,
        /// How a message is handed to the kernel.
        #[arg(long, value_enum, default_value_t)]
        writes: Writes,
    },
    /// CPU and memory per stream.
    Ingest {
        /// How many streams.
        #[arg(short = 'n', long, default_value_t = 10)]
        streams: usize,
        /// How long to wait before measuring, in seconds.
        #[arg(long, default_value_t = 28)]
        warm_up: u64,
        /// How long to measure, in seconds.
        #[arg(short, long, default_value_t = 20)]
        seconds: u64,
        /// How a message is handed to the kernel.
        #[arg(long, value_enum, default_value_t)]
        writes: Writes,
        /// Headwater alone.
        #[arg(long)]
        alone: bool,
    },
}

fn main() -> anyhow::Result<()> {
    let script = Arc::new(input::script()?);
    match Cli::parse().command {
        Command::Publish { address, streams, seconds, writes } => {
            let target = Target { address, app: "live".to_owned() };
            let mut fleet = Fleet::start(&target, streams, &script, writes, None)?;
            fleet.run(Duration::from_secs(seconds))?;
            eprintln!("late by at most {:?}", fleet.late());
        }
        Command::Ingest { streams, warm_up, seconds, writes, alone } => {
            let times =
                Times { warm_up: Duration::from_secs(warm_up), measure: Duration::from_secs(seconds) };
            let headwater = Headwater::start(&server::binary()?, streams, Some("12s"))?;
            show(&headwater, ingest::measure(&headwater, streams, &script, writes, times)?);
            drop(headwater);
            if !alone {
                let nginx = Nginx::start(Package::HlsAndDash, "12s")?;
                show(&nginx, ingest::measure(&nginx, streams, &script, writes, times)?);
            }
        }
    }
    Ok(())
}

fn show(server: &dyn Server, cost: ingest::Cost) {
    let ingest::Cost { cpu, memory, files, late } = cost;
    let mega = 1e6;
    println!(
        "{:40} {cpu:.3} CPU s/stream-min  {:.2} MB/stream + {:.2} MB in files  late {late:?}",
        server.name(),
        memory / mega,
        files / mega
    );
}
