//! Clips: VOD entries that show ranges of recordings, and share their files.
//!
//! A range names its recording and segment numbers in it. Clips are in memory too, with the stream keys: who plays one
//! asks no database. A recording that clips show is kept when it is deleted, hidden, until the last of them is gone;
//! [`Clips::holds`] says so of each, also where its entry is gone and its row with it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use access::Rules;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait,
};
use serde_json::{Map, Value, json};

use crate::audit::Note;
use crate::changes::{Change, Kind as Changed};
use crate::check;
use crate::entries;
use crate::entry::{self, Details, Entry, Kind, LiveSettings};
use crate::error::Error;
use crate::id::{AccountId, EntryId, RecordingId};
use crate::removals;
use crate::scope::{Caller, Scope};
use crate::store::{Store, Write};
use crate::tables::clip_ranges::{Column, Entity, Model};
use crate::tables::{entries as entry_rows, recordings};

/// Most ranges of a clip.
pub const MOST: usize = 100;

/// A range of a recording.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Range {
    /// Which recording.
    pub recording: RecordingId,
    /// Number of its first segment.
    pub first: u64,
    /// Number of its last.
    pub last: u64,
    /// Where it begins, in microseconds since the start of the recording.
    pub start: i64,
    /// Where it ends.
    pub end: i64,
}

/// What a clip is cut of, and who may watch it.
#[derive(Clone, PartialEq, Debug)]
pub struct Clip {
    /// The entry whose recordings it shows. It may be gone.
    pub source: EntryId,
    /// In the order in which they are shown; numbers grow.
    pub ranges: Vec<Range>,
    /// Who may watch it.
    pub access: Arc<Rules>,
}

/// Clips.
pub struct Clips<'a>(pub(crate) &'a Store);

impl Clips<'_> {
    /// Makes an entry that shows these ranges of recordings of `source`. It belongs to the same account; who may watch it
    /// is who may watch `source`, whatever `details` say.
    pub async fn create(
        &self,
        caller: &Caller,
        source: &EntryId,
        details: Details,
        ranges: Vec<Range>,
    ) -> Result<Entry, Error> {
        ordered(&ranges)?;
        self.0
            .patiently(async {
                let mut write = self.0.begin(caller).await?;
                let source = entries::locked(&write, source).await?;
                are_there(&write, &source.id, &ranges).await?;
                let entry = entry(&source, details, &write)?;
                entries::insert(&write, &entry).await?;
                for (position, range) in (0..).zip(&ranges) {
                    write.insert(range.row(&entry.id, position, &source.id)?).await?;
                }
                let mut summary = entry.summary();
                summary.extend(shown(&source.id, &ranges));
                entries::note(&mut write, &entry, Note::created(&entry.id, summary), Changed::EntryCreated)
                    .await?;
                write.commit().await.map(|()| entry)
            })
            .await
    }

    /// What an entry is cut of; nothing where it is no clip.
    pub async fn ranges(&self, scope: &Scope, entry: &EntryId) -> Result<Vec<Range>, Error> {
        self.0
            .patiently(async {
                entries::exists(&self.0.connection, scope, entry).await?;
                let query = Entity::find().filter(Column::Entry.eq(entry.as_str()));
                let rows = query.order_by_asc(Column::Position).all(&self.0.connection).await?;
                Ok(rows.into_iter().map(Range::stored).collect())
            })
            .await
    }

    /// How many ranges of clips are of a recording.
    pub async fn references(&self, recording: &RecordingId) -> Result<u64, Error> {
        self.0.patiently(references(&self.0.connection, recording)).await
    }

    /// Whether the files of a recording have to stay: it is in the catalog, deleted or not, or a clip shows it.
    pub async fn holds(&self, recording: &RecordingId) -> Result<bool, Error> {
        self.0
            .patiently(async {
                let row = recordings::Entity::find_by_id(recording.as_str()).one(&self.0.connection).await?;
                Ok(row.is_some() || references(&self.0.connection, recording).await? > 0)
            })
            .await
    }
}

pub(crate) async fn references<C: ConnectionTrait>(
    connection: &C,
    recording: &RecordingId,
) -> Result<u64, Error> {
    Ok(Entity::find().filter(Column::Recording.eq(recording.as_str())).count(connection).await?)
}

/// The recordings that clips show.
pub(crate) async fn all_shown<C: ConnectionTrait>(connection: &C) -> Result<HashSet<RecordingId>, Error> {
    let query = Entity::find().select_only().column(Column::Recording).distinct();
    let ids: Vec<String> = query.into_tuple().all(connection).await?;
    Ok(ids.into_iter().map(RecordingId::stored).collect())
}

/// Recordings that an entry shows, before it is deleted.
pub(crate) async fn shown_by(write: &Write, entry: &EntryId) -> Result<Vec<RecordingId>, Error> {
    let rows = Entity::find().filter(Column::Entry.eq(entry.as_str())).all(&write.transaction).await?;
    let mut ids: Vec<_> = rows.into_iter().map(|row| RecordingId::stored(row.recording)).collect();
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// Lets go of recordings that were deleted while clips showed them and that none shows any more.
pub(crate) async fn let_go(write: &mut Write, recordings: &[RecordingId]) -> Result<(), Error> {
    for id in recordings {
        let row =
            recordings::Entity::find_by_id(id.as_str()).filter(recordings::Column::Deleted.is_not_null());
        let Some(row) = row.one(&write.transaction).await? else { continue };
        if references(&write.transaction, id).await? == 0 {
            recordings::Entity::delete_by_id(id.as_str()).exec(&write.transaction).await?;
            removals::note(write, id.as_str(), &row.entry).await?;
            let entry = entry_rows::Entity::find_by_id(&row.entry).one(&write.transaction).await?;
            let account = entry.map(|entry| AccountId::stored(entry.account));
            let entry = Some(EntryId::stored(row.entry));
            write.tell(Change { account, entry, kind: Changed::Recording });
        }
    }
    Ok(())
}

/// Clips as they are kept in memory: all, or those of some entries.
pub(crate) async fn load<C: ConnectionTrait>(
    connection: &C,
    entries: Option<&[&str]>,
) -> Result<Vec<(EntryId, Clip)>, Error> {
    let mut ranges = Entity::find().order_by_asc(Column::Position);
    if let Some(ids) = entries {
        ranges = ranges.filter(Column::Entry.is_in(ids.iter().copied()));
    }
    let mut clips: HashMap<String, Vec<Model>> = HashMap::new();
    for row in ranges.all(connection).await? {
        clips.entry(row.entry.clone()).or_default().push(row);
    }
    let some = Entity::find().select_only().column(Column::Entry).into_query();
    let mut rows = entry_rows::Entity::find().filter(entry_rows::Column::Id.in_subquery(some));
    if let Some(ids) = entries {
        rows = rows.filter(entry_rows::Column::Id.is_in(ids.iter().copied()));
    }
    let clip = |row: entry_rows::Model| Some((clips.remove(&row.id)?, row));
    rows.all(connection)
        .await?
        .into_iter()
        .filter_map(clip)
        .map(|(ranges, row)| Clip::stored(row, ranges))
        .collect()
}

impl Clip {
    fn stored(row: entry_rows::Model, ranges: Vec<Model>) -> Result<(EntryId, Clip), Error> {
        let access = entry::stored_rules(&row.id, row.access.as_deref())?;
        let source = EntryId::stored(ranges.first().map(|range| range.source.clone()).unwrap_or_default());
        let ranges = ranges.into_iter().map(Range::stored).collect();
        Ok((EntryId::stored(row.id), Clip { source, ranges, access }))
    }
}

impl Range {
    fn stored(row: Model) -> Range {
        Range {
            recording: RecordingId::stored(row.recording),
            first: u64::try_from(row.first).unwrap_or_default(),
            last: u64::try_from(row.last).unwrap_or_default(),
            start: row.starts,
            end: row.ends,
        }
    }

    fn row(&self, entry: &EntryId, position: i32, source: &EntryId) -> Result<Model, Error> {
        Ok(Model {
            entry: entry.to_string(),
            position,
            source: source.to_string(),
            recording: self.recording.to_string(),
            first: check::count("ranges", self.first)?,
            last: check::count("ranges", self.last)?,
            starts: self.start,
            ends: self.end,
        })
    }
}

fn ordered(ranges: &[Range]) -> Result<(), Error> {
    if ranges.is_empty() || ranges.len() > MOST {
        return Err(Error::invalid("ranges", format!("are not 1 to {MOST}")));
    }
    let grow = ranges.iter().all(|range| range.first <= range.last)
        && ranges.windows(2).all(|pair| pair[0].last < pair[1].first);
    if grow { Ok(()) } else { Err(Error::invalid("ranges", "do not follow each other in time")) }
}

async fn are_there(write: &Write, source: &EntryId, ranges: &[Range]) -> Result<(), Error> {
    let query = recordings::Entity::find()
        .filter(recordings::Column::Entry.eq(source.as_str()))
        .filter(recordings::Column::Deleted.is_null())
        .filter(recordings::Column::Id.is_in(ranges.iter().map(|range| range.recording.as_str())));
    let there = query.all(&write.transaction).await?;
    let known = |range: &Range| there.iter().any(|row| row.id == range.recording.as_str());
    if ranges.iter().all(known) { Ok(()) } else { Err(Error::NotFound("recording")) }
}

fn entry(source: &Entry, details: Details, write: &Write) -> Result<Entry, Error> {
    let access = source.details.access.clone();
    let details = Details { access, live: LiveSettings::default(), ..details };
    Ok(Entry {
        id: EntryId::random()?,
        account: source.account.clone(),
        kind: Kind::Vod,
        air: None,
        details: check::details(Kind::Vod, details)?,
        created: write.now,
        updated: write.now,
        version: 1,
    })
}

fn shown(source: &EntryId, ranges: &[Range]) -> Map<String, Value> {
    let range =
        |it: &Range| json!({ "recording": it.recording.as_str(), "first": it.first, "last": it.last });
    let ranges: Vec<Value> = ranges.iter().map(range).collect();
    let fields = [("source", json!(source.as_str())), ("ranges", Value::Array(ranges))];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
