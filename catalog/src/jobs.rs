//! Jobs: work for an entry that is done in the background. Here are their rows; who takes them up, retries them and
//! holds their leases comes with the runner.

use media::WallTime;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::{Map, Value, json};

use crate::audit::Note;
use crate::changes::{Change, Kind};
use crate::check;
use crate::entries;
use crate::error::Error;
use crate::id::{EntryId, JobId};
use crate::page::{After, Page, Paging};
use crate::scope::{Caller, Scope};
use crate::store::Store;
use crate::tables::jobs::{Column, Entity, Model};
use crate::words::words;

/// Longest kind of a job, in characters.
pub const KIND: usize = 50;
/// Largest input and output, in bytes of JSON.
pub const JSON: usize = 64 << 10;
/// Longest error, in characters.
pub const ERROR: usize = 2000;
const ORDER: &str = "id asc";

words! {
    /// How far a job is.
    JobState {
        /// Waits to be taken up.
        Queued = "queued",
        /// Is being done.
        Running = "running",
        /// Was done.
        Done = "done",
        /// Was given up.
        Failed = "failed",
        /// Was called off.
        Cancelled = "cancelled",
    }
}

/// A piece of work.
#[derive(Clone, PartialEq, Debug)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// For which entry.
    pub entry: EntryId,
    /// What kind of work, in the words of who does it.
    pub kind: String,
    /// Higher ones go first.
    pub priority: i32,
    /// How often it may be tried.
    pub max_attempts: u32,
    /// What it is given.
    pub input: Value,
    /// How far it is.
    pub status: JobStatus,
    /// When it was added.
    pub created: WallTime,
    /// When it was changed last.
    pub updated: WallTime,
}

/// How far a job is.
#[derive(Clone, PartialEq, Debug)]
pub struct JobStatus {
    /// Whether it waits, runs or is over.
    pub state: JobState,
    /// How often it was tried.
    pub attempts: u32,
    /// How much is done, in thousandths.
    pub progress: u16,
    /// What came of it.
    pub output: Option<Value>,
    /// Why it failed, in words for people.
    pub error: Option<String>,
}

/// What a job is created from.
#[derive(Clone, PartialEq, Debug)]
pub struct NewJob {
    /// What kind of work; at most [`KIND`] characters.
    pub kind: String,
    /// Higher ones go first.
    pub priority: i32,
    /// How often it may be tried.
    pub max_attempts: u32,
    /// What it is given; at most [`JSON`] bytes.
    pub input: Value,
}

/// Jobs.
pub struct Jobs<'a>(pub(crate) &'a Store);

impl Jobs<'_> {
    /// Adds one to an entry.
    pub async fn create(&self, caller: &Caller, entry: &EntryId, new: NewJob) -> Result<Job, Error> {
        check::named("kind", &new.kind, KIND)?;
        self.0
            .patiently(async {
                let mut write = self.0.begin(caller).await?;
                let owner = entries::locked(&write, entry).await?;
                let job = Job::new(entry, new, write.now)?;
                write.insert(job.row()?).await?;
                write.record(Note::created(&job.id, job.summary()), Change::of(&owner, Kind::Job)).await?;
                write.commit().await.map(|()| job)
            })
            .await
    }

    /// One of them.
    pub async fn get(&self, scope: &Scope, id: &JobId) -> Result<Job, Error> {
        let query = Entity::find_by_id(id.as_str()).filter(scope.admits_entry(Column::Entry));
        let row = self.0.patiently(async { Ok(query.one(&self.0.connection).await?) }).await?;
        Job::stored(row.ok_or(Error::NotFound("job"))?)
    }

    /// A page of those within the scope, by id; of one entry, in one state.
    pub async fn list(
        &self,
        scope: &Scope,
        entry: Option<&EntryId>,
        state: Option<JobState>,
        paging: &Paging,
    ) -> Result<Page<Job>, Error> {
        let (limit, after) = (paging.limit()?, paging.after(ORDER)?);
        let mut query = Entity::find().filter(scope.admits_entry(Column::Entry));
        if let Some(entry) = entry {
            query = query.filter(Column::Entry.eq(entry.as_str()));
        }
        if let Some(state) = state {
            query = query.filter(Column::State.eq(state.as_str()));
        }
        if let Some(after) = after {
            query = query.filter(Column::Id.gt(after.id));
        }
        let query = query.order_by_asc(Column::Id).limit(limit + 1);
        let rows = self.0.patiently(async { Ok(query.all(&self.0.connection).await?) }).await?;
        let key = |row: &Model| After { value: String::new(), id: row.id.clone() };
        Page::cut(rows, limit, ORDER, key).map(Job::stored)
    }

    /// Notes how far one is. This is the work's own progress and not in the audit log.
    pub async fn update(&self, caller: &Caller, id: &JobId, status: JobStatus) -> Result<Job, Error> {
        self.0
            .patiently(async {
                let mut write = self.0.begin(caller).await?;
                let query = Entity::find_by_id(id.as_str()).filter(caller.scope.admits_entry(Column::Entry));
                let row = query.lock_exclusive().one(&write.transaction).await?;
                let old = Job::stored(row.ok_or(Error::NotFound("job"))?)?;
                let owner = entries::locked(&write, &old.entry).await?;
                let job = Job { status, updated: write.now, ..old };
                write.replace(job.row()?).await?;
                write.tell(Change::of(&owner, Kind::Job));
                write.commit().await.map(|()| job)
            })
            .await
    }
}

impl Job {
    fn new(entry: &EntryId, new: NewJob, now: WallTime) -> Result<Job, Error> {
        let NewJob { kind, priority, max_attempts, input } = new;
        let status =
            JobStatus { state: JobState::Queued, attempts: 0, progress: 0, output: None, error: None };
        let (id, entry) = (JobId::random()?, entry.clone());
        Ok(Job { id, entry, kind, priority, max_attempts, input, status, created: now, updated: now })
    }

    fn stored(row: Model) -> Result<Job, Error> {
        let broken = |_| Error::Broken(format!("input or output of {} is not JSON", row.id));
        let output = row.output.as_deref().map(serde_json::from_str).transpose().map_err(broken)?;
        Ok(Job {
            input: serde_json::from_str(&row.input).map_err(broken)?,
            id: JobId::stored(row.id),
            entry: EntryId::stored(row.entry),
            kind: row.kind,
            priority: row.priority,
            max_attempts: u32::try_from(row.max_attempts).unwrap_or_default(),
            status: JobStatus {
                state: JobState::stored(&row.state)?,
                attempts: u32::try_from(row.attempts).unwrap_or_default(),
                progress: u16::try_from(row.progress).unwrap_or_default(),
                output,
                error: row.error,
            },
            created: WallTime::from_micros(row.created),
            updated: WallTime::from_micros(row.updated),
        })
    }

    fn row(&self) -> Result<Model, Error> {
        let status = &self.status;
        if let Some(error) = &status.error {
            check::text("error", error, ERROR)?;
        }
        Ok(Model {
            id: self.id.to_string(),
            entry: self.entry.to_string(),
            kind: self.kind.clone(),
            state: status.state.to_string(),
            priority: self.priority,
            attempts: check::small_count("attempts", status.attempts)?,
            max_attempts: check::small_count("max_attempts", self.max_attempts)?,
            progress: i32::from(status.progress.min(1000)),
            input: check::json("input", &self.input, JSON)?,
            output: status.output.as_ref().map(|output| check::json("output", output, JSON)).transpose()?,
            error: status.error.clone(),
            worker: None,
            lease_until: None,
            run_after: self.created.micros(),
            created: self.created.micros(),
            updated: self.updated.micros(),
        })
    }

    fn summary(&self) -> Map<String, Value> {
        let fields = [("entry", json!(self.entry.as_str())), ("kind", json!(self.kind))];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}
