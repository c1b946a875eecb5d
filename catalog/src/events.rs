//! Events: what happened to streams, entries and webhooks, in order, for those who follow along.
//!
//! [`Events::record`] costs its caller no wait: an event has its id and is told at once, and is written by a task
//! (`events::writer`) a moment later. The newest [`KEPT`] are in memory, so that somebody who comes back is told what
//! he missed without the database. While the database is away, [`UNWRITTEN`] wait for it; what does not fit is told
//! all the same, and is not there after a restart.
//!
//! Ids grow strictly, over restarts too: each is the larger of the last one plus one, and the milliseconds of the clock.
//!
//! *Another process* on the same PostgreSQL database is not heard here.

mod ring;
mod writer;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use media::WallTime;
use sea_orm::DatabaseConnection;
use serde_json::{Map, Value, json};
use tokio::sync::{broadcast, mpsc, watch};

use crate::changes::{self, Change};
use crate::error::Error;
use crate::id::AccountId;
use crate::scope::Scope;
use crate::store::{Gate, now};
use crate::words::words;
use ring::Ring;
use writer::Writer;

/// How many events are kept, in memory and in the database.
pub const KEPT: usize = 10_000;
/// Bytes of events kept in memory; the oldest go first.
pub const KEPT_BYTES: usize = 32 << 20;
/// How many events a subscriber may fall behind before it is let go.
pub const BACKLOG: usize = 1024;
/// How many events wait for a database that is slow or away.
pub const UNWRITTEN: usize = 4096;
/// Largest data of an event, in bytes of JSON; larger ones are left out.
pub const DATA: usize = 8 << 10;

words! {
    /// What happened.
    Kind {
        /// A publisher was let in.
        PublishStarted = "publish.started",
        /// A publisher left or was cut.
        PublishStopped = "publish.stopped",
        /// A publisher was turned away.
        PublishRefused = "publish.refused",
        /// A stream is there for producers only.
        StreamPreview = "stream.preview",
        /// A stream is there for the public.
        StreamLive = "stream.live",
        /// A stream ended.
        StreamEnded = "stream.ended",
        /// What the encoder check finds became something else.
        StreamHealth = "stream.health",
        /// A recording began, or goes on.
        RecordingStarted = "recording.started",
        /// A recording ended: everything is in its files.
        RecordingEnded = "recording.ended",
        /// Segments are not recorded.
        RecordingLost = "recording.lost",
        /// They are recorded again.
        RecordingResumed = "recording.resumed",
        /// An entry was created.
        EntryCreated = "entry.created",
        /// An entry was changed.
        EntryUpdated = "entry.updated",
        /// An entry was deleted.
        EntryDeleted = "entry.deleted",
        /// Somebody tries out a webhook; it goes to this one only.
        WebhookTest = "webhook.test",
        /// A webhook was disabled, because it wished so or failed for days.
        WebhookDisabled = "webhook.disabled",
        /// A recording was taken out: by somebody, or because of a limit or of room.
        RecordingRemoved = "recording.removed",
        /// An input brings media.
        InputStarted = "input.started",
        /// An input brings none, though it should.
        InputFailed = "input.failed",
        /// A target is sent an entry.
        TargetStarted = "target.started",
        /// A target is sent no more, as it should be: the stream ended or somebody switched it off.
        TargetStopped = "target.stopped",
        /// A target cannot be sent to. Told once until it can be again.
        TargetFailed = "target.failed",
    }
}

/// Something that happened.
#[derive(Clone, PartialEq, Debug)]
pub struct Event {
    /// Grows strictly; below 2^53.
    pub id: u64,
    /// Whose; `None` where it concerns the whole server, or an entry that the configuration names.
    pub account: Option<AccountId>,
    /// Of which entry, where it is of one. Those from the configuration have ids of any shape.
    pub entry: Option<String>,
    /// What.
    pub kind: Kind,
    /// When.
    pub at: WallTime,
    /// What there is to say about it; at most [`DATA`] bytes of JSON. The names `event`, `account` and `entry` are taken.
    pub data: Map<String, Value>,
}

/// What an event is recorded from.
#[derive(Clone, PartialEq, Debug)]
pub struct NewEvent {
    /// Whose.
    pub account: Option<AccountId>,
    /// Of which entry.
    pub entry: Option<String>,
    /// What.
    pub kind: Kind,
    /// When.
    pub at: WallTime,
    /// What there is to say about it.
    pub data: Map<String, Value>,
}

/// Why a subscriber is told no more.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Over {
    /// It fell more than [`BACKLOG`] events behind. It may subscribe again, after the last one that it has.
    #[error("too slow for the events")]
    Lagged,
    /// The server stops, or the catalog was closed.
    #[error("the events are over")]
    Closed,
}

/// The log of events. Cloning gives another handle on the same.
#[derive(Clone)]
pub struct Events(Arc<Log>);

struct Log {
    kept: Mutex<Kept>,
    unwritten: mpsc::Sender<Arc<Event>>,
    fate: Arc<Fate>,
    settled: watch::Receiver<u64>,
}

/// What is recorded, told and asked for in one order.
struct Kept {
    ring: Ring,
    /// `None` once nobody is told any more.
    live: Option<broadcast::Sender<Arc<Event>>>,
}

/// What the log and its writer tell each other.
#[derive(Default)]
struct Fate {
    /// Events that were told and not written.
    lost: AtomicU64,
    /// The last event found no room in the queue.
    full: AtomicBool,
    /// The catalog was closed: a database that does not answer is waited for no more.
    closed: AtomicBool,
}

/// Events within a scope: first those that were asked for again, then each as it happens, none twice and none left
/// out.
#[derive(Debug)]
pub struct Subscription {
    /// The event to go on after is not kept any more, or never was: something may be missing before the first.
    pub reset: bool,
    replay: std::vec::IntoIter<Arc<Event>>,
    live: broadcast::Receiver<Arc<Event>>,
    scope: Scope,
}

impl Events {
    pub(crate) async fn open(
        connection: &DatabaseConnection,
        gate: Gate,
        patience: Duration,
    ) -> Result<Events, Error> {
        let ring = writer::load(connection).await?;
        let (unwritten, queue) = mpsc::channel(UNWRITTEN);
        let fate = Arc::<Fate>::default();
        let (tell, settled) = watch::channel(ring.last());
        tokio::spawn(Writer::new(connection.clone(), gate, patience, fate.clone(), tell).run(queue));
        let kept = Mutex::new(Kept { ring, live: Some(broadcast::Sender::new(BACKLOG)) });
        Ok(Events(Arc::new(Log { kept, unwritten, fate, settled })))
    }

    /// Records an event, without waiting for anything, and gives its id.
    pub fn record(&self, new: NewEvent) -> u64 {
        // Everything under the lock, so that all are told, kept and written in the order of their ids.
        let mut kept = self.kept();
        let event = Arc::new(new.with_id(kept.ring.next_id(now())));
        kept.ring.push(event.clone());
        if let Some(live) = &kept.live {
            // Nobody listens: nothing to tell.
            let _ = live.send(event.clone());
        }
        self.write_later(event.clone());
        event.id
    }

    /// Follows what happens within a scope: what happened after the event `after`, as far as it is kept, and then each
    /// event as it happens. `Some(0)` is everything that is kept, `None` nothing of it.
    pub fn subscribe(&self, scope: Scope, after: Option<u64>) -> Subscription {
        let Kept { ring, live } = &*self.kept();
        let live = live.as_ref().map_or_else(|| broadcast::channel(1).1, broadcast::Sender::subscribe);
        let replay: Vec<_> = after.map(|after| ring.after(after).cloned().collect()).unwrap_or_default();
        let reset = after.is_some_and(|after| after != 0 && !ring.knows(after));
        Subscription { reset, replay: replay.into_iter(), live, scope }
    }

    /// Lets all subscribers go, once they were told what was recorded before: what is recorded from now on is kept and
    /// told to nobody. For a server that stops.
    pub fn end(&self) {
        self.kept().live = None;
    }

    /// The id of the newest event; 0 before the first.
    pub fn newest(&self) -> u64 {
        self.kept().ring.last()
    }

    /// How many events were told and not written, since the start.
    pub fn lost(&self) -> u64 {
        self.0.fate.lost.load(Ordering::Relaxed)
    }

    /// Waits until what was recorded before is written, or lost.
    pub async fn flush(&self) {
        let newest = self.newest();
        // An error says that the writer is gone: nothing more will be written.
        let _ = self.0.settled.clone().wait_for(|settled| *settled >= newest).await;
    }

    pub(crate) fn tell(&self, change: &Change, at: WallTime) {
        let (kind, changed) = match change.kind {
            changes::Kind::EntryCreated => (Kind::EntryCreated, None),
            changes::Kind::EntryDeleted => (Kind::EntryDeleted, None),
            changes::Kind::EntryUpdated => (Kind::EntryUpdated, Some("details")),
            changes::Kind::AirSwitched => (Kind::EntryUpdated, Some("air")),
            changes::Kind::TimelinesChanged => (Kind::EntryUpdated, Some("timelines")),
            changes::Kind::InputsChanged => (Kind::EntryUpdated, Some("inputs")),
            changes::Kind::TargetsChanged => (Kind::EntryUpdated, Some("targets")),
            changes::Kind::KeysChanged => (Kind::EntryUpdated, Some("keys")),
            _ => return,
        };
        let data = changed.map(|what| ("changed".to_owned(), json!(what))).into_iter().collect();
        let entry = change.entry.as_ref().map(ToString::to_string);
        self.record(NewEvent { account: change.account.clone(), entry, kind, at, data });
    }

    /// Writes what is left, for as long as the database has patience.
    pub(crate) async fn close(&self, patience: Duration) {
        let written = tokio::time::timeout(patience, self.flush()).await;
        self.0.fate.closed.store(true, Ordering::Relaxed);
        if written.is_err() {
            tracing::warn!("the database did not take the last events");
        }
    }

    fn write_later(&self, event: Arc<Event>) {
        let fate = &self.0.fate;
        let full = self.0.unwritten.try_send(event).is_err();
        let before = fate.full.swap(full, Ordering::Relaxed);
        if full {
            fate.lost.fetch_add(1, Ordering::Relaxed);
        }
        match (before, full) {
            (false, true) => tracing::warn!(
                waiting = UNWRITTEN,
                "events are told but not kept: the database is too slow or away"
            ),
            (true, false) => tracing::info!(lost = self.lost(), "events are kept again"),
            _ => {}
        }
    }

    // Each step of `Ring` leaves it whole, so a panic elsewhere cannot have broken it.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events")
            .field("newest", &self.newest())
            .field("lost", &self.lost())
            .finish_non_exhaustive()
    }
}

impl Subscription {
    /// The next event. Cancel safe.
    pub async fn next(&mut self) -> Result<Arc<Event>, Over> {
        loop {
            let event = match self.replay.next() {
                Some(event) => event,
                None => self.live.recv().await.map_err(Over::from)?,
            };
            if event.is_within(&self.scope) {
                return Ok(event);
            }
        }
    }
}

impl From<broadcast::error::RecvError> for Over {
    fn from(error: broadcast::error::RecvError) -> Over {
        match error {
            broadcast::error::RecvError::Lagged(_) => Over::Lagged,
            broadcast::error::RecvError::Closed => Over::Closed,
        }
    }
}

impl Event {
    /// Whether it is there for somebody: an account has its own, and what is nobody's is for the server's alone.
    pub fn is_within(&self, scope: &Scope) -> bool {
        match (&self.account, scope) {
            (_, Scope::All) => true,
            (Some(account), scope) => scope.contains(account),
            (None, Scope::Account(_)) => false,
        }
    }

    /// As it is told to the world, in JSON: what and when, as Standard Webhooks recommends it, and the data, with which
    /// event it is, whose, and of which entry.
    pub fn payload(&self) -> String {
        let mut data = self.data.clone();
        if self.id != 0 {
            data.insert("event".to_owned(), json!(self.id));
        }
        data.insert("account".to_owned(), json!(self.account.as_ref().map(ToString::to_string)));
        if let Some(entry) = &self.entry {
            data.insert("entry".to_owned(), json!(entry));
        }
        json!({ "type": self.kind.as_str(), "timestamp": self.at.to_string(), "data": data }).to_string()
    }
}

impl NewEvent {
    fn with_id(self, id: u64) -> Event {
        let NewEvent { account, entry, kind, at, mut data } = self;
        if size(&data) > DATA {
            tracing::debug!(%kind, "the data of an event is too large and left out");
            data = [("left_out".to_owned(), json!(true))].into_iter().collect();
        }
        // PostgreSQL stores no NUL.
        let entry = entry.map(|entry| entry.replace('\0', "\u{fffd}"));
        Event { id, account, entry, kind, at, data }
    }
}

/// Bytes of JSON, without making it.
fn size(data: &Map<String, Value>) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // A map of JSON values can always be written to something that takes everything.
    serde_json::to_writer(&mut count, data).map_or(usize::MAX, |()| count.0)
}
