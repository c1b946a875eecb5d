//! Accounts: tenants, who see nothing of each other.

use media::WallTime;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::{Map, Value, json};

use crate::audit::{Action, Note};
use crate::changes::{Change, Kind};
use crate::check;
use crate::error::Error;
use crate::id::AccountId;
use crate::page::{After, Page, Paging};
use crate::retention::Retention;
use crate::scope::{Caller, Scope};
use crate::store::{Store, Write};
use crate::tables::accounts::{Column, Entity, Model};

/// Longest name, in characters.
pub const NAME: usize = 250;
const ORDER: &str = "id asc";

/// A tenant.
#[derive(Clone, PartialEq, Debug)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Its name, for people.
    pub name: String,
    /// What it may use.
    pub quotas: Quotas,
    /// When it was created.
    pub created: WallTime,
    /// When it was changed last.
    pub updated: WallTime,
    /// Grows by one with each change.
    pub version: u64,
}

/// What an account may use; `None` is without limit. Whoever admits publishers holds them to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Quotas {
    /// Streams on air at once.
    pub streams: Option<u32>,
    /// Bitrate of all its streams together, in bits per second.
    pub bitrate: Option<u64>,
    /// How much is kept of all its recordings together.
    pub keep: Retention,
}

/// Accounts. Only who has all of them in scope may create, change or delete one.
pub struct Accounts<'a>(pub(crate) &'a Store);

impl Accounts<'_> {
    /// Makes a new one.
    pub async fn create(&self, caller: &Caller, name: &str, quotas: Quotas) -> Result<Account, Error> {
        administrator(caller)?;
        check::named("name", name, NAME)?;
        self.0
            .patiently(async {
                let mut write = self.0.begin(caller).await?;
                let account = new(&write, name, quotas)?;
                write.insert(account.row()?).await?;
                note(&mut write, &account, Note::created(&account.id, account.summary())).await?;
                write.commit().await.map(|()| account)
            })
            .await
    }

    /// One of them.
    pub async fn get(&self, scope: &Scope, id: &AccountId) -> Result<Account, Error> {
        let query = Entity::find_by_id(id.as_str()).filter(scope.admits(Column::Id));
        self.0.patiently(async { found(query.one(&self.0.connection).await?) }).await
    }

    /// Those within the scope, by id.
    pub async fn list(&self, scope: &Scope, paging: &Paging) -> Result<Page<Account>, Error> {
        let (limit, after) = (paging.limit()?, paging.after(ORDER)?);
        let mut query = Entity::find().filter(scope.admits(Column::Id));
        if let Some(after) = after {
            query = query.filter(Column::Id.gt(after.id));
        }
        let query = query.order_by_asc(Column::Id).limit(limit + 1);
        let rows = self.0.patiently(async { Ok(query.all(&self.0.connection).await?) }).await?;
        let key = |row: &Model| After { value: String::new(), id: row.id.clone() };
        Page::cut(rows, limit, ORDER, key).map(Account::stored)
    }

    /// Changes name and quotas. With `expected`, only when it still has this version.
    pub async fn update(
        &self,
        caller: &Caller,
        id: &AccountId,
        expected: Option<u64>,
        name: &str,
        quotas: Quotas,
    ) -> Result<Account, Error> {
        administrator(caller)?;
        check::named("name", name, NAME)?;
        self.0
            .patiently(async {
                let mut write = self.0.begin(caller).await?;
                let old = locked(&write, id).await?;
                check::version(expected, old.version)?;
                let new = old.changed(name, quotas, write.now);
                write.replace(new.row()?).await?;
                let what = Note::changed(Action::Update, id, old.summary(), new.summary());
                note(&mut write, &new, what).await?;
                write.commit().await.map(|()| new)
            })
            .await
    }

    /// Deletes one without entries, and its tokens. The main account stays.
    pub async fn delete(&self, caller: &Caller, id: &AccountId) -> Result<(), Error> {
        administrator(caller)?;
        if *id == AccountId::main() {
            return Err(Error::Conflict("the main account cannot be deleted".to_owned()));
        }
        self.0
            .patiently(async {
                let mut write = self.0.begin(caller).await?;
                let old = locked(&write, id).await?;
                Entity::delete_by_id(id.as_str()).exec(&write.transaction).await?;
                note(&mut write, &old, Note::deleted(id, old.summary())).await?;
                write.commit().await
            })
            .await
    }
}

impl Quotas {
    pub(crate) fn stored(row: &Model) -> Quotas {
        Quotas {
            streams: row.max_streams.and_then(|it| u32::try_from(it).ok()),
            bitrate: row.max_bitrate.and_then(|it| u64::try_from(it).ok()),
            keep: Retention::stored((row.keep_age, row.keep_count, row.keep_bytes)),
        }
    }
}

impl Account {
    fn stored(row: Model) -> Result<Account, Error> {
        Ok(Account {
            quotas: Quotas::stored(&row),
            id: AccountId::stored(row.id),
            name: row.name,
            created: WallTime::from_micros(row.created),
            updated: WallTime::from_micros(row.updated),
            version: u64::try_from(row.version).unwrap_or_default(),
        })
    }

    fn row(&self) -> Result<Model, Error> {
        self.quotas.keep.check()?;
        let (keep_age, keep_count, keep_bytes) = self.quotas.keep.columns();
        let streams = self.quotas.streams.map(|it| check::small_count("quotas.streams", it));
        Ok(Model {
            id: self.id.to_string(),
            name: self.name.clone(),
            max_streams: streams.transpose()?,
            max_bitrate: self.quotas.bitrate.map(|it| check::count("quotas.bitrate", it)).transpose()?,
            created: self.created.micros(),
            updated: self.updated.micros(),
            version: check::count("version", self.version)?,
            keep_age,
            keep_count,
            keep_bytes,
        })
    }

    fn changed(&self, name: &str, quotas: Quotas, now: WallTime) -> Account {
        Account { name: name.to_owned(), quotas, updated: now, version: self.version + 1, ..self.clone() }
    }

    fn summary(&self) -> Map<String, Value> {
        let fields = [
            ("name", json!(self.name)),
            ("streams", json!(self.quotas.streams)),
            ("bitrate", json!(self.quotas.bitrate)),
        ];
        let mut summary = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        self.quotas.keep.summary(&mut summary);
        summary
    }
}

fn administrator(caller: &Caller) -> Result<(), Error> {
    match caller.scope {
        Scope::All => Ok(()),
        Scope::Account(_) => Err(Error::NotFound("account")),
    }
}

fn new(write: &Write, name: &str, quotas: Quotas) -> Result<Account, Error> {
    let (id, now) = (AccountId::random()?, write.now);
    Ok(Account { id, name: name.to_owned(), quotas, created: now, updated: now, version: 1 })
}

async fn locked(write: &Write, id: &AccountId) -> Result<Account, Error> {
    found(Entity::find_by_id(id.as_str()).lock_exclusive().one(&write.transaction).await?)
}

fn found(row: Option<Model>) -> Result<Account, Error> {
    Account::stored(row.ok_or(Error::NotFound("account"))?)
}

async fn note(write: &mut Write, account: &Account, note: Note) -> Result<(), Error> {
    write.touch_accounts();
    write.record(note, Change { account: Some(account.id.clone()), entry: None, kind: Kind::Account }).await
}
