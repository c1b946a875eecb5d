//! Writes events down, some at a time, behind everybody's back.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use media::WallTime;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseConnection, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect, TransactionTrait,
};
use serde_json::Value;
use tokio::sync::{mpsc, watch};

use super::ring::Ring;
use super::{Event, Fate, KEPT, Kind};
use crate::error::Error;
use crate::id::AccountId;
use crate::store::{self, Gate};
use crate::tables::events::{Column, Entity, Model};

/// Most events of one transaction.
const BATCH: usize = 256;
/// After the first event of a batch others are waited for this long: a disk that has to be synced is asked ten times a
/// second at most. It is also what a crash may lose.
const GATHER: Duration = Duration::from_millis(100);
/// Before a database that is away is tried again.
const PAUSE: Duration = Duration::from_secs(1);
/// Old rows are removed each time so many were written.
const PRUNE_AFTER: usize = 256;

/// The one who writes.
pub(super) struct Writer {
    connection: DatabaseConnection,
    gate: Gate,
    patience: Duration,
    fate: Arc<Fate>,
    settled: watch::Sender<u64>,
    since_pruned: usize,
}

/// Reads the newest events back, and one more to know what is forgotten.
pub(super) async fn load(connection: &DatabaseConnection) -> Result<Ring, Error> {
    let most = u64::try_from(KEPT).unwrap_or(u64::MAX).saturating_add(1);
    let rows = Entity::find().order_by_desc(Column::Id).limit(most).all(connection).await?;
    let mut ring = Ring::default();
    // A kind that a later version knows is not told of.
    rows.into_iter().rev().filter_map(event).for_each(|event| ring.push(Arc::new(event)));
    Ok(ring)
}

impl Writer {
    pub(super) fn new(
        connection: DatabaseConnection,
        gate: Gate,
        patience: Duration,
        fate: Arc<Fate>,
        settled: watch::Sender<u64>,
    ) -> Writer {
        Writer { connection, gate, patience, fate, settled, since_pruned: PRUNE_AFTER }
    }

    /// Until the last handle on the events is gone and all is written.
    pub(super) async fn run(mut self, mut queue: mpsc::Receiver<Arc<Event>>) {
        let mut batch = Vec::with_capacity(BATCH);
        while queue.recv_many(&mut batch, BATCH).await > 0 {
            if batch.len() < BATCH && !queue.is_closed() {
                tokio::time::sleep(GATHER).await;
                while let Some(event) = (batch.len() < BATCH).then(|| queue.try_recv().ok()).flatten() {
                    batch.push(event);
                }
            }
            self.write(&batch).await;
            if let Some(last) = batch.last() {
                self.settled.send_replace(last.id);
            }
            batch.clear();
        }
    }

    /// Tries until it is written; gives up what the database refuses.
    async fn write(&mut self, batch: &[Arc<Event>]) {
        loop {
            match tokio::time::timeout(self.patience, self.insert(batch)).await {
                Ok(Ok(written)) => return self.count(batch.len().saturating_sub(written)),
                Ok(Err(error)) if !error.is_retryable() => {
                    tracing::error!(%error, events = batch.len(), "events not kept");
                    return self.count(batch.len());
                }
                Ok(Err(error)) => tracing::debug!(%error, "events wait for the database"),
                Err(_) => tracing::debug!("events wait for the database, which does not answer"),
            }
            if self.fate.closed.load(Ordering::Relaxed) {
                return self.count(batch.len());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn insert(&mut self, batch: &[Arc<Event>]) -> Result<usize, Error> {
        let _gate = self.gate.lock().await;
        let transaction = self.connection.begin_with_options(store::writing()).await?;
        let rows = batch.iter().map(|event| row(event).into_active_model().reset_all());
        // Where two processes write to one database, an id may be taken.
        let first = OnConflict::column(Column::Id).do_nothing().to_owned();
        let written =
            Entity::insert_many(rows).on_conflict(first).exec_without_returning(&transaction).await?;
        self.since_pruned += batch.len();
        if self.since_pruned >= PRUNE_AFTER {
            prune(&transaction).await?;
            self.since_pruned = 0;
        }
        transaction.commit().await?;
        Ok(usize::try_from(written).unwrap_or_default())
    }

    fn count(&self, lost: usize) {
        self.fate.lost.fetch_add(u64::try_from(lost).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

/// Leaves [`KEPT`] and one, by which a later start knows where they begin.
async fn prune<C: sea_orm::ConnectionTrait>(connection: &C) -> Result<(), Error> {
    let offset = u64::try_from(KEPT).unwrap_or(u64::MAX);
    let query = Entity::find().select_only().column(Column::Id).order_by_desc(Column::Id);
    let oldest: Option<i64> = query.offset(offset).limit(1).into_tuple().one(connection).await?;
    if let Some(oldest) = oldest {
        Entity::delete_many().filter(Column::Id.lt(oldest)).exec(connection).await?;
    }
    Ok(())
}

fn row(event: &Event) -> Model {
    Model {
        id: i64::try_from(event.id).unwrap_or(i64::MAX),
        account: event.account.as_ref().map(ToString::to_string),
        entry: event.entry.clone(),
        kind: event.kind.to_string(),
        at: event.at.micros(),
        data: Value::Object(event.data.clone()).to_string(),
    }
}

fn event(row: Model) -> Option<Event> {
    Some(Event {
        id: u64::try_from(row.id).ok()?,
        account: row.account.map(AccountId::stored),
        entry: row.entry,
        kind: Kind::parse(&row.kind)?,
        at: WallTime::from_micros(row.at),
        data: serde_json::from_str(&row.data).unwrap_or_default(),
    })
}
