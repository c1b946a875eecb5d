//! Assets: the stored files of an entry. Here are their names; the bytes are elsewhere.

use media::WallTime;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Map, Value, json};

use crate::audit::Note;
use crate::changes::{Change, Kind};
use crate::check;
use crate::entries;
use crate::error::Error;
use crate::id::{AssetId, EntryId};
use crate::scope::{Caller, Scope};
use crate::store::Store;
use crate::tables::assets::{Column, Entity, Model};
use crate::words::words;

/// Longest location and media type, in characters.
pub const TEXT: usize = 1000;

words! {
    /// What a file is to its entry.
    AssetKind {
        /// What was uploaded or recorded.
        Source = "source",
        /// One quality of it.
        Flavor = "flavor",
        /// A picture of it.
        Thumbnail = "thumbnail",
        /// Its words.
        Caption = "caption",
    }
}

/// A stored file of an entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asset {
    /// Its id.
    pub id: AssetId,
    /// Whose it is.
    pub entry: EntryId,
    /// What it is to its entry.
    pub kind: AssetKind,
    /// Where its bytes are, in the words of the storage.
    pub location: String,
    /// Its media type (RFC 6838).
    pub media_type: String,
    /// Its size.
    pub bytes: u64,
    /// When it was added.
    pub created: WallTime,
}

/// What an asset is created from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewAsset {
    /// What it is to its entry.
    pub kind: AssetKind,
    /// Where its bytes are.
    pub location: String,
    /// Its media type.
    pub media_type: String,
    /// Its size.
    pub bytes: u64,
}

/// Assets.
pub struct Assets<'a>(pub(crate) &'a Store);

impl Assets<'_> {
    /// Adds one to an entry.
    pub async fn create(&self, caller: &Caller, entry: &EntryId, new: NewAsset) -> Result<Asset, Error> {
        check::named("location", &new.location, TEXT)?;
        check::text("media_type", &new.media_type, TEXT)?;
        let bytes = check::count("bytes", new.bytes)?;
        self.0
            .patiently(async {
                let mut write = self.0.begin(caller).await?;
                let owner = entries::locked(&write, entry).await?;
                let row = Model {
                    id: AssetId::random()?.to_string(),
                    entry: entry.to_string(),
                    kind: new.kind.to_string(),
                    location: new.location,
                    media_type: new.media_type,
                    bytes,
                    created: write.now.micros(),
                };
                let asset = Asset::stored(row.clone())?;
                write.insert(row).await?;
                write
                    .record(Note::created(&asset.id, asset.summary()), Change::of(&owner, Kind::Asset))
                    .await?;
                write.commit().await.map(|()| asset)
            })
            .await
    }

    /// Those of an entry, the oldest first.
    pub async fn list(&self, scope: &Scope, entry: &EntryId) -> Result<Vec<Asset>, Error> {
        self.0
            .patiently(async {
                entries::exists(&self.0.connection, scope, entry).await?;
                let query = Entity::find().filter(Column::Entry.eq(entry.as_str()));
                let query = query.order_by_asc(Column::Created).order_by_asc(Column::Id);
                query.all(&self.0.connection).await?.into_iter().map(Asset::stored).collect()
            })
            .await
    }

    /// Forgets one; its bytes are somebody else's to delete.
    pub async fn delete(&self, caller: &Caller, id: &AssetId) -> Result<(), Error> {
        self.0
            .patiently(async {
                let mut write = self.0.begin(caller).await?;
                let query = Entity::find_by_id(id.as_str()).filter(caller.scope.admits_entry(Column::Entry));
                let row = query.one(&write.transaction).await?.ok_or(Error::NotFound("asset"))?;
                let asset = Asset::stored(row)?;
                let owner = entries::locked(&write, &asset.entry).await?;
                Entity::delete_by_id(id.as_str()).exec(&write.transaction).await?;
                write.record(Note::deleted(id, asset.summary()), Change::of(&owner, Kind::Asset)).await?;
                write.commit().await
            })
            .await
    }
}

impl Asset {
    fn stored(row: Model) -> Result<Asset, Error> {
        Ok(Asset {
            id: AssetId::stored(row.id),
            entry: EntryId::stored(row.entry),
            kind: AssetKind::stored(&row.kind)?,
            location: row.location,
            media_type: row.media_type,
            bytes: u64::try_from(row.bytes).unwrap_or_default(),
            created: WallTime::from_micros(row.created),
        })
    }

    fn summary(&self) -> Map<String, Value> {
        let fields = [
            ("entry", json!(self.entry.as_str())),
            ("kind", json!(self.kind.as_str())),
            ("media_type", json!(self.media_type)),
            ("bytes", json!(self.bytes)),
        ];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}
