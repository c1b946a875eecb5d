//! Targets: servers that a live entry is sent on to. Here is where and what; the sending is somebody else's.
//!
//! Keys and passphrases are *kept in clear*, because they are sent, and never shown again: [`Details`] has none, and a URL
//! that brings one is taken apart ([`address`]).

mod address;

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
use crate::id::{EntryId, TargetId};
use crate::scope::{Caller, Scope};
use crate::secret::Secret;
use crate::store::{Store, Write};
use crate::tables::targets::{Column, Entity, Model};

pub use address::{Address, Protocol, address};

/// Most targets of an entry.
pub const MOST: u64 = 16;
/// Longest name, in characters.
pub const NAME: usize = 200;
/// Longest URL, in characters.
pub const URL: usize = 2000;
/// Longest key or stream id, in characters: what SRT can carry (512), and more than any service gives out.
pub const KEY: usize = 512;
/// Shortest and longest passphrase of SRT, in bytes.
pub const PASSPHRASE: (usize, usize) = (10, 79);
/// Longest name of a rendition, and of a language, in characters.
pub const CHOICE: usize = 64;

/// A target, without its secrets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// Its id.
    pub id: TargetId,
    /// The entry that is sent.
    pub entry: EntryId,
    /// What of it can be written and shown.
    pub details: Details,
    /// Whether a key is sent with it.
    pub has_key: bool,
    /// Whether a passphrase is.
    pub has_passphrase: bool,
    /// When it was created.
    pub created: WallTime,
    /// When it was changed last.
    pub updated: WallTime,
    /// Grows by one with each change.
    pub version: u64,
}

/// What of a target can be written and shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Details {
    /// What it is called.
    pub name: String,
    /// Where to: `rtmp://HOST/APP`, `rtmps://HOST/APP`, `srt://HOST:PORT`; no secret is in it.
    pub url: String,
    /// Which pictures, as `720p`; the best where it is not given.
    pub rendition: Option<String>,
    /// Which sound, by its language or rendition; the first where it is not given.
    pub audio: Option<String>,
    /// Whether the entry is sent there while it is live.
    pub enabled: bool,
}

/// What is sent with a target and never shown.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Secrets {
    /// The stream key of RTMP, the stream id of SRT.
    pub key: Option<Secret>,
    /// What SRT encrypts with.
    pub passphrase: Option<Secret>,
}

/// Targets.
pub struct Targets<'a>(pub(crate) &'a Store);

impl Targets<'_> {
    /// Those of an entry, by id.
    pub async fn list(&self, scope: &Scope, entry: &EntryId) -> Result<Vec<Target>, Error> {
        self.0
            .patiently(async {
                entries::exists(&self.0.connection, scope, entry).await?;
                let rows = of(&self.0.connection, Some(entry)).await?;
                Ok(rows.into_iter().map(|row| Target::stored(row).0).collect())
            })
            .await
    }

    /// One of them.
    pub async fn get(&self, scope: &Scope, entry: &EntryId, id: &TargetId) -> Result<Target, Error> {
        let all = self.list(scope, entry).await?;
        all.into_iter().find(|target| target.id == *id).ok_or(Error::NotFound("target"))
    }

    /// All of them, or those of an entry, with their secrets: for who sends. Targets of an entry that is gone are gone.
    pub async fn to_send(&self, entry: Option<&EntryId>) -> Result<Vec<(Target, Secrets)>, Error> {
        let rows = self.0.patiently(of(&self.0.connection, entry)).await?;
        Ok(rows.into_iter().map(Target::stored).collect())
    }

    /// Adds one. A URL that has its secrets in it is taken apart; one beyond [`MOST`] is [`Error::Conflict`].
    pub async fn create(
        &self,
        caller: &Caller,
        entry: &EntryId,
        details: Details,
        secrets: Secrets,
    ) -> Result<Target, Error> {
        let (details, secrets) = checked(details, secrets)?;
        self.0
            .patiently(async {
                let mut write = self.0.begin(caller).await?;
                let entry = live(&write, entry).await?;
                has_room(&write, &entry.id).await?;
                let new = Target {
                    id: TargetId::random()?,
                    entry: entry.id.clone(),
                    has_key: secrets.key.is_some(),
                    has_passphrase: secrets.passphrase.is_some(),
                    details,
                    created: write.now,
                    updated: write.now,
                    version: 1,
                };
                write.insert(new.row(&secrets)?).await?;
                let note = Note::created(&new.id, new.summary());
                entries::note(&mut write, &entry, note, Changed::TargetsChanged).await?;
                write.commit().await.map(|()| new)
            })
            .await
    }

    /// Changes one: `edit` is given details and secrets as they are. With `expected`, only when it still has this version.
    pub async fn update(
        &self,
        caller: &Caller,
        (entry, id): (&EntryId, &TargetId),
        expected: Option<u64>,
        edit: impl FnOnce(&mut Details, &mut Secrets) + Send,
    ) -> Result<Target, Error> {
        self.0
            .patiently(async {
                let mut write = self.0.begin(caller).await?;
                let (entry, old, secrets) = locked(&write, entry, id).await?;
                check::version(expected, old.version)?;
                let (new, secrets) = old.changed(secrets, write.now, edit)?;
                write.replace(new.row(&secrets)?).await?;
                let note = Note::changed(Action::Update, id, old.summary(), new.summary());
                entries::note(&mut write, &entry, note, Changed::TargetsChanged).await?;
                write.commit().await.map(|()| new)
            })
            .await
    }

    /// Removes one.
    pub async fn delete(
        &self,
        caller: &Caller,
        (entry, id): (&EntryId, &TargetId),
        expected: Option<u64>,
    ) -> Result<(), Error> {
        self.0
            .patiently(async {
                let mut write = self.0.begin(caller).await?;
                let (entry, old, _) = locked(&write, entry, id).await?;
                check::version(expected, old.version)?;
                Entity::delete_by_id(id.as_str()).exec(&write.transaction).await?;
                let note = Note::deleted(id, old.summary());
                entries::note(&mut write, &entry, note, Changed::TargetsChanged).await?;
                write.commit().await
            })
            .await
    }
}

impl Target {
    fn changed(
        &self,
        mut secrets: Secrets,
        now: WallTime,
        edit: impl FnOnce(&mut Details, &mut Secrets),
    ) -> Result<(Target, Secrets), Error> {
        let mut details = self.details.clone();
        edit(&mut details, &mut secrets);
        let (details, secrets) = checked(details, secrets)?;
        let (has_key, has_passphrase) = (secrets.key.is_some(), secrets.passphrase.is_some());
        let (updated, version) = (now.max(self.updated), self.version + 1);
        Ok((Target { details, has_key, has_passphrase, updated, version, ..self.clone() }, secrets))
    }

    fn stored(row: Model) -> (Target, Secrets) {
        let target = Target {
            id: TargetId::stored(row.id),
            entry: EntryId::stored(row.entry),
            details: Details {
                name: row.name,
                url: row.url,
                rendition: row.rendition,
                audio: row.audio,
                enabled: row.enabled,
            },
            has_key: row.key.is_some(),
            has_passphrase: row.passphrase.is_some(),
            created: WallTime::from_micros(row.created),
            updated: WallTime::from_micros(row.updated),
            version: u64::try_from(row.version).unwrap_or_default(),
        };
        (target, Secrets { key: row.key.map(Secret::new), passphrase: row.passphrase.map(Secret::new) })
    }

    fn row(&self, secrets: &Secrets) -> Result<Model, Error> {
        let exposed = |secret: &Option<Secret>| secret.as_ref().map(|it| it.expose().to_owned());
        let details = self.details.clone();
        Ok(Model {
            id: self.id.to_string(),
            entry: self.entry.to_string(),
            name: details.name,
            url: details.url,
            key: exposed(&secrets.key),
            passphrase: exposed(&secrets.passphrase),
            rendition: details.rendition,
            audio: details.audio,
            enabled: details.enabled,
            created: self.created.micros(),
            updated: self.updated.micros(),
            version: check::count("version", self.version)?,
        })
    }

    fn summary(&self) -> Map<String, Value> {
        let Details { name, url, rendition, audio, enabled } = &self.details;
        let fields = [
            ("entry", json!(self.entry.as_str())),
            ("name", json!(name)),
            ("url", json!(url)),
            ("has_key", json!(self.has_key)),
            ("has_passphrase", json!(self.has_passphrase)),
            ("rendition", json!(rendition)),
            ("audio", json!(audio)),
            ("enabled", json!(enabled)),
        ];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

async fn of<C: ConnectionTrait>(connection: &C, entry: Option<&EntryId>) -> Result<Vec<Model>, Error> {
    let mut query = Entity::find().order_by_asc(Column::Id);
    if let Some(entry) = entry {
        query = query.filter(Column::Entry.eq(entry.as_str()));
    }
    Ok(query.all(connection).await?)
}

async fn live(write: &Write, entry: &EntryId) -> Result<Entry, Error> {
    let entry = entries::locked(write, entry).await?;
    match entry.kind {
        Kind::Live => Ok(entry),
        Kind::Vod => Err(Error::Conflict("a VOD entry has no targets".to_owned())),
    }
}

async fn locked(write: &Write, entry: &EntryId, id: &TargetId) -> Result<(Entry, Target, Secrets), Error> {
    let entry = live(write, entry).await?;
    let query = Entity::find_by_id(id.as_str()).filter(Column::Entry.eq(entry.id.as_str()));
    let row = query.lock_exclusive().one(&write.transaction).await?.ok_or(Error::NotFound("target"))?;
    let (target, secrets) = Target::stored(row);
    Ok((entry, target, secrets))
}

async fn has_room(write: &Write, entry: &EntryId) -> Result<(), Error> {
    let there = Entity::find().filter(Column::Entry.eq(entry.as_str()));
    if there.count(&write.transaction).await? >= MOST {
        return Err(Error::Conflict(format!("the entry has {MOST} targets, which is the most")));
    }
    Ok(())
}

/// Details and secrets as they are stored: what of the URL is a secret is among those.
fn checked(mut details: Details, secrets: Secrets) -> Result<(Details, Secrets), Error> {
    check::named("name", &details.name, NAME)?;
    check::named("url", &details.url, URL)?;
    let Address { url, protocol, secrets } = address(&details.url, secrets)?;
    details.url = url;
    for (field, choice) in [("rendition", &details.rendition), ("audio", &details.audio)] {
        choice.as_deref().map_or(Ok(()), |choice| check::named(field, choice, CHOICE))?;
    }
    if let Some(key) = &secrets.key {
        check::named("stream_key", key.expose(), KEY)?;
    } else if protocol != Protocol::Srt {
        return Err(Error::invalid("stream_key", "is missing: RTMP publishes a name"));
    }
    let Some(passphrase) = &secrets.passphrase else { return Ok((details, secrets)) };
    if protocol != Protocol::Srt {
        return Err(Error::invalid("passphrase", "is for SRT; RTMP has none"));
    }
    check::text("passphrase", passphrase.expose(), PASSPHRASE.1)?;
    if !(PASSPHRASE.0..=PASSPHRASE.1).contains(&passphrase.expose().len()) {
        return Err(Error::invalid("passphrase", "is not 10 to 79 bytes"));
    }
    Ok((details, secrets))
}
