//! From the log of events into the queue of deliveries.

use std::sync::Arc;
use std::time::{Duration, Instant};

use catalog::events::{Over, Subscription};
use catalog::{Catalog, Event, Scope};
use futures_util::FutureExt;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;

/// Most events of one transaction.
const BATCH: usize = 256;
/// Before a database that is away is asked again.
const PAUSE: Duration = Duration::from_secs(1);
/// A warning about deliveries that were refused comes at most so often.
const QUIET: Duration = Duration::from_secs(60);

/// Queues until it is told to stop.
pub(crate) async fn run(catalog: Catalog, queued: Arc<Notify>, metrics: Metrics, stop: CancellationToken) {
    let mut intake = Intake { catalog, queued, metrics, last: 0, warned: None };
    stop.run_until_cancelled(intake.follow()).await;
}

struct Intake {
    catalog: Catalog,
    queued: Arc<Notify>,
    metrics: Metrics,
    /// The last event that was dealt with.
    last: u64,
    warned: Option<Instant>,
}

impl Intake {
    /// Whoever falls behind goes on after the last event that he dealt with, from memory.
    async fn follow(&mut self) {
        self.last = self.position().await;
        while self.until_lagged().await == Over::Lagged {}
    }

    async fn until_lagged(&mut self) -> Over {
        let mut events = self.catalog.events().subscribe(Scope::All, Some(self.last));
        loop {
            match batch(&mut events).await {
                Ok(batch) => self.queue(&batch).await,
                Err(over) => return over,
            }
        }
    }

    async fn position(&self) -> u64 {
        loop {
            match self.catalog.deliveries().position().await {
                // Where nothing was ever dealt with, webhooks are sent what happened since they were created.
                Ok(position) => return position.unwrap_or(0),
                Err(error) => tracing::debug!(%error, "webhooks wait for the database"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn queue(&mut self, batch: &[Arc<Event>]) {
        loop {
            match self.catalog.deliveries().queue(batch).await {
                Ok(done) => return self.note(batch, done),
                Err(error) if error.is_retryable() => {
                    tracing::debug!(%error, "webhooks wait for the database")
                }
                Err(error) => {
                    tracing::error!(%error, events = batch.len(), "events not queued to webhooks");
                    return self.note(batch, Default::default());
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn note(&mut self, batch: &[Arc<Event>], done: catalog::deliveries::Queued) {
        self.last = batch.last().map_or(self.last, |event| event.id);
        self.metrics.queued.inc_by(done.queued);
        self.metrics.refused.inc_by(done.refused);
        if done.queued > 0 {
            self.queued.notify_one();
        }
        if done.refused > 0 && self.warned.is_none_or(|at| at.elapsed() >= QUIET) {
            self.warned = Some(Instant::now());
            let most = catalog::deliveries::WAITING;
            tracing::warn!(
                refused = done.refused,
                most,
                "too much waits for a webhook; events are not sent to it"
            );
        }
    }
}

/// The next event, and what is there behind it.
async fn batch(events: &mut Subscription) -> Result<Vec<Arc<Event>>, Over> {
    let mut batch = vec![events.next().await?];
    while batch.len() < BATCH {
        match events.next().now_or_never() {
            Some(Ok(event)) => batch.push(event),
            // An end is met again at the next call.
            Some(Err(_)) | None => break,
        }
    }
    Ok(batch)
}
