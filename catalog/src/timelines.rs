//! Named timelines of live entries: which stretch of what is on air has a name, and whom it is for.
//!
//! They are in memory too, with the stream keys: whoever shows them asks no database.

use media::WallTime;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::{Map, Value, json};

use crate::audit::{Action, Note};
use crate::changes::Kind as Changed;
use crate::check;
use crate::entries;
use crate::entry::{Air, Entry, Kind};
use crate::error::Error;
use crate::id::EntryId;
use crate::scope::{Caller, Scope};
use crate::store::{Store, Write};
use crate::tables::timelines::{Column, Entity, Model};

/// Most timelines of an entry.
pub const MOST: u64 = 16;
/// Longest name, in characters of `a-z`, `0-9` and `-`.
pub const NAME: usize = 32;
/// Names that stand for something else: what everybody sees, and all of it.
pub const RESERVED: [&str; 2] = ["public", "preview"];

/// A named timeline.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Timeline {
    /// Its name: what `?timeline=` says.
    pub name: String,
    /// What of it can be written.
    pub details: Details,
    /// When it was created.
    pub created: WallTime,
    /// When it was changed last.
    pub updated: WallTime,
    /// Grows by one with each change.
    pub version: u64,
}

/// What of a timeline can be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Details {
    /// It begins with what is on air then.
    pub start: WallTime,
    /// It ends with what is on air then; with the stream where it is not given.
    pub end: Option<WallTime>,
    /// Whom it is for.
    pub air: Air,
}

/// Named timelines.
pub struct Timelines<'a>(pub(crate) &'a Store);

impl Timelines<'_> {
    /// Those of an entry, by name.
    pub async fn list(&self, scope: &Scope, entry: &EntryId) -> Result<Vec<Timeline>, Error> {
        self.0
            .patiently(async {
                entries::exists(&self.0.connection, scope, entry).await?;
                of(&self.0.connection, entry).await
            })
            .await
    }

    /// One of them.
    pub async fn get(&self, scope: &Scope, entry: &EntryId, name: &str) -> Result<Timeline, Error> {
        let all = self.list(scope, entry).await?;
        all.into_iter().find(|timeline| timeline.name == name).ok_or(Error::NotFound("timeline"))
    }

    /// Adds one. A name that is taken is [`Error::Conflict`], and so is one beyond [`MOST`].
    pub async fn create(
        &self,
        caller: &Caller,
        entry: &EntryId,
        name: &str,
        details: Details,
    ) -> Result<Timeline, Error> {
        named(name)?;
        ordered(&details)?;
        self.0
            .patiently(async {
                let mut write = self.0.begin(caller).await?;
                let entry = live(&write, entry).await?;
                has_room(&write, &entry.id, name).await?;
                let (created, name) = (write.now, name.to_owned());
                let new = Timeline { name, details, created, updated: created, version: 1 };
                write.insert(new.row(&entry.id)?).await?;
                let note = Note::created(subject(&entry.id, &new.name), new.summary());
                entries::note(&mut write, &entry, note, Changed::TimelinesChanged).await?;
                write.commit().await.map(|()| new)
            })
            .await
    }

    /// Changes one: `edit` is given the details as they are. With `expected`, only when it still has this version.
    pub async fn update(
        &self,
        caller: &Caller,
        entry: &EntryId,
        name: &str,
        expected: Option<u64>,
        edit: impl FnOnce(&mut Details) + Send,
    ) -> Result<Timeline, Error> {
        self.0
            .patiently(async {
                let mut write = self.0.begin(caller).await?;
                let (entry, old) = locked(&write, entry, name).await?;
                check::version(expected, old.version)?;
                let new = old.changed(write.now, edit);
                ordered(&new.details)?;
                write.replace(new.row(&entry.id)?).await?;
                let subject = subject(&entry.id, name);
                let note = Note::changed(Action::Update, subject, old.summary(), new.summary());
                entries::note(&mut write, &entry, note, Changed::TimelinesChanged).await?;
                write.commit().await.map(|()| new)
            })
            .await
    }

    /// Removes one.
    pub async fn delete(
        &self,
        caller: &Caller,
        entry: &EntryId,
        name: &str,
        expected: Option<u64>,
    ) -> Result<(), Error> {
        self.0
            .patiently(async {
                let mut write = self.0.begin(caller).await?;
                let (entry, old) = locked(&write, entry, name).await?;
                check::version(expected, old.version)?;
                let row = Entity::delete_by_id((entry.id.to_string(), name.to_owned()));
                row.exec(&write.transaction).await?;
                let note = Note::deleted(subject(&entry.id, name), old.summary());
                entries::note(&mut write, &entry, note, Changed::TimelinesChanged).await?;
                write.commit().await
            })
            .await
    }
}

impl Timeline {
    fn changed(&self, now: WallTime, edit: impl FnOnce(&mut Details)) -> Timeline {
        let mut details = self.details;
        edit(&mut details);
        let (updated, version) = (now.max(self.updated), self.version + 1);
        Timeline { details, updated, version, ..self.clone() }
    }

    pub(crate) fn stored(row: Model) -> Result<Timeline, Error> {
        let details = Details {
            start: WallTime::from_micros(row.starts_at),
            end: row.ends_at.map(WallTime::from_micros),
            air: Air::stored(&row.air)?,
        };
        Ok(Timeline {
            name: row.name,
            details,
            created: WallTime::from_micros(row.created),
            updated: WallTime::from_micros(row.updated),
            version: u64::try_from(row.version).unwrap_or_default(),
        })
    }

    fn row(&self, entry: &EntryId) -> Result<Model, Error> {
        Ok(Model {
            entry: entry.to_string(),
            name: self.name.clone(),
            air: self.details.air.to_string(),
            starts_at: self.details.start.micros(),
            ends_at: self.details.end.map(WallTime::micros),
            created: self.created.micros(),
            updated: self.updated.micros(),
            version: check::count("version", self.version)?,
        })
    }

    fn summary(&self) -> Map<String, Value> {
        let Details { start, end, air } = self.details;
        let fields = [
            ("name", json!(self.name)),
            ("start", json!(start.to_string())),
            ("end", json!(end.map(|at| at.to_string()))),
            ("air", json!(air.as_str())),
        ];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// All of an entry, by name.
async fn of<C: ConnectionTrait>(connection: &C, entry: &EntryId) -> Result<Vec<Timeline>, Error> {
    let rows = Entity::find().filter(Column::Entry.eq(entry.as_str())).order_by_asc(Column::Name);
    rows.all(connection).await?.into_iter().map(Timeline::stored).collect()
}

async fn live(write: &Write, entry: &EntryId) -> Result<Entry, Error> {
    let entry = entries::locked(write, entry).await?;
    match entry.kind {
        Kind::Live => Ok(entry),
        Kind::Vod => Err(Error::Conflict("a VOD entry has no timelines".to_owned())),
    }
}

async fn locked(write: &Write, entry: &EntryId, name: &str) -> Result<(Entry, Timeline), Error> {
    let entry = live(write, entry).await?;
    let query = Entity::find_by_id((entry.id.to_string(), name.to_owned())).lock_exclusive();
    let row = query.one(&write.transaction).await?.ok_or(Error::NotFound("timeline"))?;
    Ok((entry, Timeline::stored(row)?))
}

async fn has_room(write: &Write, entry: &EntryId, name: &str) -> Result<(), Error> {
    let of_entry = || Entity::find().filter(Column::Entry.eq(entry.as_str()));
    if of_entry().filter(Column::Name.eq(name)).count(&write.transaction).await? > 0 {
        return Err(Error::Conflict("the entry has a timeline of this name".to_owned()));
    }
    if of_entry().count(&write.transaction).await? >= MOST {
        return Err(Error::Conflict(format!("the entry has {MOST} timelines, which is the most")));
    }
    Ok(())
}

/// What the audit log calls it.
fn subject(entry: &EntryId, name: &str) -> String {
    format!("{entry}/{name}")
}

fn named(name: &str) -> Result<(), Error> {
    let legal = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    if !(1..=NAME).contains(&name.len()) || !name.bytes().all(legal) {
        return Err(Error::invalid("name", format!("is not 1 to {NAME} of a-z 0-9 -")));
    }
    if RESERVED.contains(&name) {
        return Err(Error::invalid("name", "stands for something else"));
    }
    Ok(())
}

fn ordered(details: &Details) -> Result<(), Error> {
    match details.end {
        Some(end) if end <= details.start => Err(Error::invalid("end", "is not after start")),
        _ => Ok(()),
    }
}
