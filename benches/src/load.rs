//! What answers cost: server CPU while connections that are kept alive ask as fast as they are answered.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::fleet::one_thread;
use crate::http::Client;
use crate::usage::Family;

/// What is asked for, by how many.
#[derive(Clone, Debug)]
pub struct Load {
    /// HOST:PORT.
    pub host: String,
    /// Requests, asked in turn.
    pub requests: Arc<Vec<Vec<u8>>>,
    /// Connections at once.
    pub connections: usize,
}

/// One measurement.
#[derive(Clone, Copy, Default, Debug)]
pub struct Served {
    /// Answers.
    pub answers: u64,
    /// Bytes of their bodies.
    pub bytes: u64,
    /// CPU time of the server.
    pub cpu: Duration,
    /// Wall time.
    pub time: Duration,
}

impl Served {
    /// CPU microseconds per answer.
    pub fn per_answer(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.answers as f64
    }

    /// CPU seconds per billion bytes.
    pub fn per_gigabyte(&self) -> f64 {
        self.cpu.as_secs_f64() / (self.bytes as f64 / 1e9)
    }
}

/// Asks for `time`. Every answer must be 200.
pub fn measure(load: &Load, family: &Family, time: Duration) -> anyhow::Result<Served> {
    let runtime = one_thread()?;
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        let (cpu, begin) = (family.cpu()?, Instant::now());
        for index in 0..load.connections {
            tasks.spawn(ask(load.clone(), index, begin + time));
        }
        let mut total = Served::default();
        while let Some(served) = tasks.join_next().await {
            let served = served.context("a client panicked")??;
            total.answers += served.answers;
            total.bytes += served.bytes;
        }
        Ok(Served { cpu: family.cpu()? - cpu, time: begin.elapsed(), ..total })
    })
}

async fn ask(load: Load, first: usize, until: Instant) -> anyhow::Result<Served> {
    let mut client = Client::connect(&load.host).await?;
    let mut served = Served::default();
    let mut next = first;
    while Instant::now() < until {
        let answer = client.send(&load.requests[next % load.requests.len()], |_| ()).await?;
        ensure!(answer.status == 200, "{} answers {}", load.host, answer.status);
        served.answers += 1;
        served.bytes += answer.length;
        next += 1;
    }
    Ok(served)
}
