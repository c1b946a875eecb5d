//! The server stops: who leaves by himself may, for a while, and the stream goes on until then.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{Owner, Phase};
use crate::Ended;

/// Publishers are left to leave.
pub(super) struct Parting {
    /// Until then at most.
    pub(super) until: Instant,
    /// Who waits for the stream to be closed.
    reply: oneshot::Sender<()>,
}

impl Owner {
    /// Closes the stream, or does so later where publishers leave by themselves. Says whether it is closed.
    pub(super) async fn part(&mut self, grace: Duration, reply: oneshot::Sender<()>) -> bool {
        if let Phase::On(publishers) = &self.phase {
            publishers.cut_who_stay(&Ended::ShuttingDown);
        }
        self.parting = Some(Parting { until: Instant::now() + grace, reply });
        self.has_parted().await
    }

    /// Closes the stream once they have left, or their time is over. Says whether it did.
    pub(super) async fn has_parted(&mut self) -> bool {
        let left = match &self.phase {
            Phase::On(publishers) => !publishers.iter().any(|it| it.leaves_when_asked()),
            Phase::Waiting { .. } | Phase::Over { .. } => true,
        };
        let Some(parting) = self.parting.take_if(|it| left || it.until <= Instant::now()) else {
            return false;
        };
        self.shut_down().await;
        // Whoever asked may be gone.
        let _ = parting.reply.send(());
        true
    }
}
