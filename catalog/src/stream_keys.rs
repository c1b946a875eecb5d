//! Stream keys: one for each leg of a live entry.
//!
//! An encoder publishes under a *name*: a key, or a key and a rendition joined by `_`. A name is matched whole
//! first and split at its last `_` only when it is no key. So that a name never means two things, a key is refused
//! that is another key followed by a rendition, or that followed by a rendition is another.

use sea_orm::sea_query::ExprTrait;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde_json::{Map, json};

use crate::audit::{Action, Note};
use crate::changes::Kind as Changed;
use crate::entries;
use crate::entry::{Entry, Kind};
use crate::error::Error;
use crate::id::{EntryId, random_base_36};
use crate::scope::{Caller, Scope};
use crate::secret::{Digester, Purpose, Secret};
use crate::store::{Store, Write};
use crate::tables::stream_keys::{Column, Entity, Model};
use crate::words::words;

/// Characters of a generated key, of `[a-z0-9]`: 124 bits.
pub const GENERATED: usize = 24;
/// Fewest characters of a key that somebody chooses.
pub const SHORTEST: usize = 8;
/// Most characters of a key that somebody chooses.
pub const LONGEST: usize = 128;

words! {
    /// Which of the redundant inputs a session is.
    Leg {
        /// The one that is on air when both are well.
        Primary = "primary",
        /// The one that takes over.
        Backup = "backup",
    }
}

/// The keys of an entry. A leg without one cannot be published to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StreamKeys {
    /// Of the primary leg.
    pub primary: Option<Secret>,
    /// Of the backup leg.
    pub backup: Option<Secret>,
}

/// Stream keys.
pub struct KeyRing<'a>(pub(crate) &'a Store);

impl KeyRing<'_> {
    /// The keys of an entry; none of a VOD entry.
    pub async fn get(&self, scope: &Scope, entry: &EntryId) -> Result<StreamKeys, Error> {
        self.0
            .patiently(async {
                entries::exists(&self.0.connection, scope, entry).await?;
                let rows = Entity::find().filter(Column::Entry.eq(entry.as_str()));
                StreamKeys::stored(rows.all(&self.0.connection).await?)
            })
            .await
    }

    /// Gives a leg a new random key. The old one opens nothing any more.
    pub async fn rotate(&self, caller: &Caller, entry: &EntryId, leg: Leg) -> Result<Secret, Error> {
        self.put(caller, entry, leg, generate()?, Action::RotateKey).await
    }

    /// Gives a leg a key of the caller's choice: [`SHORTEST`] to [`LONGEST`] of `A-Z a-z 0-9 _ -`.
    pub async fn set(&self, caller: &Caller, entry: &EntryId, leg: Leg, key: Secret) -> Result<(), Error> {
        is_legal(key.expose())?;
        self.put(caller, entry, leg, key, Action::SetKey).await.map(drop)
    }

    /// Takes a leg its key away.
    pub async fn revoke(&self, caller: &Caller, entry: &EntryId, leg: Leg) -> Result<(), Error> {
        self.0
            .patiently(async {
                let write = self.0.begin(caller).await?;
                let entry = published(&write, entry).await?;
                if take(&write, &entry, leg).await? == 0 {
                    return Err(Error::NotFound("stream key"));
                }
                finish(write, entry, leg, Action::RevokeKey).await
            })
            .await
    }

    async fn put(
        &self,
        caller: &Caller,
        entry: &EntryId,
        leg: Leg,
        key: Secret,
        action: Action,
    ) -> Result<Secret, Error> {
        self.0
            .patiently(async {
                let write = self.0.begin(caller).await?;
                let entry = published(&write, entry).await?;
                take(&write, &entry, leg).await?;
                add(&write, &entry, leg, &key).await?;
                finish(write, entry, leg, action).await.map(|()| key)
            })
            .await
    }
}

impl StreamKeys {
    /// The key of a leg.
    pub fn of(&self, leg: Leg) -> Option<&Secret> {
        match leg {
            Leg::Primary => self.primary.as_ref(),
            Leg::Backup => self.backup.as_ref(),
        }
    }

    fn stored(rows: Vec<Model>) -> Result<StreamKeys, Error> {
        let mut keys = StreamKeys::default();
        for row in rows {
            let key = Some(Secret::new(row.secret));
            match Leg::stored(&row.leg)? {
                Leg::Primary => keys.primary = key,
                Leg::Backup => keys.backup = key,
            }
        }
        Ok(keys)
    }
}

/// The keys that a new entry is born with.
pub(crate) async fn first(write: &Write, entry: &Entry) -> Result<StreamKeys, Error> {
    if entry.kind == Kind::Vod {
        return Ok(StreamKeys::default());
    }
    let (primary, backup) = (generate()?, generate()?);
    add(write, entry, Leg::Primary, &primary).await?;
    add(write, entry, Leg::Backup, &backup).await?;
    Ok(StreamKeys { primary: Some(primary), backup: Some(backup) })
}

/// Splits a name at its last `_` into key and rendition (`[a-z0-9]+`); `None` when it does not split.
fn split(name: &str) -> Option<(&str, &str)> {
    let (key, rendition) = name.rsplit_once('_')?;
    let legal = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    (!key.is_empty() && !rendition.is_empty() && rendition.bytes().all(legal)).then_some((key, rendition))
}

fn generate() -> Result<Secret, Error> {
    random_base_36(GENERATED).map(Secret::new)
}

fn is_legal(key: &str) -> Result<(), Error> {
    let legal = |c: u8| c.is_ascii_alphanumeric() || c == b'_' || c == b'-';
    if (SHORTEST..=LONGEST).contains(&key.len()) && key.bytes().all(legal) {
        return Ok(());
    }
    Err(Error::invalid("key", format!("is not {SHORTEST} to {LONGEST} of A-Z a-z 0-9 _ -")))
}

async fn published(write: &Write, entry: &EntryId) -> Result<Entry, Error> {
    let entry = entries::locked(write, entry).await?;
    match entry.kind {
        Kind::Live => Ok(entry),
        Kind::Vod => Err(Error::Conflict("a VOD entry has no stream keys".to_owned())),
    }
}

async fn add(write: &Write, entry: &Entry, leg: Leg, key: &Secret) -> Result<(), Error> {
    let row = row(write, entry, leg, key);
    is_free(&write.transaction, write.digester(), key.expose(), &row).await?;
    write.insert(row).await
}

/// That no name can mean this key and another one.
async fn is_free<C: ConnectionTrait>(
    connection: &C,
    digester: &Digester,
    key: &str,
    row: &Model,
) -> Result<(), Error> {
    let stem = split(key).map(|(stem, _)| digest(digester, stem));
    let mut other = Column::Digest.eq(row.digest.as_str()).or(Column::Stem.eq(row.digest.as_str()));
    if let Some(stem) = stem {
        other = other.or(Column::Digest.eq(stem));
    }
    match Entity::find().filter(other).one(connection).await? {
        None => Ok(()),
        Some(_) => Err(Error::Conflict(
            "the key is taken, or one of it and another key begins with the other and a _: choose another"
                .to_owned(),
        )),
    }
}

fn row(write: &Write, entry: &Entry, leg: Leg, key: &Secret) -> Model {
    let digest = |text: &str| digest(write.digester(), text);
    Model {
        entry: entry.id.to_string(),
        leg: leg.to_string(),
        secret: key.expose().to_owned(),
        digest: digest(key.expose()),
        stem: split(key.expose()).map(|(stem, _)| digest(stem)),
        created: write.now.micros(),
    }
}

fn digest(digester: &Digester, key: &str) -> String {
    digester.digest(Purpose::StreamKey, key)
}

async fn take(write: &Write, entry: &Entry, leg: Leg) -> Result<u64, Error> {
    let old = Entity::delete_by_id((entry.id.to_string(), leg.to_string()));
    Ok(old.exec(&write.transaction).await?.rows_affected)
}

async fn finish(mut write: Write, entry: Entry, leg: Leg, action: Action) -> Result<(), Error> {
    let entry = entries::bump(&write, &entry).await?;
    let about = Map::from_iter([("leg".to_owned(), json!(leg.as_str()))]);
    entries::note(&mut write, &entry, Note::done(action, &entry.id, about), Changed::KeysChanged).await?;
    write.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_splits_at_its_last_underscore_into_key_and_rendition() {
        assert_eq!(split("key_720p"), Some(("key", "720p")));
        assert_eq!(split("a_key_720p"), Some(("a_key", "720p")));
        for whole in ["key", "key_", "_720p", "key_HD", "key_7-2", ""] {
            assert_eq!(split(whole), None, "{whole}");
        }
    }

    #[test]
    fn generated_keys_are_legal_and_do_not_split() {
        let key = generate().unwrap();
        assert_eq!(key.expose().len(), GENERATED);
        assert_eq!(is_legal(key.expose()), Ok(()));
        assert_eq!(split(key.expose()), None);
    }
}
