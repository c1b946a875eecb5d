//! One way to read and one way to write, for all the rooms of the catalog.
//!
//! *Writes go one after another* within a process: SQLite has one writer anyway, and on both databases it is what
//! makes changes be told in the order of their commits and lets the view in memory never go back. A transaction
//! reads with `FOR UPDATE` what it is going to change, for the sake of other processes on the same server.
//!
//! A commit runs in a task of its own, so that a caller who stops waiting cannot come between the commit and the
//! view in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use media::WallTime;
use sea_orm::{
    ActiveModelTrait, DatabaseConnection, DatabaseTransaction, EntityTrait, IntoActiveModel, ModelTrait,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use tokio::sync::{Mutex, OwnedMutexGuard, broadcast};

use crate::audit::{self, Note};
use crate::changes::Change;
use crate::error::Error;
use crate::events::Events;
use crate::id::EntryId;
use crate::idempotency;
use crate::keys::{Keys, Loaded, Wanted};
use crate::scope::Caller;
use crate::secret::Digester;
use crate::tokens::Known;

/// Writes go through it one after another.
pub(crate) type Gate = Arc<Mutex<()>>;

/// The database and what is kept in memory of it.
#[derive(Clone)]
pub(crate) struct Store {
    pub(crate) connection: DatabaseConnection,
    pub(crate) digester: Digester,
    pub(crate) memory: Arc<Memory>,
    pub(crate) patience: Duration,
    gate: Gate,
}

/// What follows each commit.
pub(crate) struct Memory {
    pub(crate) keys: Keys,
    pub(crate) changes: broadcast::Sender<Change>,
    pub(crate) events: Events,
    pub(crate) tokens: Known,
    /// A commit failed half-way: nobody knows what is in the database, so `keys` is read anew before the next write.
    doubtful: AtomicBool,
}

/// A change on its way: undone unless it is committed.
pub(crate) struct Write {
    pub(crate) transaction: DatabaseTransaction,
    pub(crate) caller: Caller,
    pub(crate) now: WallTime,
    store: Store,
    gate: OwnedMutexGuard<()>,
    changes: Vec<Change>,
    touched: Wanted,
}

/// How a transaction begins that is going to write: SQLite takes its lock at once, instead of finding in the middle
/// that another has it.
pub(crate) fn writing() -> TransactionOptions {
    TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    }
}

impl Store {
    pub(crate) fn new(
        connection: DatabaseConnection,
        digester: Digester,
        (keys, tokens, events): (Keys, Known, Events),
        gate: Gate,
        patience: Duration,
    ) -> Store {
        let changes = broadcast::Sender::new(crate::changes::BACKLOG);
        let doubtful = AtomicBool::new(false);
        let memory = Arc::new(Memory { keys, changes, events, tokens, doubtful });
        Store { connection, digester, memory, patience, gate }
    }

    /// Does some work, or gives it up when it takes too long.
    pub(crate) async fn patiently<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        match tokio::time::timeout(self.patience, work).await {
            Ok(done) => done,
            Err(_) => Err(Error::Unavailable(format!("no answer within {:?}", self.patience))),
        }
    }

    pub(crate) async fn begin(&self, caller: &Caller) -> Result<Write, Error> {
        let gate = self.gate.clone().lock_owned().await;
        let transaction = self.connection.begin_with_options(writing()).await?;
        let mut touched = Wanted::default();
        if self.memory.doubtful.load(Ordering::Relaxed) {
            touched.all();
        }
        let (store, caller, now) = (self.clone(), caller.clone(), now());
        Ok(Write { transaction, caller, now, store, gate, changes: Vec::new(), touched })
    }

    /// Reads the view in memory anew.
    pub(crate) async fn refresh(&self) -> Result<(), Error> {
        let _gate = self.gate.clone().lock_owned().await;
        let loaded = Loaded::read(&self.connection, &Wanted::everything()).await?;
        self.memory.keys.apply(loaded);
        self.memory.doubtful.store(false, Ordering::Relaxed);
        Ok(())
    }
}

impl Write {
    /// Adds a row.
    pub(crate) async fn insert<M>(&self, row: M) -> Result<(), Error>
    where
        M: ModelTrait + IntoActiveModel<<M::Entity as EntityTrait>::ActiveModel>,
        <M::Entity as EntityTrait>::ActiveModel: Send,
    {
        let row = row.into_active_model().reset_all();
        M::Entity::insert(row).exec_without_returning(&self.transaction).await?;
        Ok(())
    }

    /// Replaces a row, by its primary key.
    pub(crate) async fn replace<M>(&self, row: M) -> Result<(), Error>
    where
        M: ModelTrait + IntoActiveModel<<M::Entity as EntityTrait>::ActiveModel>,
        <M::Entity as EntityTrait>::ActiveModel: Send,
    {
        let row = row.into_active_model().reset_all();
        M::Entity::update(row).validate()?.exec_without_returning(&self.transaction).await?;
        Ok(())
    }

    /// Notes a change: in the audit log with this transaction, and for listeners once it is committed.
    pub(crate) async fn record(&mut self, note: Note, change: Change) -> Result<(), Error> {
        idempotency::settle(self, &note).await?;
        audit::write(self, note, change.account.as_ref()).await?;
        self.tell(change);
        Ok(())
    }

    /// For listeners alone: progress that nobody has to account for.
    pub(crate) fn tell(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// What the view in memory has to read anew.
    pub(crate) fn touch(&mut self, entry: &EntryId) {
        self.touched.entry(entry);
    }

    /// The same for the quotas of accounts.
    pub(crate) fn touch_accounts(&mut self) {
        self.touched.accounts();
    }

    pub(crate) fn digester(&self) -> &Digester {
        &self.store.digester
    }

    /// Makes it so, and tells.
    pub(crate) async fn commit(self) -> Result<(), Error> {
        let loaded = Loaded::read(&self.transaction, &self.touched).await?;
        let task = tokio::spawn(self.finish(loaded));
        task.await.unwrap_or_else(|error| Err(Error::Unavailable(format!("the commit was cut off: {error}"))))
    }

    async fn finish(self, loaded: Loaded) -> Result<(), Error> {
        let memory = &self.store.memory;
        if let Err(error) = self.transaction.commit().await {
            memory.doubtful.store(true, Ordering::Relaxed);
            return Err(error.into());
        }
        // Where there was a doubt, `begin` has asked for all.
        memory.keys.apply(loaded);
        memory.doubtful.store(false, Ordering::Relaxed);
        for change in self.changes {
            memory.events.tell(&change, self.now);
            // Nobody listens: nothing to tell.
            let _ = memory.changes.send(change);
        }
        drop(self.gate);
        Ok(())
    }
}

/// Now, in whole microseconds.
pub(crate) fn now() -> WallTime {
    WallTime::from(SystemTime::now())
}
