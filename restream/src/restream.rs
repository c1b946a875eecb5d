//! Which targets there are, and a task for each.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use catalog::changes::Kind;
use catalog::{Catalog, EntryId, TargetId};
use stream::{Directory, isolated};
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::connect::{TlsError, Ways};
use crate::metrics::Metrics;
use crate::settings::Settings;
use crate::status::{Board, State, Status};
use crate::tend::{Order, Tending};

/// Before a catalog that does not answer is asked again.
const AGAIN: Duration = Duration::from_secs(2);
/// Before a task that panicked begins anew.
const BROKEN: Duration = Duration::from_secs(5);

/// Sends live entries on to their targets. Cloning gives another handle on the same.
#[derive(Clone)]
pub struct Restream(Arc<House>);

pub(crate) struct House {
    pub(crate) catalog: Catalog,
    pub(crate) directory: Directory,
    pub(crate) settings: Settings,
    pub(crate) metrics: Metrics,
    pub(crate) ways: Ways,
    boards: Mutex<HashMap<TargetId, Arc<Board>>>,
}

struct Running {
    order: Order,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Restream {
    /// Over these streams, for the targets of this catalog.
    pub fn new(catalog: Catalog, directory: Directory, settings: Settings) -> Result<Restream, TlsError> {
        let metrics = Metrics::default();
        let ways = Ways::new(settings.allow_private, settings.ca.as_deref())?;
        let boards = Mutex::default();
        Ok(Restream(Arc::new(House { catalog, directory, settings, metrics, ways, boards })))
    }

    /// What it counts in.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// How a target does; `None` where it is off.
    pub fn status(&self, target: &str) -> Option<Status> {
        let board = TargetId::parse(target).and_then(|id| self.0.boards().get(&id).cloned());
        board.map(|board| board.read())
    }

    /// Follows the targets of the catalog until told to stop; then says goodbye to all of them.
    pub async fn run(self, stop: CancellationToken) {
        let mut changes = self.0.catalog.changes();
        let mut running = HashMap::new();
        // What has to be looked at: targets of an entry, or all.
        let mut wanted = Some(None);
        loop {
            if let Some(entry) = wanted.take()
                && !self.look(entry.as_ref(), &mut running).await
            {
                wanted = Some(None);
                tokio::select! {
                    () = tokio::time::sleep(AGAIN) => continue,
                    () = stop.cancelled() => break,
                }
            }
            tokio::select! {
                change = changes.recv() => match change {
                    Ok(change) if matches!(change.kind, Kind::TargetsChanged | Kind::EntryDeleted) => {
                        wanted = Some(change.entry);
                    }
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => wanted = Some(None),
                    Err(RecvError::Closed) => break,
                },
                () = stop.cancelled() => break,
            }
        }
        running.values().for_each(|it: &Running| it.stop.cancel());
        for (_, it) in running {
            let _ = it.task.await;
        }
    }

    /// Makes what runs what the catalog says; `false` where that does not answer.
    async fn look(&self, entry: Option<&EntryId>, running: &mut HashMap<TargetId, Running>) -> bool {
        let rows = match self.0.catalog.targets().to_send(entry).await {
            Ok(rows) => rows,
            Err(error) => {
                tracing::warn!(%error, "targets cannot be read: asking again");
                return false;
            }
        };
        let orders: Vec<Order> =
            rows.into_iter().map(|(target, secrets)| Order::new(target, secrets)).collect();
        let meant = |it: &Running| entry.is_none_or(|entry| it.order.entry == *entry);
        let kept = |it: &Running| orders.contains(&it.order);
        let over: Vec<TargetId> =
            running.iter().filter(|(_, it)| meant(it) && !kept(it)).map(|(id, _)| id.clone()).collect();
        let mut before: HashMap<TargetId, JoinHandle<()>> = HashMap::new();
        for id in over {
            if let Some(it) = running.remove(&id) {
                it.stop.cancel();
                self.forget(&id);
                before.insert(id, it.task);
            }
        }
        for order in orders.into_iter().filter(|order| order.enabled) {
            if !running.contains_key(&order.id) {
                let before = before.remove(&order.id);
                running.insert(order.id.clone(), self.begin(order, before));
            }
        }
        true
    }

    /// Begins a task, which waits until the one before has said goodbye.
    fn begin(&self, order: Order, before: Option<JoinHandle<()>>) -> Running {
        let (stop, board) = (CancellationToken::new(), Arc::new(Board::default()));
        board.turn(State::Waiting);
        self.0.metrics.moved(None, Some(State::Waiting));
        self.0.boards().insert(order.id.clone(), board.clone());
        let (house, given, stopping) = (self.0.clone(), order.clone(), stop.clone());
        let task = tokio::spawn(async move {
            if let Some(before) = before {
                let _ = before.await;
            }
            let whose = given.id.clone();
            while !stopping.is_cancelled() {
                let (house, order, board) = (house.clone(), given.clone(), board.clone());
                let tending = Tending { house, order, board, stop: stopping.clone(), told: false };
                if isolated("a target", &whose, tending.run()).await.is_err() {
                    tokio::time::sleep(BROKEN).await;
                }
            }
            house.metrics.moved(Some(board.state()), None);
        });
        Running { order, stop, task }
    }

    fn forget(&self, id: &TargetId) {
        self.0.boards().remove(id);
    }
}

impl House {
    // A map of handles is whole between any two statements.
    fn boards(&self) -> MutexGuard<'_, HashMap<TargetId, Arc<Board>>> {
        self.boards.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
