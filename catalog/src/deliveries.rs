//! Deliveries: events on their way to webhooks, and what became of them.
//!
//! ```text
//!          queue (an event and who wants it)
//!            │
//!            ▼        claim           settle
//!  redeliver─▶ queued ──────▶ tried ──┬──▶ delivered
//!            ▲                        ├──▶ dead
//!            └──── next_try ──────────┘
//! ```
//!
//! A claim holds for a while only: what a process that died was sending is taken up again when it has run out. So an
//! event may be delivered twice, and is known by its id.
//!
//! What waits for one webhook is bounded ([`WAITING`]), and so is what is remembered ([`KEPT`], [`MEMORY`]).

mod outbox;

use std::time::Duration;

use media::WallTime;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::{Map, json};

use crate::changes::{Change, Kind as Changed};
use crate::error::Error;
use crate::events::{Event, Kind};
use crate::id::{DeliveryId, WebhookId};
use crate::page::{After, Page, Paging};
use crate::scope::{Caller, Scope};
use crate::store::Write;
use crate::tables::webhook_deliveries::{Column, Entity, Model};
use crate::webhooks::{self, Webhook, Webhooks};
use crate::words::words;

pub use outbox::{Attempt, Deliveries, Due, Queued, Then};

/// Most deliveries that wait for one webhook; further events are not sent to it.
pub const WAITING: u64 = 10_000;
/// How many deliveries that are over are remembered of one webhook.
pub const KEPT: u64 = 1000;
/// How long deliveries that are over are remembered.
pub const MEMORY: Duration = Duration::from_secs(14 * 24 * 3600);
/// Longest error that is kept, in characters.
pub const ERROR: usize = 500;
/// Most of an answer's body that is kept, in characters.
pub const EXCERPT: usize = 1000;
const ORDER: &str = "created desc";

words! {
    /// How far a delivery is.
    State {
        /// It waits for its turn, its first or another one.
        Queued = "queued",
        /// It was taken.
        Delivered = "delivered",
        /// It was given up.
        Dead = "dead",
    }
}

/// An event on its way to a webhook.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivery {
    /// Its id, which the receiver sees as well: the same at each try.
    pub id: DeliveryId,
    /// Where to.
    pub webhook: WebhookId,
    /// Which event; `None` of a test.
    pub event: Option<u64>,
    /// Of what kind.
    pub kind: Kind,
    /// What is sent: JSON with `type`, `timestamp` and `data`.
    pub payload: String,
    /// How far it is.
    pub state: State,
    /// How often it was tried, since it was queued.
    pub attempts: u32,
    /// When it is tried next, while it waits.
    pub next_try: Option<WallTime>,
    /// The HTTP status of the last answer.
    pub status: Option<u16>,
    /// Why the last try failed, in words for people.
    pub error: Option<String>,
    /// How the body of the last answer began.
    pub excerpt: Option<String>,
    /// When it was queued first.
    pub created: WallTime,
    /// When it was over.
    pub finished: Option<WallTime>,
}

impl Webhooks<'_> {
    /// Sends a test event to one webhook, now.
    pub async fn test(&self, caller: &Caller, id: &WebhookId) -> Result<Delivery, Error> {
        self.0
            .patiently(async {
                let mut write = self.0.begin(caller).await?;
                let webhook = ready(&write, id).await?;
                let event = Event {
                    id: 0,
                    account: webhook.account().cloned(),
                    entry: None,
                    kind: Kind::WebhookTest,
                    at: write.now,
                    data: Map::from_iter([("webhook".to_owned(), json!(id.as_str()))]),
                };
                let row = row(id, &event, write.now)?;
                write.insert(row.clone()).await?;
                write.tell(asked(&webhook));
                write.commit().await?;
                Delivery::stored(row)
            })
            .await
    }

    /// What was sent to a webhook, or waits: the latest first; in one state.
    pub async fn deliveries(
        &self,
        scope: &Scope,
        id: &WebhookId,
        state: Option<State>,
        paging: &Paging,
    ) -> Result<Page<Delivery>, Error> {
        let (limit, after) = (paging.limit()?, paging.after(ORDER)?);
        let mut query = Entity::find().filter(Column::Webhook.eq(id.as_str()));
        if let Some(state) = state {
            query = query.filter(Column::State.eq(state.as_str()));
        }
        if let Some(After { value, id }) = after {
            let created: i64 =
                value.parse().map_err(|_| Error::invalid("cursor", "is not one that this list gave"))?;
            let item = Expr::tuple([Expr::col(Column::Created), Expr::col(Column::Id)]);
            query = query.filter(item.lt(Expr::tuple([Expr::val(created), Expr::val(id)])));
        }
        let query = query.order_by_desc(Column::Created).order_by_desc(Column::Id).limit(limit + 1);
        self.get(scope, id).await?;
        let rows = self.0.patiently(async { Ok(query.all(&self.0.connection).await?) }).await?;
        let key = |row: &Model| After { value: row.created.to_string(), id: row.id.clone() };
        Page::cut(rows, limit, ORDER, key).map(Delivery::stored)
    }

    /// One of them.
    pub async fn delivery(
        &self,
        scope: &Scope,
        id: &WebhookId,
        delivery: &DeliveryId,
    ) -> Result<Delivery, Error> {
        self.get(scope, id).await?;
        let query = of(id, delivery);
        let row = self.0.patiently(async { Ok(query.one(&self.0.connection).await?) }).await?;
        Delivery::stored(row.ok_or(Error::NotFound("delivery"))?)
    }

    /// Sends one again, now: one that is over as if it were new, one that waits before its turn.
    pub async fn redeliver(
        &self,
        caller: &Caller,
        id: &WebhookId,
        delivery: &DeliveryId,
    ) -> Result<Delivery, Error> {
        self.0
            .patiently(async {
                let mut write = self.0.begin(caller).await?;
                let webhook = ready(&write, id).await?;
                let row = of(id, delivery).lock_exclusive().one(&write.transaction).await?;
                let row = row.ok_or(Error::NotFound("delivery"))?;
                let row = again(row, write.now);
                write.replace(row.clone()).await?;
                write.tell(asked(&webhook));
                write.commit().await?;
                Delivery::stored(row)
            })
            .await
    }
}

impl Delivery {
    pub(crate) fn stored(row: Model) -> Result<Delivery, Error> {
        let state = State::stored(&row.state)?;
        Ok(Delivery {
            id: DeliveryId::stored(row.id),
            webhook: WebhookId::stored(row.webhook),
            event: row.event.and_then(|event| u64::try_from(event).ok()),
            kind: Kind::stored(&row.kind)?,
            payload: row.payload,
            state,
            attempts: u32::try_from(row.attempts).unwrap_or_default(),
            next_try: (state == State::Queued).then(|| WallTime::from_micros(row.next_try)),
            status: row.status.and_then(|status| u16::try_from(status).ok()),
            error: row.error,
            excerpt: row.excerpt,
            created: WallTime::from_micros(row.created),
            finished: row.finished.map(WallTime::from_micros),
        })
    }
}

/// Gives up what waits for a webhook that was disabled.
pub(crate) async fn give_up(write: &Write, id: &WebhookId) -> Result<(), Error> {
    let waiting = Entity::update_many()
        .col_expr(Column::State, Expr::value(State::Dead.as_str()))
        .col_expr(Column::Error, Expr::value("the webhook was disabled"))
        .col_expr(Column::Finished, Expr::value(write.now.micros()))
        .filter(Column::Webhook.eq(id.as_str()))
        .filter(Column::State.eq(State::Queued.as_str()));
    waiting.exec(&write.transaction).await?;
    Ok(())
}

fn of(webhook: &WebhookId, delivery: &DeliveryId) -> sea_orm::Select<Entity> {
    Entity::find_by_id(delivery.as_str()).filter(Column::Webhook.eq(webhook.as_str()))
}

/// A webhook that something can be sent to.
async fn ready(write: &Write, id: &WebhookId) -> Result<Webhook, Error> {
    let (webhook, _) = webhooks::locked(write, id).await?;
    if !webhook.details.enabled {
        return Err(Error::Conflict("the webhook is disabled: enable it first".to_owned()));
    }
    Ok(webhook)
}

fn asked(webhook: &Webhook) -> Change {
    Change { account: webhook.account().cloned(), entry: None, kind: Changed::Delivery }
}

fn again(row: Model, now: WallTime) -> Model {
    let over = row.state != State::Queued.as_str();
    let (attempts, queued) = if over { (0, now.micros()) } else { (row.attempts, row.queued) };
    let (state, next_try) = (State::Queued.to_string(), now.micros());
    Model { state, attempts, queued, next_try, finished: None, ..row }
}

/// A new delivery of an event.
fn row(webhook: &WebhookId, event: &Event, now: WallTime) -> Result<Model, Error> {
    Ok(Model {
        id: DeliveryId::random()?.to_string(),
        webhook: webhook.to_string(),
        event: i64::try_from(event.id).ok().filter(|id| *id != 0),
        kind: event.kind.to_string(),
        payload: event.payload(),
        state: State::Queued.to_string(),
        attempts: 0,
        queued: now.micros(),
        next_try: now.micros(),
        status: None,
        error: None,
        excerpt: None,
        created: now.micros(),
        finished: None,
    })
}
