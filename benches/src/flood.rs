//! How fast a server takes what publishers send without pause, and whether it took all of it.
//!
//! Media time runs many times faster than the clock here, as when a file is published without pacing. What is lost
//! would not be noticed by the sender, so the server is asked afterwards.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::task::JoinSet;

use crate::fleet::{Target, one_thread};
use crate::publisher::{Publisher, Writes};
use crate::script::Script;
use crate::server::Server;

/// One measurement.
#[derive(Clone, Copy, Debug)]
pub struct Flood {
    /// Payload bytes that were sent.
    pub bytes: u64,
    /// From the first byte of media until the server had read the last.
    pub time: Duration,
    /// CPU time of the server.
    pub cpu: Duration,
}

impl Flood {
    /// Millions of bytes per second.
    pub fn rate(&self) -> f64 {
        self.bytes as f64 / 1e6 / self.time.as_secs_f64()
    }

    /// CPU seconds per billion bytes.
    pub fn cost(&self) -> f64 {
        self.cpu.as_secs_f64() / (self.bytes as f64 / 1e9)
    }
}

/// Sends `rounds` of the script on each of `streams` connections.
pub fn measure(
    server: &dyn Server,
    streams: usize,
    rounds: u64,
    script: &Arc<Script>,
) -> anyhow::Result<Flood> {
    let runtime = one_thread()?;
    let target = server.target();
    let publishers = runtime.block_on(connect(&target, streams, script))?;
    let (cpu, begin) = (server.family().cpu()?, Instant::now());
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for publisher in publishers {
            tasks.spawn(send(publisher, rounds));
        }
        while let Some(sent) = tasks.join_next().await {
            sent.context("a publisher panicked")??;
        }
        anyhow::Ok(())
    })?;
    let (time, cpu) = (begin.elapsed(), server.family().cpu()? - cpu);
    Ok(Flood { bytes: script.payload * rounds * streams as u64, time, cpu })
}

async fn connect(target: &Target, streams: usize, script: &Arc<Script>) -> anyhow::Result<Vec<Publisher>> {
    let mut publishers = Vec::new();
    for index in 0..streams {
        let (address, key) = (&target.address, format!("s{index}"));
        let publisher =
            Publisher::connect(address, &target.app, &key, script.clone(), Writes::Message).await?;
        publishers.push(publisher);
    }
    Ok(publishers)
}

async fn send(mut publisher: Publisher, rounds: u64) -> anyhow::Result<()> {
    for _ in 0..rounds {
        publisher.send_round().await?;
    }
    publisher.finish().await
}
