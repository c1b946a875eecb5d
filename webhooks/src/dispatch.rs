//! From the queue of deliveries to calls: takes up what is due, some at once, and settles what came of it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use catalog::changes::Kind;
use catalog::deliveries::{Due, Then};
use catalog::{Catalog, Change, Changes, Error, WebhookId};
use media::WallTime;
use tokio::sync::Notify;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::call::Transport;
use crate::judge::judge;
use crate::metrics::Metrics;
use crate::settings::Settings;

/// What a claim holds longer than a call can take: the time to settle it.
const LEASE_MARGIN: Duration = Duration::from_secs(30);
/// Between two looks at the queue, at least and at most.
const LEAST_PAUSE: Duration = Duration::from_millis(200);
const MOST_PAUSE: Duration = Duration::from_secs(30);
/// Before a database that is away is asked again.
const AWAY: Duration = Duration::from_secs(2);
/// Calls under way have so long when the server stops.
const GRACE: Duration = Duration::from_secs(3);
/// Old deliveries are forgotten so often.
const PRUNE: Duration = Duration::from_secs(600);
/// What came of a call is noted again so often where the database is away; then the claim runs out, and the call is made
/// again.
const SETTLES: u32 = 5;

/// Delivers until it is told to stop.
pub(crate) async fn run(
    catalog: Catalog,
    settings: Arc<Settings>,
    transport: Transport,
    queued: Arc<Notify>,
    metrics: Metrics,
    stop: CancellationToken,
) {
    let changes = catalog.changes();
    let one = Arc::new(One { catalog, settings, transport, metrics });
    let (running, whose, pruned) = (JoinSet::new(), HashMap::new(), None);
    let mut outlet = Outlet { one, queued, changes: Some(changes), running, whose, pruned };
    stop.run_until_cancelled(outlet.deliver()).await;
    outlet.finish().await;
}

struct Outlet {
    one: Arc<One>,
    queued: Arc<Notify>,
    changes: Option<Changes>,
    running: JoinSet<()>,
    whose: HashMap<Id, WebhookId>,
    pruned: Option<Instant>,
}

impl Outlet {
    async fn deliver(&mut self) {
        loop {
            let pause = match self.take_up().await {
                Ok(pause) => pause,
                Err(error) => {
                    tracing::debug!(%error, "webhooks wait for the database");
                    AWAY
                }
            };
            self.rest(pause).await;
        }
    }

    /// Begins what is due, as far as there is room, and says when to look again.
    async fn take_up(&mut self) -> Result<Duration, Error> {
        self.prune().await?;
        let now = now();
        let catalog = self.one.catalog.clone();
        let mut turns = catalog.deliveries().turns(now).await?;
        // Who has the least under way goes first, so that slow receivers cannot take all the room.
        turns.sort_by_cached_key(|id| self.under_way(id));
        for id in turns {
            let room = self.room(&id);
            if room > 0 {
                let lease = self.one.settings.timeout + LEASE_MARGIN;
                let due = catalog.deliveries().claim(&id, now, room, lease).await?;
                due.into_iter().for_each(|due| self.begin(due));
            }
        }
        let next = catalog.deliveries().next_turn().await?;
        Ok(next.map_or(MOST_PAUSE, until).clamp(LEAST_PAUSE, MOST_PAUSE))
    }

    fn room(&self, id: &WebhookId) -> u64 {
        let settings = &self.one.settings;
        let all = settings.concurrency.saturating_sub(self.running.len());
        let own = settings.per_webhook.saturating_sub(self.under_way(id));
        u64::try_from(all.min(own)).unwrap_or_default()
    }

    fn under_way(&self, id: &WebhookId) -> usize {
        self.whose.values().filter(|whose| *whose == id).count()
    }

    fn begin(&mut self, due: Due) {
        let webhook = due.delivery.webhook.clone();
        let task = self.running.spawn(self.one.clone().deliver(due));
        self.whose.insert(task.id(), webhook);
        self.one.metrics.running.inc();
    }

    /// Until a call is over, something is queued, somebody asks, or the time has come.
    async fn rest(&mut self, pause: Duration) {
        let wake = tokio::time::sleep(pause);
        tokio::pin!(wake);
        loop {
            tokio::select! {
                () = &mut wake => return,
                () = self.queued.notified() => return,
                Some(over) = self.running.join_next_with_id() => {
                    self.over(over);
                    return;
                }
                change = changed(&mut self.changes) => if change.is_none_or(|it| concerns(&it)) {
                    return;
                },
            }
        }
    }

    fn over(&mut self, over: Result<(Id, ()), JoinError>) {
        let id = match over {
            Ok((id, ())) => id,
            Err(error) => {
                // A bug; its delivery is taken up again when the claim has run out.
                tracing::error!(%error, "a webhook's call was cut off");
                error.id()
            }
        };
        self.whose.remove(&id);
        self.one.metrics.running.dec();
    }

    async fn prune(&mut self) -> Result<(), Error> {
        if self.pruned.is_none_or(|at| at.elapsed() >= PRUNE) {
            self.one.catalog.deliveries().prune().await?;
            self.pruned = Some(Instant::now());
        }
        Ok(())
    }

    async fn finish(&mut self) {
        let all = async {
            while let Some(over) = self.running.join_next_with_id().await {
                self.over(over);
            }
        };
        let finished = tokio::time::timeout(GRACE, all).await;
        if finished.is_err() {
            tracing::info!(
                calls = self.running.len(),
                "webhooks' calls are cut off and made again after the next start"
            );
        }
    }
}

/// What each call needs.
struct One {
    catalog: Catalog,
    settings: Arc<Settings>,
    transport: Transport,
    metrics: Metrics,
}

impl One {
    async fn deliver(self: Arc<One>, due: Due) {
        let outcome = self.transport.call(&due, now().unix_seconds()).await;
        let (attempt, then) = judge(&due, outcome, &self.settings, now(), luck());
        self.say(&due, attempt.error.as_deref(), &then);
        for _ in 0..SETTLES {
            match self.catalog.deliveries().settle(&due.delivery, attempt.clone(), then.clone()).await {
                Ok(()) => return,
                Err(error) if error.is_retryable() => tokio::time::sleep(AWAY).await,
                // The webhook was deleted meanwhile.
                Err(Error::NotFound(_)) => return,
                Err(error) => {
                    return tracing::error!(%error, delivery = %due.delivery.id, "delivery not noted");
                }
            }
        }
        tracing::warn!(delivery = %due.delivery.id, "delivery not noted, and made again: the database is away");
    }

    fn say(&self, due: &Due, error: Option<&str>, then: &Then) {
        let (webhook, delivery) = (&due.delivery.webhook, &due.delivery.id);
        match then {
            Then::Delivered => self.metrics.called("delivered"),
            Then::Retry(_) => {
                self.metrics.called("retry");
                tracing::debug!(%webhook, %delivery, error, "webhook failed, and is tried again");
            }
            Then::Dead => {
                self.metrics.called("dead");
                tracing::warn!(%webhook, %delivery, error, "webhook failed, and the delivery is given up");
            }
            Then::Disable(reason) => {
                self.metrics.called("disabled");
                tracing::warn!(%webhook, reason, "webhook disabled");
            }
        }
    }
}

/// The next change; `None` when some were missed. Waits for ever when the catalog tells no more.
async fn changed(changes: &mut Option<Changes>) -> Option<Change> {
    if let Some(listener) = changes {
        match listener.recv().await {
            Ok(change) => return Some(change),
            Err(RecvError::Lagged(_)) => return None,
            Err(RecvError::Closed) => *changes = None,
        }
    }
    std::future::pending().await
}

fn concerns(change: &Change) -> bool {
    change.kind == Kind::Delivery
}

fn until(at: WallTime) -> Duration {
    let micros = at.micros().saturating_sub(now().micros());
    Duration::from_micros(u64::try_from(micros).unwrap_or_default())
}

fn now() -> WallTime {
    WallTime::from(SystemTime::now())
}

/// So that what failed together is not tried again together. Without randomness that is all that is lost.
fn luck() -> u8 {
    let mut byte = [0];
    match getrandom::fill(&mut byte) {
        Ok(()) => byte[0],
        Err(_) => 0,
    }
}
