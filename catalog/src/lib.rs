//! The operational database: accounts, entries, stream keys, API tokens, assets, recordings, clips, jobs, audit log,
//! events, webhooks, inputs of live entries.
//!
//! [`Catalog::open`] takes the embedded database (SQLite, one file in the data directory) or a PostgreSQL server,
//! brings its schema up to date and gives the rooms: [`Catalog::entries`], [`Catalog::keys`], … Each asks for a
//! [`Scope`]: what belongs to another account is not there. What changes something asks for a [`Caller`], changes it
//! together with a row of the audit log, and tells [`Catalog::changes`].
//!
//! Who publishes is let in by [`Keys`], which is in memory, and so are the newest [`Events`].
//!
//! Everything waits for the database a bounded time, is then [`Error::Unavailable`], and can be tried again. Writes go
//! one after another (see `store`).
//!
//! Not here: HTTP, protocols, settings' ranges, what a role may do, who takes up a job, the bytes of anything.

pub mod accounts;
pub mod assets;
pub mod audit;
pub mod changes;
mod check;
pub mod clips;
pub mod database;
pub mod deliveries;
pub mod entries;
pub mod entry;
pub mod error;
pub mod events;
pub mod id;
pub mod idempotency;
pub mod inputs;
pub mod jobs;
pub mod keys;
mod migrations;
pub mod page;
pub mod recordings;
pub mod removals;
pub mod retention;
pub mod scope;
mod search;
pub mod secret;
mod store;
pub mod stream_keys;
mod tables;
pub mod targets;
pub mod timelines;
pub mod tokens;
pub mod webhooks;
mod words;

pub use accounts::{Account, Quotas};
pub use changes::{Change, Changes};
pub use database::Database;
pub use entries::NewEntry;
pub use entry::{Air, Details, Entry, Kind, LiveSettings};
pub use error::Error;
pub use events::{Event, Events, NewEvent};
pub use id::{
    AccountId, AssetId, DeliveryId, EntryId, InputId, JobId, RecordingId, TargetId, TokenId, WebhookId,
};
pub use inputs::Input;
pub use keys::Keys;
pub use page::{Order, Page, Paging};
pub use retention::Retention;
pub use scope::{Caller, Scope, Who};
pub use secret::Secret;
pub use stream_keys::{Leg, StreamKeys};
pub use targets::Target;
pub use timelines::Timeline;
pub use tokens::{NewToken, Role, Token};

use sea_orm::sea_query::OnConflict;
use sea_orm::{DatabaseConnection, EntityTrait, Set};

use keys::{Loaded, Wanted};
use secret::Digester;
use store::{Gate, Store};
use tables::secrets;
use tokens::Known;

/// Characters of base 36 in the key of the digests: 310 bits.
const DIGEST_KEY: usize = 60;

/// Characters of base 36 in the secret of playback tokens: 310 bits.
const PLAYBACK_SECRET: usize = 60;

/// The operational database. Cloning gives another handle on the same.
#[derive(Clone)]
pub struct Catalog {
    store: Store,
    playback: Secret,
}

impl Catalog {
    /// Opens the database and brings its schema up to date. A schema that is newer than this program is
    /// [`Error::TooNew`].
    pub async fn open(database: &Database) -> Result<Catalog, Error> {
        let connection = database.connect().await?;
        migrations::run(&connection).await?;
        let digester = Digester::new(&own_secret(&connection, "digest", DIGEST_KEY).await?);
        let playback = Secret::new(own_secret(&connection, "playback", PLAYBACK_SECRET).await?);
        let keys = Keys::default();
        keys.apply(Loaded::read(&connection, &Wanted::everything()).await?);
        let (gate, patience) = (Gate::default(), database.patience());
        let events = Events::open(&connection, gate.clone(), patience).await?;
        let memory = (keys, Known::load(&connection).await?, events);
        Ok(Catalog { store: Store::new(connection, digester, memory, gate, patience), playback })
    }

    /// Accounts.
    pub fn accounts(&self) -> accounts::Accounts<'_> {
        accounts::Accounts(&self.store)
    }

    /// Entries.
    pub fn entries(&self) -> entries::Entries<'_> {
        entries::Entries(&self.store)
    }

    /// Stream keys, to be shown and changed.
    pub fn stream_keys(&self) -> stream_keys::KeyRing<'_> {
        stream_keys::KeyRing(&self.store)
    }

    /// Stream keys in memory, to let publishers in.
    pub fn keys(&self) -> &Keys {
        &self.store.memory.keys
    }

    /// What playback tokens are signed with: made when the database was first opened, the same for all who open it.
    pub fn playback_secret(&self) -> &Secret {
        &self.playback
    }

    /// Named timelines of live entries.
    pub fn timelines(&self) -> timelines::Timelines<'_> {
        timelines::Timelines(&self.store)
    }

    /// Inputs of live entries.
    pub fn inputs(&self) -> inputs::Inputs<'_> {
        inputs::Inputs(&self.store)
    }

    /// Servers that live entries are sent on to.
    pub fn targets(&self) -> targets::Targets<'_> {
        targets::Targets(&self.store)
    }

    /// API tokens.
    pub fn tokens(&self) -> tokens::Tokens<'_> {
        tokens::Tokens(&self.store)
    }

    /// Assets.
    pub fn assets(&self) -> assets::Assets<'_> {
        assets::Assets(&self.store)
    }

    /// Recordings.
    pub fn recordings(&self) -> recordings::Recordings<'_> {
        recordings::Recordings(&self.store)
    }

    /// Clips.
    pub fn clips(&self) -> clips::Clips<'_> {
        clips::Clips(&self.store)
    }

    /// Recordings that were taken out and whose files are still there.
    pub fn removals(&self) -> removals::Removals<'_> {
        removals::Removals(&self.store)
    }

    /// Jobs.
    pub fn jobs(&self) -> jobs::Jobs<'_> {
        jobs::Jobs(&self.store)
    }

    /// The audit log.
    pub fn audit(&self) -> audit::Audit<'_> {
        audit::Audit(&self.store)
    }

    /// Idempotency keys.
    pub fn idempotency(&self) -> idempotency::Idempotency<'_> {
        idempotency::Idempotency(&self.store)
    }

    /// The log of events.
    pub fn events(&self) -> &Events {
        &self.store.memory.events
    }

    /// Webhooks, and what was sent to them.
    pub fn webhooks(&self) -> webhooks::Webhooks<'_> {
        webhooks::Webhooks(&self.store)
    }

    /// Deliveries to webhooks, for the one who makes them.
    pub fn deliveries(&self) -> deliveries::Deliveries<'_> {
        deliveries::Deliveries(&self.store)
    }

    /// Tells of each change that this catalog commits from now on.
    pub fn changes(&self) -> Changes {
        self.store.memory.changes.subscribe()
    }

    /// Reads anew what is kept in memory: for what other processes have changed.
    pub async fn refresh(&self) -> Result<(), Error> {
        self.store.patiently(self.store.refresh()).await
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), Error> {
        self.store.patiently(async { Ok(self.store.connection.ping().await?) }).await
    }

    /// Closes the connections, after what is under way and the last events.
    pub async fn close(self) -> Result<(), Error> {
        self.events().close(self.store.patience).await;
        Ok(self.store.connection.close().await?)
    }
}

impl std::fmt::Debug for Catalog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Catalog").field("keys", self.keys()).finish_non_exhaustive()
    }
}

/// A secret of this database's own, which the first to open it makes.
async fn own_secret(connection: &DatabaseConnection, name: &str, length: usize) -> Result<String, Error> {
    let new = secrets::ActiveModel { name: Set(name.to_owned()), value: Set(id::random_base_36(length)?) };
    let first = OnConflict::column(secrets::Column::Name).do_nothing().to_owned();
    secrets::Entity::insert(new).on_conflict(first).exec_without_returning(connection).await?;
    let row = secrets::Entity::find_by_id(name).one(connection).await?;
    row.map(|row| row.value).ok_or_else(|| Error::Broken(format!("the secret {name:?} is missing")))
}
