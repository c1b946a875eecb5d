//! Inputs of live entries: where an entry takes media from by itself, without an encoder that knows a key.
//!
//! They are in memory too, with the stream keys: whoever runs them asks no database. A URL is *kept in clear*, because
//! it is called with the passphrase that it may hold; the audit log has it without.

use address::InputUrl;
use media::WallTime;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::{Map, Value, json};

use crate::audit::{Action, Note};
use crate::changes::Kind as Changed;
use crate::check;
use crate::entries;
use crate::entry::{Entry, Kind};
use crate::error::Error;
use crate::id::{EntryId, InputId};
use crate::scope::{Caller, Scope};
use crate::store::{Store, Write};
use crate::tables::inputs::{Column, Entity, Model};

/// Most inputs of an entry.
pub const MOST: u64 = 16;
/// Longest name, in characters.
pub const NAME: usize = 200;
/// Longest name of a rendition, in characters of `a-z` and `0-9`.
pub const RENDITION: usize = 32;

/// An input of a live entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Input {
    /// Its id.
    pub id: InputId,
    /// The entry that it feeds.
    pub entry: EntryId,
    /// What of it can be written.
    pub details: Details,
    /// When it was created.
    pub created: WallTime,
    /// When it was changed last.
    pub updated: WallTime,
    /// Grows by one with each change.
    pub version: u64,
}

/// What of an input can be written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Details {
    /// Its name, for people: at most [`NAME`] characters, perhaps none.
    pub name: String,
    /// Where media comes from.
    pub url: InputUrl,
    /// The rendition of a switching set that it brings: at most [`RENDITION`] characters.
    pub rendition: Option<String>,
    /// Whether it runs.
    pub enabled: bool,
}

/// Inputs.
pub struct Inputs<'a>(pub(crate) &'a Store);

impl Inputs<'_> {
    /// Those of an entry, by id.
    pub async fn list(&self, scope: &Scope, entry: &EntryId) -> Result<Vec<Input>, Error> {
        self.0
            .patiently(async {
                entries::exists(&self.0.connection, scope, entry).await?;
                of(&self.0.connection, entry).await
            })
            .await
    }

    /// One of them.
    pub async fn get(&self, scope: &Scope, entry: &EntryId, id: &InputId) -> Result<Input, Error> {
        let all = self.list(scope, entry).await?;
        all.into_iter().find(|input| input.id == *id).ok_or(Error::NotFound("input"))
    }

    /// Adds one. One beyond [`MOST`] is [`Error::Conflict`].
    pub async fn create(&self, caller: &Caller, entry: &EntryId, details: Details) -> Result<Input, Error> {
        checked(&details)?;
        self.0
            .patiently(async {
                let mut write = self.0.begin(caller).await?;
                let entry = live(&write, entry).await?;
                has_room(&write, &entry.id).await?;
                let (id, created) = (InputId::random()?, write.now);
                let input =
                    Input { id, entry: entry.id.clone(), details, created, updated: created, version: 1 };
                write.insert(input.row()?).await?;
                let note = Note::created(&input.id, input.summary());
                entries::note(&mut write, &entry, note, Changed::InputsChanged).await?;
                write.commit().await.map(|()| input)
            })
            .await
    }

    /// Changes one: `edit` is given the details as they are. With `expected`, only when it still has this version.
    pub async fn update(
        &self,
        caller: &Caller,
        entry: &EntryId,
        id: &InputId,
        expected: Option<u64>,
        edit: impl FnOnce(&mut Details) + Send,
    ) -> Result<Input, Error> {
        self.0
            .patiently(async {
                let mut write = self.0.begin(caller).await?;
                let (entry, old) = locked(&write, entry, id).await?;
                check::version(expected, old.version)?;
                let new = old.changed(write.now, edit);
                checked(&new.details)?;
                write.replace(new.row()?).await?;
                let note = Note::changed(Action::Update, id, old.summary(), new.summary());
                entries::note(&mut write, &entry, note, Changed::InputsChanged).await?;
                write.commit().await.map(|()| new)
            })
            .await
    }

    /// Removes one.
    pub async fn delete(
        &self,
        caller: &Caller,
        entry: &EntryId,
        id: &InputId,
        expected: Option<u64>,
    ) -> Result<(), Error> {
        self.0
            .patiently(async {
                let mut write = self.0.begin(caller).await?;
                let (entry, old) = locked(&write, entry, id).await?;
                check::version(expected, old.version)?;
                Entity::delete_by_id(id.as_str()).exec(&write.transaction).await?;
                let note = Note::deleted(id, old.summary());
                entries::note(&mut write, &entry, note, Changed::InputsChanged).await?;
                write.commit().await
            })
            .await
    }
}

impl Input {
    fn changed(&self, now: WallTime, edit: impl FnOnce(&mut Details)) -> Input {
        let mut details = self.details.clone();
        edit(&mut details);
        let (updated, version) = (now.max(self.updated), self.version + 1);
        Input { details, updated, version, ..self.clone() }
    }

    pub(crate) fn stored(row: Model) -> Result<Input, Error> {
        let broken = |wrong| Error::Broken(format!("the URL of the input {} {wrong}", row.id));
        let url = InputUrl::parse(&row.url).map_err(broken)?;
        Ok(Input {
            id: InputId::stored(row.id),
            entry: EntryId::stored(row.entry),
            details: Details { name: row.name, url, rendition: row.rendition, enabled: row.enabled },
            created: WallTime::from_micros(row.created),
            updated: WallTime::from_micros(row.updated),
            version: u64::try_from(row.version).unwrap_or_default(),
        })
    }

    fn row(&self) -> Result<Model, Error> {
        Ok(Model {
            id: self.id.to_string(),
            entry: self.entry.to_string(),
            name: self.details.name.clone(),
            url: self.details.url.expose().to_owned(),
            rendition: self.details.rendition.clone(),
            enabled: self.details.enabled,
            created: self.created.micros(),
            updated: self.updated.micros(),
            version: check::count("version", self.version)?,
        })
    }

    fn summary(&self) -> Map<String, Value> {
        let Details { name, url, rendition, enabled } = &self.details;
        let fields = [
            ("entry", json!(self.entry.as_str())),
            ("name", json!(name)),
            ("url", json!(url.hidden())),
            ("rendition", json!(rendition)),
            ("enabled", json!(enabled)),
        ];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// All of an entry, by id.
async fn of<C: ConnectionTrait>(connection: &C, entry: &EntryId) -> Result<Vec<Input>, Error> {
    let rows = Entity::find().filter(Column::Entry.eq(entry.as_str())).order_by_asc(Column::Id);
    rows.all(connection).await?.into_iter().map(Input::stored).collect()
}

async fn live(write: &Write, entry: &EntryId) -> Result<Entry, Error> {
    let entry = entries::locked(write, entry).await?;
    match entry.kind {
        Kind::Live => Ok(entry),
        Kind::Vod => Err(Error::Conflict("a VOD entry has no inputs".to_owned())),
    }
}

async fn locked(write: &Write, entry: &EntryId, id: &InputId) -> Result<(Entry, Input), Error> {
    let entry = live(write, entry).await?;
    let query = Entity::find_by_id(id.as_str()).filter(Column::Entry.eq(entry.id.as_str()));
    let row = query.lock_exclusive().one(&write.transaction).await?.ok_or(Error::NotFound("input"))?;
    Ok((entry, Input::stored(row)?))
}

async fn has_room(write: &Write, entry: &EntryId) -> Result<(), Error> {
    let own = Entity::find().filter(Column::Entry.eq(entry.as_str()));
    match own.count(&write.transaction).await? >= MOST {
        true => Err(Error::Conflict(format!("the entry has {MOST} inputs, which is the most"))),
        false => Ok(()),
    }
}

fn checked(details: &Details) -> Result<(), Error> {
    check::text("name", &details.name, NAME)?;
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    match &details.rendition {
        Some(it) if !(1..=RENDITION).contains(&it.len()) || !it.bytes().all(legal) => {
            Err(Error::invalid("rendition", format!("is not 1 to {RENDITION} of a-z 0-9")))
        }
        _ => Ok(()),
    }
}
