//! One connection: what comes over it goes to its publication.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use srt::{Connection, Disconnected, MAX_PAYLOAD, Stats};
use stream::directory::Entered;
use stream::{Ended, Input, Leg, Publication, Refusal};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::Server;
use crate::srt::gate::request;
use crate::srt::stream_id;
use crate::ts::Intake;

/// Messages taken at once before the owner gets what was in them.
const BATCH: usize = 32;
/// How often statistics are looked at.
const PERIOD: Duration = Duration::from_secs(1);

pub(super) struct Session<'a> {
    server: &'a Server,
    connection: Connection,
    intake: Intake,
    inputs: Vec<Input>,
    stats: Stats,
    began: Instant,
    /// When the last input came.
    heard: Instant,
}

/// Why a connection ends.
#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error("{0}")]
    Gone(#[from] Disconnected),
    #[error("{0}")]
    StreamId(#[from] stream_id::Error),
    #[error("{0}")]
    Refused(#[from] Refusal),
    #[error("{0}")]
    Ended(#[from] Ended),
    #[error("no media for {0:?}: is it an MPEG transport stream?")]
    Idle(Duration),
}

impl Reason {
    /// A short word where the server ends the connection for what the peer did or wants.
    fn word(&self) -> Option<&'static str> {
        match self {
            Reason::Gone(_) | Reason::Ended(_) => None,
            Reason::StreamId(_) => Some("stream-id"),
            Reason::Refused(refusal) => Some(refusal.reason()),
            Reason::Idle(_) => Some("idle"),
        }
    }
}

impl<'a> Session<'a> {
    pub(super) fn new(server: &'a Server, connection: Connection) -> Session<'a> {
        let (intake, now) = (Intake::new(server.settings.ts), Instant::now());
        let (inputs, stats) = (Vec::new(), Stats::default());
        Session { server, connection, intake, inputs, stats, began: now, heard: now }
    }

    pub(super) async fn run(mut self, shutdown: &CancellationToken) {
        let peer = self.connection.peer();
        let reason = match self.enter().await {
            Ok(Entered { entry, leg, publication }) => {
                tracing::info!(%peer, %entry, ?leg, "SRT publishing");
                let reason = self.on_air(&publication, shutdown).await;
                self.report(&entry, leg, &reason);
                publication.leave(reason.to_string());
                reason
            }
            Err(reason) => reason,
        };
        match reason.word() {
            Some(word) => self.server.metrics.refusals.warn(Some(peer), word, &reason),
            None => tracing::debug!(%peer, "SRT connection ends: {reason}"),
        }
    }

    /// Decided in the handshake, and once more: meanwhile somebody else may have come.
    async fn enter(&self) -> Result<Entered, Reason> {
        let request = request(self.connection.stream_id(), self.connection.peer())?;
        Ok(self.server.directory.enter(&*self.server.admit, &request).await?)
    }

    async fn on_air(&mut self, publication: &Publication, shutdown: &CancellationToken) -> Reason {
        let reason = match self.receive(publication, shutdown).await {
            Ok(never) => match never {},
            Err(reason) => reason,
        };
        // Who did not say goodbye was in the middle of a picture.
        let whole = matches!(reason, Reason::Gone(Disconnected::ByPeer));
        let Session { intake, inputs, .. } = self;
        intake.finish(whole, &mut |input| inputs.push(input));
        if self.hand_over(publication).await.is_ok() {
            self.measure(publication);
        }
        reason
    }

    async fn receive(
        &mut self,
        publication: &Publication,
        shutdown: &CancellationToken,
    ) -> Result<std::convert::Infallible, Reason> {
        // These live through the loop: to make and drop them for every message would cost more than the message.
        let (mut shutdown, mut ended) = (pin!(shutdown.cancelled()), pin!(publication.ended()));
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut buffer = [0; MAX_PAYLOAD];
        loop {
            tokio::select! {
                biased;
                () = shutdown.as_mut() => return Err(Ended::ShuttingDown.into()),
                ended = ended.as_mut() => return Err(ended.into()),
                received = self.connection.recv(&mut buffer) => {
                    let taken = self.take(received?, &mut buffer);
                    self.hand_over(publication).await?;
                    taken?;
                }
                _ = ticks.tick() => {
                    self.measure(publication);
                    self.is_alive()?;
                }
            }
        }
    }

    /// Takes a message, and others that are there.
    fn take(&mut self, mut length: usize, buffer: &mut [u8]) -> Result<(), Disconnected> {
        let Session { connection, intake, inputs, .. } = self;
        for _ in 1..BATCH {
            intake.push(&buffer[..length], &mut |input| inputs.push(input));
            match connection.try_recv(buffer)? {
                Some(more) => length = more,
                None => return Ok(()),
            }
        }
        intake.push(&buffer[..length], &mut |input| inputs.push(input));
        Ok(())
    }

    async fn hand_over(&mut self, publication: &Publication) -> Result<(), Ended> {
        if !self.inputs.is_empty() {
            self.heard = Instant::now();
        }
        for input in self.inputs.drain(..) {
            publication.send(input).await?;
        }
        Ok(())
    }

    fn measure(&mut self, publication: &Publication) {
        let stats = self.connection.stats();
        self.server.metrics.add(&stats, &self.stats);
        self.stats = stats;
        publication.link(crate::srt::link(&stats));
    }

    fn is_alive(&self) -> Result<(), Reason> {
        let idle = self.server.settings.limits.idle;
        if self.heard.elapsed() < idle { Ok(()) } else { Err(Reason::Idle(idle)) }
    }

    fn report(&self, entry: &Arc<str>, leg: Leg, reason: &Reason) {
        let Stats { received_bytes, received_packets, lost_packets, dropped_packets, .. } = self.stats;
        tracing::info!(
            peer = %self.connection.peer(), %entry, ?leg, %reason,
            seconds = self.began.elapsed().as_secs_f64(), bytes = received_bytes, packets = received_packets,
            lost = lost_packets, dropped = dropped_packets, encryption = self.stats.encryption.as_str(),
            "SRT publishing ended"
        );
    }
}
