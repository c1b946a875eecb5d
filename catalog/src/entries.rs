//! Entries: creating, reading, changing, deleting. [`list`] finds them.

pub mod list;

use std::collections::HashMap;

use media::WallTime;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, Select};

use crate::audit::{Action, Note};
use crate::changes::{Change, Kind as Changed};
use crate::check;
use crate::clips;
use crate::entry::{self, Air, Details, Entry, Kind, LiveSettings};
use crate::error::Error;
use crate::id::{AccountId, EntryId};
use crate::page::{Page, Paging};
use crate::removals;
use crate::scope::{Caller, Scope};
use crate::search;
use crate::store::{Store, Write};
use crate::stream_keys::{self, StreamKeys};
use crate::tables::{entries, entry_tags, live};

/// Names are sorted by their first so many characters: an index row of PostgreSQL holds 2.7 KB.
const SORTED: usize = 100;

/// What an entry is created from.
#[derive(Clone, PartialEq, Debug)]
pub struct NewEntry {
    /// Whose it will be: the caller's own when `None`, the main account's for an administrator of the server.
    pub account: Option<AccountId>,
    /// Live or VOD.
    pub kind: Kind,
    /// Whether the public may watch a live one at once.
    pub air: Air,
    /// What people say about it.
    pub details: Details,
}

/// Entries.
pub struct Entries<'a>(pub(crate) &'a Store);

impl NewEntry {
    /// A live entry that everybody may watch, with a name and nothing else.
    pub fn live(name: impl Into<String>) -> NewEntry {
        let details = Details { name: name.into(), ..Details::default() };
        NewEntry { account: None, kind: Kind::Live, air: Air::Live, details }
    }

    /// A VOD entry with a name and nothing else.
    pub fn vod(name: impl Into<String>) -> NewEntry {
        NewEntry { kind: Kind::Vod, ..NewEntry::live(name) }
    }
}

impl Entries<'_> {
    /// Makes a new one. A live one has both its stream keys at once and can be published to.
    pub async fn create(&self, caller: &Caller, new: NewEntry) -> Result<(Entry, StreamKeys), Error> {
        let account = caller.scope.home(new.account)?;
        let details = check::details(new.kind, new.details)?;
        self.0
            .patiently(async {
                let mut write = self.0.begin(caller).await?;
                let entry = Entry {
                    id: EntryId::random()?,
                    account,
                    kind: new.kind,
                    air: (new.kind == Kind::Live).then_some(new.air),
                    details,
                    created: write.now,
                    updated: write.now,
                    version: 1,
                };
                insert(&write, &entry).await?;
                let keys = stream_keys::first(&write, &entry).await?;
                note(&mut write, &entry, Note::created(&entry.id, entry.summary()), Changed::EntryCreated)
                    .await?;
                write.commit().await.map(|()| (entry, keys))
            })
            .await
    }

    /// One of them.
    pub async fn get(&self, scope: &Scope, id: &EntryId) -> Result<Entry, Error> {
        self.0.patiently(one(&self.0.connection, of(scope, id))).await
    }

    /// A page of those that match.
    pub async fn list(
        &self,
        scope: &Scope,
        wanted: &list::Wanted,
        paging: &Paging,
    ) -> Result<Page<Entry>, Error> {
        self.0.patiently(list::page(&self.0.connection, scope, wanted, paging)).await
    }

    /// Changes what of it can be written: `edit` is given the details as they are. With `expected`, only when it still
    /// has this version.
    pub async fn update(
        &self,
        caller: &Caller,
        id: &EntryId,
        expected: Option<u64>,
        edit: impl FnOnce(&mut Details) + Send,
    ) -> Result<Entry, Error> {
        self.0
            .patiently(async {
                let mut write = self.0.begin(caller).await?;
                let old = locked(&write, id).await?;
                check::version(expected, old.version)?;
                let mut details = old.details.clone();
                edit(&mut details);
                let new = Entry { details: check::details(old.kind, details)?, ..next(&old, write.now) };
                replace(&write, &new).await?;
                let what = Note::changed(Action::Update, id, old.summary(), new.summary());
                note(&mut write, &new, what, Changed::EntryUpdated).await?;
                write.commit().await.map(|()| new)
            })
            .await
    }

    /// Puts a live entry before the public, or takes it back to preview.
    pub async fn switch(&self, caller: &Caller, id: &EntryId, air: Air) -> Result<Entry, Error> {
        self.0
            .patiently(async {
                let mut write = self.0.begin(caller).await?;
                let old = locked(&write, id).await?;
                if old.kind != Kind::Live {
                    return Err(Error::Conflict("a VOD entry is not on air".to_owned()));
                }
                let new = Entry { air: Some(air), ..next(&old, write.now) };
                replace(&write, &new).await?;
                let what = Note::changed(Action::Switch, id, old.summary(), new.summary());
                note(&mut write, &new, what, Changed::AirSwitched).await?;
                write.commit().await.map(|()| new)
            })
            .await
    }

    /// Deletes it with its keys and the rows of its assets, recordings and jobs; files are somebody else's to delete,
    /// where [`Clips::holds`](crate::clips::Clips::holds) lets them go.
    pub async fn delete(&self, caller: &Caller, id: &EntryId, expected: Option<u64>) -> Result<(), Error> {
        self.0
            .patiently(async {
                let mut write = self.0.begin(caller).await?;
                let old = locked(&write, id).await?;
                check::version(expected, old.version)?;
                search::remove(&write.transaction, id).await?;
                let shown = clips::shown_by(&write, id).await?;
                removals::note_all(&write, &old).await?;
                entries::Entity::delete_by_id(id.as_str()).exec(&write.transaction).await?;
                clips::let_go(&mut write, &shown).await?;
                note(&mut write, &old, Note::deleted(id, old.summary()), Changed::EntryDeleted).await?;
                write.commit().await
            })
            .await
    }
}

/// An entry that is about to be changed, held against other processes.
pub(crate) async fn locked(write: &Write, id: &EntryId) -> Result<Entry, Error> {
    let held = of(&write.caller.scope, id).lock_exclusive().one(&write.transaction).await?;
    held.ok_or(Error::NotFound("entry"))?;
    one(&write.transaction, of(&write.caller.scope, id)).await
}

/// That an entry is there within a scope.
pub(crate) async fn exists<C: ConnectionTrait>(
    connection: &C,
    scope: &Scope,
    id: &EntryId,
) -> Result<(), Error> {
    of(scope, id).one(connection).await?.map(drop).ok_or(Error::NotFound("entry"))
}

/// Something about an entry changed that is not in its row: it is another version all the same.
pub(crate) async fn bump(write: &Write, entry: &Entry) -> Result<Entry, Error> {
    let new = next(entry, write.now);
    write.replace(row(&new)?).await?;
    Ok(new)
}

/// Tells of a change of an entry, and has the view in memory read it anew.
pub(crate) async fn note(write: &mut Write, entry: &Entry, note: Note, kind: Changed) -> Result<(), Error> {
    write.touch(&entry.id);
    write.record(note, Change::of(entry, kind)).await
}

/// Rows with what belongs to them, in the order of the rows.
pub(crate) async fn whole<C: ConnectionTrait>(
    connection: &C,
    rows: Vec<(entries::Model, Option<live::Model>)>,
) -> Result<Vec<Entry>, Error> {
    let ids = rows.iter().map(|(entry, _)| entry.id.as_str());
    let query = entry_tags::Entity::find().filter(entry_tags::Column::Entry.is_in(ids));
    let mut tags: HashMap<String, Vec<String>> = HashMap::new();
    for row in query.all(connection).await? {
        tags.entry(row.entry).or_default().push(row.tag);
    }
    let entry = |(row, live): (entries::Model, Option<live::Model>)| {
        let tags = tags.remove(&row.id).unwrap_or_default();
        stored(row, live, tags)
    };
    rows.into_iter().map(entry).collect()
}

fn of(scope: &Scope, id: &EntryId) -> Select<entries::Entity> {
    entries::Entity::find_by_id(id.as_str()).filter(scope.admits(entries::Column::Account))
}

async fn one<C: ConnectionTrait>(connection: &C, query: Select<entries::Entity>) -> Result<Entry, Error> {
    let row = query.find_also_related(live::Entity).one(connection).await?;
    let entries = whole(connection, row.into_iter().collect()).await?;
    entries.into_iter().next().ok_or(Error::NotFound("entry"))
}

fn next(entry: &Entry, now: WallTime) -> Entry {
    // The clock may have been set back; an entry was never changed before it was changed last.
    Entry { updated: now.max(entry.updated), version: entry.version + 1, ..entry.clone() }
}

pub(crate) async fn insert(write: &Write, entry: &Entry) -> Result<(), Error> {
    write.insert(row(entry)?).await?;
    if let Some(air) = entry.air {
        write.insert(entry.details.live.row(&entry.id, air)).await?;
    }
    describe(write, entry).await
}

async fn replace(write: &Write, entry: &Entry) -> Result<(), Error> {
    write.replace(row(entry)?).await?;
    if let Some(air) = entry.air {
        write.replace(entry.details.live.row(&entry.id, air)).await?;
    }
    let old = entry_tags::Entity::delete_many().filter(entry_tags::Column::Entry.eq(entry.id.as_str()));
    old.exec(&write.transaction).await?;
    describe(write, entry).await
}

/// Tags, and what it is found by.
async fn describe(write: &Write, entry: &Entry) -> Result<(), Error> {
    let details = &entry.details;
    for tag in &details.tags {
        write.insert(entry_tags::Model { entry: entry.id.to_string(), tag: tag.clone() }).await?;
    }
    let texts = [details.name.as_str(), details.description.as_str()].into_iter();
    let texts: Vec<&str> = texts.chain(details.tags.iter().map(String::as_str)).collect();
    Ok(search::put(&write.transaction, &entry.id, &texts).await?)
}

fn row(entry: &Entry) -> Result<entries::Model, Error> {
    let details = &entry.details;
    Ok(entries::Model {
        id: entry.id.to_string(),
        account: entry.account.to_string(),
        kind: entry.kind.to_string(),
        name: details.name.clone(),
        sort_name: search::fold(&details.name).chars().take(SORTED).collect(),
        description: details.description.clone(),
        metadata: serde_json::Value::Object(details.metadata.clone()).to_string(),
        owner: details.owner.clone(),
        created: entry.created.micros(),
        updated: entry.updated.micros(),
        version: check::count("version", entry.version)?,
        access: entry::rules_row(&details.access),
    })
}

fn stored(row: entries::Model, live: Option<live::Model>, mut tags: Vec<String>) -> Result<Entry, Error> {
    let broken = |_| Error::Broken(format!("the metadata of {} is not a JSON object", row.id));
    let metadata = serde_json::from_str(&row.metadata).map_err(broken)?;
    tags.sort_unstable();
    let access = entry::stored_rules(&row.id, row.access.as_deref())?;
    let settings = live.as_ref().map(LiveSettings::stored).transpose()?.unwrap_or_default();
    Ok(Entry {
        id: EntryId::stored(row.id),
        account: AccountId::stored(row.account),
        kind: Kind::stored(&row.kind)?,
        air: live.map(|live| Air::stored(&live.air)).transpose()?,
        details: Details {
            name: row.name,
            description: row.description,
            tags,
            metadata,
            owner: row.owner,
            access,
            live: settings,
        },
        created: WallTime::from_micros(row.created),
        updated: WallTime::from_micros(row.updated),
        version: u64::try_from(row.version).unwrap_or_default(),
    })
}
