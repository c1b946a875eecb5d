//! Recordings that were taken out and whose files are still there.
//!
//! They are noted in the transaction that takes them out: with a recording, with its entry, or with the last clip of one
//! that was hidden. Whoever looks after files takes them away, once no clip shows them, and says so. However often the
//! process dies between the two, nothing promises what is not there, and no file is forgotten.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use serde_json::{Map, Value, json};

use crate::audit::Note;
use crate::changes::{Change, Kind};
use crate::clips;
use crate::entries;
use crate::entry::Entry;
use crate::error::Error;
use crate::events::{Kind as EventKind, NewEvent};
use crate::id::{EntryId, RecordingId};
use crate::recordings::{Deleted, Recording, RecordingState, Recordings};
use crate::scope::Caller;
use crate::store::{Store, Write};
use crate::tables::removed_recordings::{Column, Entity, Model};
use crate::tables::{clip_ranges, recordings};

/// Most of them that are listed at once; the others have their turn when these are done.
pub const MOST: u64 = 1000;

/// A recording that was taken out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Removed {
    /// Of which entry, which may be gone too.
    pub entry: EntryId,
    /// Which.
    pub recording: RecordingId,
}

/// Recordings that were taken out and whose files are still there.
pub struct Removals<'a>(pub(crate) &'a Store);

impl Removals<'_> {
    /// Those whose files may go: no clip shows them. The oldest first, at most [`MOST`].
    pub async fn list(&self) -> Result<Vec<Removed>, Error> {
        let shown = clip_ranges::Entity::find().select_only().column(clip_ranges::Column::Recording);
        let query = Entity::find().filter(Column::Id.not_in_subquery(shown.into_query()));
        let query = query.order_by_asc(Column::At).order_by_asc(Column::Id).limit(MOST);
        let rows = self.0.patiently(async { Ok(query.all(&self.0.connection).await?) }).await?;
        Ok(rows.into_iter().map(Removed::stored).collect())
    }

    /// The files of one are gone. It is no change that somebody answers for.
    pub async fn done(&self, recording: &RecordingId) -> Result<(), Error> {
        self.0
            .patiently(async {
                let write = self.0.begin(&Caller::server()).await?;
                Entity::delete_by_id(recording.as_str()).exec(&write.transaction).await?;
                write.commit().await
            })
            .await
    }
}

impl Recordings<'_> {
    /// Takes one out that is neither open nor protected, tells why, and says whether its files may go. Where clips show
    /// it, it is hidden until the last of them is gone; with `why`, the reason of a clean-up, it stays.
    ///
    /// # Errors
    /// [`Error::Conflict`] for one that must stay.
    pub async fn remove(
        &self,
        caller: &Caller,
        entry: &EntryId,
        id: &RecordingId,
        why: Option<&str>,
    ) -> Result<Deleted, Error> {
        self.0
            .patiently(async {
                let mut write = self.0.begin(caller).await?;
                let old = crate::recordings::locked(&write, id).await?;
                if old.entry != *entry {
                    return Err(Error::NotFound("recording"));
                }
                let owner = entries::locked(&write, entry).await?;
                let shown = clips::references(&write.transaction, id).await? > 0;
                may_go(&old, shown && why.is_some())?;
                let deleted = take_out(&write, &old, shown).await?;
                let note = Note::deleted(id, old.summary()).because(why);
                write.record(note, Change::of(&owner, Kind::Recording)).await?;
                let at = write.now;
                write.commit().await?;
                self.0.memory.events.record(NewEvent {
                    account: Some(owner.account),
                    entry: Some(entry.to_string()),
                    kind: EventKind::RecordingRemoved,
                    at,
                    data: told(&old, why, deleted),
                });
                Ok(deleted)
            })
            .await
    }
}

impl Removed {
    fn stored(row: Model) -> Removed {
        Removed { entry: EntryId::stored(row.entry), recording: RecordingId::stored(row.id) }
    }
}

/// Notes one whose row goes with this transaction.
pub(crate) async fn note(write: &Write, recording: &str, entry: &str) -> Result<(), Error> {
    write.insert(Model { id: recording.to_owned(), entry: entry.to_owned(), at: write.now.micros() }).await
}

/// Notes all of an entry that goes with this transaction.
pub(crate) async fn note_all(write: &Write, entry: &Entry) -> Result<(), Error> {
    let of_entry = recordings::Entity::find().filter(recordings::Column::Entry.eq(entry.id.as_str()));
    for row in of_entry.all(&write.transaction).await? {
        note(write, &row.id, &row.entry).await?;
    }
    Ok(())
}

/// Whether one was taken out, and its files are there perhaps.
pub(crate) async fn is_out(write: &Write, recording: &RecordingId) -> Result<bool, Error> {
    Ok(Entity::find_by_id(recording.as_str()).one(&write.transaction).await?.is_some())
}

/// Takes the row of a recording out, or hides it where clips show it.
pub(crate) async fn take_out(write: &Write, old: &Recording, shown: bool) -> Result<Deleted, Error> {
    if shown {
        write.replace(recordings::Model { deleted: Some(write.now.micros()), ..old.row()? }).await?;
        return Ok(Deleted::Kept);
    }
    recordings::Entity::delete_by_id(old.id.as_str()).exec(&write.transaction).await?;
    note(write, old.id.as_str(), old.entry.as_str()).await?;
    Ok(Deleted::Gone)
}

fn may_go(recording: &Recording, needed: bool) -> Result<(), Error> {
    let why_not = match recording {
        it if it.progress.state == RecordingState::Open => "it is being written: stop it first",
        it if it.protected => "it is protected",
        _ if needed => "clips are made of it",
        _ => return Ok(()),
    };
    Err(Error::Conflict(why_not.to_owned()))
}

fn told(recording: &Recording, why: Option<&str>, deleted: Deleted) -> Map<String, Value> {
    let fields = [
        ("recording", json!(recording.id.as_str())),
        ("bytes", json!(recording.progress.bytes)),
        ("reason", json!(why.unwrap_or("somebody removed it"))),
        ("kept_for_clips", json!(deleted == Deleted::Kept)),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
