//! How long after its closing keyframe a segment is listed.
//!
//! The clock runs from the moment the keyframe was handed to the kernel until an answer that lists the segment has been
//! read, by a viewer that asks again at once. It so holds one request more than the server's own part.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::fleet::Fleet;
use crate::http::{Client, request};
use crate::playlist;
use crate::publisher::Writes;
use crate::script::Script;
use crate::server::Server;

/// A segment that is not listed by then has failed.
const PATIENCE: Duration = Duration::from_secs(5);
/// For the segment of an earlier keyframe to be listed.
const SETTLE: Duration = Duration::from_secs(1);
/// Keyframes before the first that is looked at: the first playlist stands by then.
const LEAD: usize = 3;

/// Watches `streams` streams for `segments` segments each. Sorted.
pub fn measure(
    server: &dyn Server,
    streams: usize,
    segments: usize,
    script: &Arc<Script>,
) -> anyhow::Result<Vec<Duration>> {
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..streams).map(|_| mpsc::channel(16)).unzip();
    let fleet = Fleet::start(&server.target(), streams, script, Writes::Message, senders)?;
    let mut watchers = JoinSet::new();
    for (stream, keyframes) in receivers.into_iter().enumerate() {
        let watcher = follow(server.http(), server.playlist(stream), keyframes, segments);
        watchers.spawn_on(watcher, fleet.handle());
    }
    let watched = fleet.handle().block_on(watchers.join_all());
    let mut found = watched.into_iter().collect::<anyhow::Result<Vec<_>>>()?.concat();
    found.sort();
    Ok(found)
}

/// The smallest of the sorted `found` that is not below `share` of them.
pub fn quantile(found: &[Duration], share: f64) -> Duration {
    let at = (found.len() as f64 * share).ceil() as usize;
    found.get(at.saturating_sub(1)).copied().unwrap_or_default()
}

async fn follow(
    host: String,
    path: String,
    mut keyframes: mpsc::Receiver<Instant>,
    segments: usize,
) -> anyhow::Result<Vec<Duration>> {
    for _ in 0..LEAD {
        keyframes.recv().await.context("the publishers are gone")?;
    }
    sleep(SETTLE).await;
    let mut viewer = Viewer::new(&host, &path).await?;
    let mut known = viewer.listed().await?;
    let mut found = Vec::new();
    for _ in 0..segments {
        let sent = keyframes.recv().await.context("the publishers are gone")?;
        known = viewer.next(known, sent).await.with_context(|| format!("waiting for a segment of {path}"))?;
        found.push(sent.elapsed());
    }
    Ok(found)
}

struct Viewer {
    client: Client,
    request: Vec<u8>,
}

impl Viewer {
    async fn new(host: &str, path: &str) -> anyhow::Result<Viewer> {
        Ok(Viewer { client: Client::connect(host).await?, request: request(host, path, None) })
    }

    /// Asks until more than `known` segments are listed, and says how many.
    async fn next(&mut self, known: u64, since: Instant) -> anyhow::Result<u64> {
        loop {
            let listed = self.listed().await?;
            if listed != known {
                return Ok(listed);
            }
            ensure!(since.elapsed() < PATIENCE, "not listed after {PATIENCE:?}");
        }
    }

    async fn listed(&mut self) -> anyhow::Result<u64> {
        let mut body = Vec::new();
        let answer = self.client.send(&self.request, |bytes| body.extend_from_slice(bytes)).await?;
        ensure!(answer.status == 200, "a playlist answers {}", answer.status);
        Ok(playlist::listed(std::str::from_utf8(&body)?))
    }
}
