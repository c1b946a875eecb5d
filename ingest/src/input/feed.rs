//! One sender's media on its way to the stream: bytes in, and a publication from the first track on.

use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use stream::{Ended, Input, Link, Peer, Protocol, Publication};
use tokio::time::Instant;

use super::supervisor::What;
use super::task::{End, Task};
use crate::ts::Intake;

/// What may wait for a first track; more of it comes from no transport stream that means well.
const BEFORE_TRACKS: usize = 64;

/// A sender's media. Dropped, it goes off air.
pub(super) struct Feed<'t> {
    task: &'t Task,
    protocol: Protocol,
    peer: SocketAddr,
    intake: Intake,
    pending: Vec<Input>,
    on_air: Option<OnAir>,
}

struct OnAir {
    publication: Publication,
    /// Resolves when the server ends the publication.
    ended: Pin<Box<dyn Future<Output = Ended> + Send + Sync>>,
    since: Instant,
}

impl<'t> Feed<'t> {
    /// Of a sender that nothing came from yet.
    pub(super) fn new(task: &'t Task, protocol: Protocol, peer: SocketAddr) -> Feed<'t> {
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        let intake = Intake::new(task.shared.settings.ts);
        Feed { task, protocol, peer, intake, pending: Vec::new(), on_air: None }
    }

    pub(super) fn is_on_air(&self) -> bool {
        self.on_air.is_some()
    }

    /// Takes a piece of the transport stream.
    pub(super) async fn push(&mut self, bytes: &[u8]) -> Result<(), End> {
        let pending = &mut self.pending;
        self.intake.push(bytes, &mut |input| pending.push(input));
        self.task.shared.metrics.bytes.inc_by(bytes.len() as u64);
        self.task.board.received(bytes.len(), self.intake.counters());
        self.send().await
    }

    /// How the network between the sender and here does.
    pub(super) fn measured(&self, link: Link) {
        self.task.board.measured(link.clone());
        if let Some(on_air) = &self.on_air {
            on_air.publication.link(link);
        }
    }

    /// Something between two pieces did not arrive.
    pub(super) fn lost(&mut self) {
        self.intake.lost();
    }

    /// Resolves when the server ends the publication; never while there is none.
    pub(super) async fn ended(&mut self) -> Ended {
        match &mut self.on_air {
            Some(on_air) => on_air.ended.as_mut().await,
            None => std::future::pending().await,
        }
    }

    /// Nothing comes any more, for this reason. `whole`: the sender said goodbye.
    pub(super) async fn finish(mut self, whole: bool, why: &str) {
        let pending = &mut self.pending;
        self.intake.finish(whole, &mut |input| pending.push(input));
        if self.on_air.is_some() {
            // Whoever ended it does not want the rest.
            let _ = self.send().await;
        }
        if let Some(publication) = self.off_air(why) {
            publication.leave(why);
        }
    }

    async fn send(&mut self) -> Result<(), End> {
        if self.pending.is_empty() {
            return Ok(());
        }
        if self.on_air.is_none() {
            if !self.pending.iter().any(|input| matches!(input, Input::Track { .. })) {
                let surplus = self.pending.len().saturating_sub(BEFORE_TRACKS);
                self.pending.drain(..surplus);
                return Ok(());
            }
            self.on_air = Some(self.enter().await?);
        }
        let Some(on_air) = &self.on_air else { return Ok(()) };
        for input in self.pending.drain(..) {
            on_air.publication.send(input).await.map_err(End::Ended)?;
        }
        Ok(())
    }

    async fn enter(&self) -> Result<OnAir, End> {
        let Task { definition, shared, board, .. } = self.task;
        let grant = shared.permit.permit(&definition.entry, definition.rendition.as_deref());
        let grant = grant.map_err(End::Refused)?;
        let peer = Peer::new(self.peer, self.protocol);
        let publication = shared.directory.publish(grant, peer).await.map_err(End::Refused)?;
        board.running(self.peer);
        shared.metrics.running.inc();
        tracing::info!(input = %definition.id, entry = %definition.entry, peer = %self.peer, "input on air");
        self.task.tell(What::Started { peer: self.peer });
        let ended = Box::pin(publication.ended());
        Ok(OnAir { publication, ended, since: Instant::now() })
    }

    fn off_air(&mut self, why: &str) -> Option<Publication> {
        let on_air = self.on_air.take()?;
        let Task { definition, shared, .. } = self.task;
        let on_for = on_air.since.elapsed();
        self.task.was_on_air(on_for);
        shared.metrics.running.dec();
        tracing::info!(
            input = %definition.id, entry = %definition.entry, peer = %self.peer, reason = why,
            seconds = round(on_for), counters = ?self.intake.counters(), "input off air"
        );
        Some(on_air.publication)
    }
}

impl Drop for Feed<'_> {
    fn drop(&mut self) {
        let why = match self.task.stop.is_cancelled() {
            true => "the input was switched off or changed",
            false => "the input failed in the server",
        };
        if let Some(publication) = self.off_air(why) {
            publication.leave(why);
        }
    }
}

fn round(span: Duration) -> f64 {
    (span.as_secs_f64() * 1000.0).round() / 1000.0
}
