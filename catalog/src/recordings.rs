//! Recordings of an entry: that they are there, how long and how large. What is in them, the recorder's index says.

use std::collections::HashSet;

use media::WallTime;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Map, Value, json};

use crate::audit::{Action, Note};
use crate::changes::{Change, Kind};
use crate::check;
use crate::clips;
use crate::entries;
use crate::error::Error;
use crate::id::{EntryId, RecordingId};
use crate::removals;
use crate::scope::{Caller, Scope};
use crate::store::{Store, Write};
use crate::tables::recordings::{Column, Entity, Model};
use crate::words::words;

words! {
    /// How far a recording is.
    RecordingState {
        /// It grows.
        Open = "open",
        /// It ended with its session.
        Finished = "finished",
        /// It ended with the server, or with its disk.
        Interrupted = "interrupted",
        /// Its files are not where they were.
        Missing = "missing",
    }
}

/// A recording.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recording {
    /// Its id.
    pub id: RecordingId,
    /// Of which entry.
    pub entry: EntryId,
    /// Of which session: the number of its first period.
    pub session: u64,
    /// How far it is.
    pub progress: Progress,
    /// When it began.
    pub started: WallTime,
    /// Cleaning up leaves it.
    pub protected: bool,
}

/// How far a recording is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// Whether it grows.
    pub state: RecordingState,
    /// When it ended; `None` while it grows.
    pub ended: Option<WallTime>,
    /// Its size.
    pub bytes: u64,
}

/// What became of a recording that was deleted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deleted {
    /// Its files may go.
    Gone,
    /// Clips show it: its files have to stay until the last of them is gone.
    Kept,
}

/// Recordings.
pub struct Recordings<'a>(pub(crate) &'a Store);

impl Recordings<'_> {
    /// Notes that one began.
    pub async fn begin(&self, caller: &Caller, entry: &EntryId, session: u64) -> Result<Recording, Error> {
        check::count("session", session)?;
        self.0
            .patiently(async {
                let mut write = self.0.begin(caller).await?;
                let owner = entries::locked(&write, entry).await?;
                let recording = Recording {
                    id: RecordingId::random()?,
                    entry: entry.clone(),
                    session,
                    progress: Progress { state: RecordingState::Open, ended: None, bytes: 0 },
                    started: write.now,
                    protected: false,
                };
                write.insert(recording.row()?).await?;
                let note = Note::created(&recording.id, recording.summary());
                write.record(note, Change::of(&owner, Kind::Recording)).await?;
                write.commit().await.map(|()| recording)
            })
            .await
    }

    /// Notes one as it is, whether it is known already or not; whether it is protected stays as it was. One that was
    /// taken out is not there.
    pub async fn note(&self, caller: &Caller, new: &Recording) -> Result<(), Error> {
        check::count("session", new.session)?;
        self.0
            .patiently(async {
                let mut write = self.0.begin(caller).await?;
                let owner = entries::locked(&write, &new.entry).await?;
                let old = Entity::find_by_id(new.id.as_str()).one(&write.transaction).await?;
                if old.as_ref().is_some_and(|row| row.deleted.is_some())
                    || removals::is_out(&write, &new.id).await?
                {
                    return Err(Error::NotFound("recording"));
                }
                let told = Change::of(&owner, Kind::Recording);
                match old {
                    None => {
                        write.insert(new.row()?).await?;
                        write.record(Note::created(&new.id, new.summary()), told).await?;
                    }
                    Some(row) => {
                        let (deleted, old) = (row.deleted, Recording::stored(row)?);
                        let new = Recording { protected: old.protected, ..new.clone() };
                        write.replace(Model { deleted, ..new.row()? }).await?;
                        if old.progress.state == new.progress.state {
                            write.tell(told);
                        } else {
                            let note = Note::changed(Action::Update, &new.id, old.summary(), new.summary());
                            write.record(note, told).await?;
                        }
                    }
                }
                write.commit().await
            })
            .await
    }

    /// All of them, of all entries.
    pub async fn all(&self) -> Result<Vec<Recording>, Error> {
        self.0
            .patiently(async {
                let rows = Entity::find().order_by_asc(Column::Id).all(&self.0.connection).await?;
                rows.into_iter().map(Recording::stored).collect()
            })
            .await
    }

    /// Those of an entry, the oldest first.
    pub async fn list(&self, scope: &Scope, entry: &EntryId) -> Result<Vec<Recording>, Error> {
        self.0
            .patiently(async {
                entries::exists(&self.0.connection, scope, entry).await?;
                let query = Entity::find().filter(Column::Entry.eq(entry.as_str()));
                let query = query.filter(Column::Deleted.is_null());
                let query = query.order_by_asc(Column::Started).order_by_asc(Column::Id);
                query.all(&self.0.connection).await?.into_iter().map(Recording::stored).collect()
            })
            .await
    }

    /// One of an entry.
    pub async fn get(&self, scope: &Scope, entry: &EntryId, id: &RecordingId) -> Result<Recording, Error> {
        self.0
            .patiently(async {
                entries::exists(&self.0.connection, scope, entry).await?;
                let query = Entity::find_by_id(id.as_str()).filter(Column::Entry.eq(entry.as_str()));
                let row = query.filter(Column::Deleted.is_null()).one(&self.0.connection).await?;
                Recording::stored(row.ok_or(Error::NotFound("recording"))?)
            })
            .await
    }

    /// Those that are hidden: deleted, and shown by clips.
    pub async fn hidden(&self) -> Result<Vec<Recording>, Error> {
        self.0
            .patiently(async {
                let hidden =
                    Entity::find().filter(Column::Deleted.is_not_null()).all(&self.0.connection).await?;
                hidden.into_iter().map(Recording::stored).collect()
            })
            .await
    }

    /// All of the server that are listed, in no order, and the ids of those that clips show, listed or not.
    pub async fn stock(&self) -> Result<(Vec<Recording>, HashSet<RecordingId>), Error> {
        self.0
            .patiently(async {
                let shown = clips::all_shown(&self.0.connection).await?;
                let listed = Entity::find().filter(Column::Deleted.is_null()).all(&self.0.connection).await?;
                let listed = listed.into_iter().map(Recording::stored).collect::<Result<_, _>>()?;
                Ok((listed, shown))
            })
            .await
    }

    /// Notes how far one is. Growing is no change that somebody answers for; ending is.
    pub async fn progress(&self, caller: &Caller, id: &RecordingId, progress: Progress) -> Result<(), Error> {
        check::count("bytes", progress.bytes)?;
        self.change(caller, id, |recording| Recording { progress, ..recording }).await
    }

    /// Keeps one from being cleaned up, or no longer.
    pub async fn protect(&self, caller: &Caller, id: &RecordingId, protected: bool) -> Result<(), Error> {
        self.change(caller, id, |recording| Recording { protected, ..recording }).await
    }

    /// Forgets one, and says whether its files may go, which are somebody else's to delete. Where clips show it, it is only
    /// hidden, and forgotten with the last of them.
    pub async fn delete(&self, caller: &Caller, id: &RecordingId) -> Result<Deleted, Error> {
        self.0
            .patiently(async {
                let mut write = self.0.begin(caller).await?;
                let old = locked(&write, id).await?;
                let owner = entries::locked(&write, &old.entry).await?;
                let shown = clips::references(&write.transaction, id).await? > 0;
                let deleted = removals::take_out(&write, &old, shown).await?;
                write.record(Note::deleted(id, old.summary()), Change::of(&owner, Kind::Recording)).await?;
                write.commit().await?;
                Ok(deleted)
            })
            .await
    }

    async fn change(
        &self,
        caller: &Caller,
        id: &RecordingId,
        change: impl FnOnce(Recording) -> Recording + Send,
    ) -> Result<(), Error> {
        self.0
            .patiently(async {
                let mut write = self.0.begin(caller).await?;
                let old = locked(&write, id).await?;
                let owner = entries::locked(&write, &old.entry).await?;
                let new = change(old.clone());
                write.replace(new.row()?).await?;
                let told = Change::of(&owner, Kind::Recording);
                if old.progress.state == new.progress.state && old.protected == new.protected {
                    write.tell(told);
                } else {
                    write
                        .record(Note::changed(Action::Update, id, old.summary(), new.summary()), told)
                        .await?;
                }
                write.commit().await
            })
            .await
    }
}

impl Recording {
    fn stored(row: Model) -> Result<Recording, Error> {
        Ok(Recording {
            id: RecordingId::stored(row.id),
            entry: EntryId::stored(row.entry),
            session: u64::try_from(row.session).unwrap_or_default(),
            progress: Progress {
                state: RecordingState::stored(&row.state)?,
                ended: row.ended.map(WallTime::from_micros),
                bytes: u64::try_from(row.bytes).unwrap_or_default(),
            },
            started: WallTime::from_micros(row.started),
            protected: row.protected,
        })
    }

    pub(crate) fn row(&self) -> Result<Model, Error> {
        Ok(Model {
            id: self.id.to_string(),
            entry: self.entry.to_string(),
            session: check::count("session", self.session)?,
            state: self.progress.state.to_string(),
            started: self.started.micros(),
            ended: self.progress.ended.map(WallTime::micros),
            bytes: check::count("bytes", self.progress.bytes)?,
            protected: self.protected,
            deleted: None,
        })
    }

    pub(crate) fn summary(&self) -> Map<String, Value> {
        let fields = [
            ("entry", json!(self.entry.as_str())),
            ("session", json!(self.session)),
            ("state", json!(self.progress.state.as_str())),
            ("bytes", json!(self.progress.bytes)),
            ("protected", json!(self.protected)),
        ];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

pub(crate) async fn locked(write: &Write, id: &RecordingId) -> Result<Recording, Error> {
    let query = Entity::find_by_id(id.as_str()).filter(write.caller.scope.admits_entry(Column::Entry));
    let query = query.filter(Column::Deleted.is_null());
    Recording::stored(query.one(&write.transaction).await?.ok_or(Error::NotFound("recording"))?)
}
