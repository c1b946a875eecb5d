//! The stream keys in memory: who may publish, answered without the database.
//!
//! Every key of every live entry is here with what a publish request needs to know, less than 1 KB an entry. A
//! request with a wrong key costs the database nothing, and a database that is locked or away stops nobody who has
//! a right one.
//!
//! The catalog's own writes change the view as part of their commit: when a rotation has been answered, the old key
//! opens nothing. *Another process* that writes to the same PostgreSQL database does not change it. Until nodes tell
//! each other, a second one has to call [`Catalog::refresh`](crate::Catalog::refresh) when it learns of a change, or
//! now and then; a rotated key works there until it does.
//!
//! A key is found by its hash, whose seed is the process's own: how long that takes tells nothing about a key.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use access::Rules;
use media::WallTime;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::accounts::Quotas;
use crate::clips::{self, Clip};
use crate::entry::{self, Air, LiveSettings};
use crate::error::Error;
use crate::id::{AccountId, EntryId};
use crate::inputs::Input;
use crate::secret::Secret;
use crate::stream_keys::Leg;
use crate::tables::{accounts, entries, inputs, live, stream_keys, timelines};
use crate::timelines::Timeline;

/// A live entry, as a publish request and an origin need to know it.
#[derive(Clone, PartialEq, Debug)]
pub struct LiveEntry {
    /// Which.
    pub id: EntryId,
    /// Whose.
    pub account: AccountId,
    /// Whether the public may watch.
    pub air: Air,
    /// What overrides the configuration for it, and its schedule.
    pub settings: LiveSettings,
    /// Who may watch it.
    pub access: Arc<Rules>,
    /// Its named timelines, by name.
    pub timelines: Arc<[Timeline]>,
    /// Its inputs, by id.
    pub inputs: Arc<[Input]>,
}

/// What a key opens.
#[derive(Clone, PartialEq, Debug)]
pub struct Opened {
    /// The entry.
    pub entry: Arc<LiveEntry>,
    /// The leg that a session with this key is.
    pub leg: Leg,
    /// What its account may use.
    pub quotas: Quotas,
}

/// The keys. Cloning gives another handle on the same.
#[derive(Clone, Default)]
pub struct Keys(Arc<RwLock<View>>);

#[derive(Default)]
struct View {
    keys: HashMap<Secret, (EntryId, Leg)>,
    entries: HashMap<EntryId, Held>,
    clips: HashMap<EntryId, Arc<Clip>>,
    quotas: HashMap<AccountId, Quotas>,
}

struct Held {
    entry: Arc<LiveEntry>,
    keys: Vec<Secret>,
}

impl Keys {
    /// What a key opens, by the whole name and nothing less. Whether its time has come says
    /// [`LiveSettings::is_open_at`].
    pub fn find(&self, key: &str) -> Option<Opened> {
        let view = self.read();
        let (id, leg) = view.keys.get(&Secret::new(key))?;
        let entry = view.entries.get(id)?.entry.clone();
        let quotas = view.quotas.get(&entry.account).copied().unwrap_or_default();
        Some(Opened { entry, leg: *leg, quotas })
    }

    /// A live entry by its id.
    pub fn entry(&self, id: &EntryId) -> Option<Arc<LiveEntry>> {
        self.read().entries.get(id).map(|held| held.entry.clone())
    }

    /// All live entries that have inputs.
    pub fn with_inputs(&self) -> Vec<Arc<LiveEntry>> {
        let view = self.read();
        let all = view.entries.values().map(|held| &held.entry);
        all.filter(|entry| !entry.inputs.is_empty()).cloned().collect()
    }

    /// What a clip is cut of.
    pub fn clip(&self, id: &str) -> Option<Arc<Clip>> {
        self.read().clips.get(id).cloned()
    }

    /// Who may watch a live entry or a clip; `None` where everybody may, and where there is no such entry. It costs a request for
    /// media one look into a table.
    pub fn rules(&self, id: &str) -> Option<Arc<Rules>> {
        let view = self.read();
        let live = view.entries.get(id).map(|held| &held.entry.access);
        let rules = live.or_else(|| view.clips.get(id).map(|clip| &clip.access))?;
        (!rules.is_open()).then(|| rules.clone())
    }

    /// What an account may use; without limits where the account is unknown.
    pub fn quotas(&self, account: &AccountId) -> Quotas {
        self.read().quotas.get(account).copied().unwrap_or_default()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.read().keys.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn apply(&self, loaded: Loaded) {
        let mut view = self.write();
        match &loaded.wanted.entries {
            Entries::All => view.forget_all(),
            Entries::These(ids) => ids.iter().for_each(|id| view.forget(id)),
        }
        loaded.entries.into_iter().for_each(|(entry, keys)| view.hold(entry, keys));
        view.clips.extend(loaded.clips.into_iter().map(|(id, clip)| (id, Arc::new(clip))));
        if let Some(quotas) = loaded.quotas {
            view.quotas = quotas;
        }
    }

    // A panic while the view is held leaves it whole enough: each step of `View` stands by itself.
    fn read(&self) -> RwLockReadGuard<'_, View> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, View> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl View {
    fn forget_all(&mut self) {
        self.keys.clear();
        self.entries.clear();
        self.clips.clear();
    }

    fn forget(&mut self, id: &EntryId) {
        self.clips.remove(id);
        let held = self.entries.remove(id);
        held.into_iter().flat_map(|held| held.keys).for_each(|key| drop(self.keys.remove(&key)));
    }

    fn hold(&mut self, entry: LiveEntry, keys: Vec<(Secret, Leg)>) {
        let id = entry.id.clone();
        let names = keys.iter().map(|(key, _)| key.clone()).collect();
        self.keys.extend(keys.into_iter().map(|(key, leg)| (key, (id.clone(), leg))));
        self.entries.insert(id, Held { entry: Arc::new(entry), keys: names });
    }
}

/// What of the view is to be read anew.
#[derive(Clone, Default)]
pub(crate) struct Wanted {
    entries: Entries,
    accounts: bool,
}

#[derive(Clone)]
enum Entries {
    All,
    These(BTreeSet<EntryId>),
}

impl Entries {
    /// Those that are to be read; `None` for all.
    fn ids(&self) -> Option<Vec<&str>> {
        match self {
            Entries::All => None,
            Entries::These(ids) => Some(ids.iter().map(EntryId::as_str).collect()),
        }
    }
}

impl Default for Entries {
    fn default() -> Entries {
        Entries::These(BTreeSet::new())
    }
}

impl Wanted {
    pub(crate) fn everything() -> Wanted {
        Wanted { entries: Entries::All, accounts: true }
    }

    pub(crate) fn all(&mut self) {
        *self = Wanted::everything();
    }

    pub(crate) fn entry(&mut self, id: &EntryId) {
        if let Entries::These(ids) = &mut self.entries {
            ids.insert(id.clone());
        }
    }

    pub(crate) fn accounts(&mut self) {
        self.accounts = true;
    }

    fn is_nothing(&self) -> bool {
        !self.accounts && matches!(&self.entries, Entries::These(ids) if ids.is_empty())
    }
}

/// What was read of it.
pub(crate) struct Loaded {
    wanted: Wanted,
    entries: Vec<(LiveEntry, Vec<(Secret, Leg)>)>,
    clips: Vec<(EntryId, Clip)>,
    quotas: Option<HashMap<AccountId, Quotas>>,
}

impl Loaded {
    pub(crate) async fn read<C: ConnectionTrait>(connection: &C, wanted: &Wanted) -> Result<Loaded, Error> {
        let wanted = wanted.clone();
        if wanted.is_nothing() {
            return Ok(Loaded { wanted, entries: Vec::new(), clips: Vec::new(), quotas: None });
        }
        let entries = read_entries(connection, &wanted.entries).await?;
        let clips = clips::load(connection, wanted.entries.ids().as_deref()).await?;
        let quotas = if wanted.accounts { Some(read_quotas(connection).await?) } else { None };
        Ok(Loaded { wanted, entries, clips, quotas })
    }
}

async fn read_entries<C: ConnectionTrait>(
    connection: &C,
    wanted: &Entries,
) -> Result<Vec<(LiveEntry, Vec<(Secret, Leg)>)>, Error> {
    let mut rows = entries::Entity::find().find_also_related(live::Entity);
    let mut keys = stream_keys::Entity::find();
    let mut named = timelines::Entity::find().order_by_asc(timelines::Column::Name);
    let mut feeding = inputs::Entity::find().order_by_asc(inputs::Column::Id);
    if let Some(ids) = wanted.ids() {
        rows = rows.filter(entries::Column::Id.is_in(ids.clone()));
        keys = keys.filter(stream_keys::Column::Entry.is_in(ids.clone()));
        named = named.filter(timelines::Column::Entry.is_in(ids.clone()));
        feeding = feeding.filter(inputs::Column::Entry.is_in(ids));
    }
    let mut legs: HashMap<String, Vec<(Secret, Leg)>> = HashMap::new();
    for key in keys.all(connection).await? {
        legs.entry(key.entry).or_default().push((Secret::new(key.secret), Leg::stored(&key.leg)?));
    }
    let mut shown: HashMap<String, Vec<Timeline>> = HashMap::new();
    for row in named.all(connection).await? {
        shown.entry(row.entry.clone()).or_default().push(Timeline::stored(row)?);
    }
    let mut fed: HashMap<String, Vec<Input>> = HashMap::new();
    for row in feeding.all(connection).await? {
        fed.entry(row.entry.clone()).or_default().push(Input::stored(row)?);
    }
    let held = |(entry, live): (entries::Model, Option<live::Model>)| match live {
        Some(live) => {
            let keys = legs.remove(&entry.id).unwrap_or_default();
            let timelines = shown.remove(&entry.id).unwrap_or_default();
            let inputs = fed.remove(&entry.id).unwrap_or_default();
            Some(live_entry(entry, &live, timelines, inputs).map(|entry| (entry, keys)))
        }
        None => None,
    };
    rows.all(connection).await?.into_iter().filter_map(held).collect()
}

fn live_entry(
    entry: entries::Model,
    live: &live::Model,
    timelines: Vec<Timeline>,
    inputs: Vec<Input>,
) -> Result<LiveEntry, Error> {
    Ok(LiveEntry {
        access: entry::stored_rules(&entry.id, entry.access.as_deref())?,
        timelines: timelines.into(),
        inputs: inputs.into(),
        id: EntryId::stored(entry.id),
        account: AccountId::stored(entry.account),
        air: Air::stored(&live.air)?,
        settings: LiveSettings::stored(live)?,
    })
}

async fn read_quotas<C: ConnectionTrait>(connection: &C) -> Result<HashMap<AccountId, Quotas>, Error> {
    let rows = accounts::Entity::find().all(connection).await?;
    Ok(rows.into_iter().map(|row| (AccountId::stored(row.id.clone()), Quotas::stored(&row))).collect())
}

impl LiveSettings {
    /// Whether the entry may be published to at this time: from `starts_at` on, until before `ends_at`.
    pub fn is_open_at(&self, now: WallTime) -> bool {
        self.starts_at.is_none_or(|start| start <= now) && self.ends_at.is_none_or(|end| now < end)
    }
}
