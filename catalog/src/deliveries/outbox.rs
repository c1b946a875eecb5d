//! What the one who delivers asks of the catalog.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use media::WallTime;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Set,
};
use serde_json::{Map, json};

use super::{Delivery, ERROR, EXCERPT, KEPT, MEMORY, State, WAITING, row};
use crate::check;
use crate::error::Error;
use crate::events::{Event, Kind, NewEvent};
use crate::id::WebhookId;
use crate::scope::Caller;
use crate::secret::Secret;
use crate::store::{Store, Write};
use crate::tables::webhook_deliveries::{Column, Entity, Model};
use crate::tables::{event_positions, webhooks as table};
use crate::webhooks::{self, Secrets, Webhook, later};

/// Under which name the last event that was dealt with is kept.
const READER: &str = "webhooks";

/// Deliveries, for the one who makes them.
pub struct Deliveries<'a>(pub(crate) &'a Store);

/// What came of some events.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Queued {
    /// How many deliveries were queued.
    pub queued: u64,
    /// How many were not, because [`WAITING`] waited for their webhook.
    pub refused: u64,
}

/// A delivery whose turn it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Due {
    /// It.
    pub delivery: Delivery,
    /// Where to.
    pub url: String,
    /// What to sign it with, the current secret first.
    pub secrets: Vec<Secret>,
    /// When it was queued, or asked for again: from then on the time until it is given up counts.
    pub queued: WallTime,
    /// Since when no delivery to its webhook has succeeded.
    pub failing_since: Option<WallTime>,
}

/// What came of one try.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Attempt {
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// Why it failed, in words for people.
    pub error: Option<String>,
    /// How the answer's body began.
    pub excerpt: Option<String>,
}

/// What follows a try.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Then {
    /// It was taken: all is well.
    Delivered,
    /// It failed and is tried again at this time.
    Retry(WallTime),
    /// It failed and is given up.
    Dead,
    /// The same, and so is the webhook, for this reason.
    Disable(String),
}

impl Deliveries<'_> {
    /// After which event to go on; `None` where nothing was ever dealt with.
    pub async fn position(&self) -> Result<Option<u64>, Error> {
        let query = event_positions::Entity::find_by_id(READER);
        let row = self.0.patiently(async { Ok(query.one(&self.0.connection).await?) }).await?;
        Ok(row.and_then(|row| u64::try_from(row.event).ok()))
    }

    /// Queues events to all enabled webhooks that want them, and notes that they were dealt with: all or nothing. A
    /// webhook is not sent what happened before it was created.
    pub async fn queue(&self, events: &[Arc<Event>]) -> Result<Queued, Error> {
        let Some(last) = events.last() else { return Ok(Queued::default()) };
        self.0
            .patiently(async {
                let write = self.0.begin(&Caller::server()).await?;
                let rows = table::Entity::find().filter(table::Column::Enabled.eq(true));
                let rows = rows.all(&write.transaction).await?;
                let webhooks = rows.iter().map(Webhook::stored).collect::<Result<Vec<_>, _>>()?;
                let mut done = Queued::default();
                let mut waiting = HashMap::new();
                for event in events {
                    for webhook in webhooks.iter().filter(|webhook| webhook.wants(event)) {
                        if !has_room(&write, &mut waiting, &webhook.id).await? {
                            done.refused += 1;
                            continue;
                        }
                        write.insert(row(&webhook.id, event, write.now)?).await?;
                        done.queued += 1;
                    }
                }
                remember(&write, last.id).await?;
                write.commit().await.map(|()| done)
            })
            .await
    }

    /// The webhooks for which it is something's turn.
    pub async fn turns(&self, now: WallTime) -> Result<Vec<WebhookId>, Error> {
        let query = Entity::find().select_only().column(Column::Webhook).distinct();
        let query = query.filter(queued()).filter(Column::NextTry.lte(now.micros()));
        let query = query.into_tuple::<String>();
        let ids = self.0.patiently(async { Ok(query.all(&self.0.connection).await?) }).await?;
        Ok(ids.into_iter().map(WebhookId::stored).collect())
    }

    /// When it is the next one's turn; `None` when nothing waits.
    pub async fn next_turn(&self) -> Result<Option<WallTime>, Error> {
        let query = Entity::find().select_only().column(Column::NextTry).filter(queued());
        let query = query.order_by_asc(Column::NextTry).limit(1).into_tuple::<i64>();
        let next = self.0.patiently(async { Ok(query.one(&self.0.connection).await?) }).await?;
        Ok(next.map(WallTime::from_micros))
    }

    /// Takes up to so many deliveries whose turn it is, the longest due first, for the caller alone until `lease` has
    /// passed.
    pub async fn claim(
        &self,
        id: &WebhookId,
        now: WallTime,
        most: u64,
        lease: Duration,
    ) -> Result<Vec<Due>, Error> {
        self.0
            .patiently(async {
                let write = self.0.begin(&Caller::server()).await?;
                let Some(webhook) = table::Entity::find_by_id(id.as_str()).one(&write.transaction).await?
                else {
                    return Ok(Vec::new());
                };
                let query = Entity::find().filter(Column::Webhook.eq(id.as_str())).filter(queued());
                let query = query.filter(Column::NextTry.lte(now.micros()));
                let query = query.order_by_asc(Column::NextTry).order_by_asc(Column::Created).limit(most);
                let rows = query.lock_exclusive().all(&write.transaction).await?;
                let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
                let claimed = Entity::update_many()
                    .col_expr(Column::NextTry, Expr::value(later(now, lease).micros()))
                    .filter(Column::Id.is_in(ids));
                claimed.exec(&write.transaction).await?;
                write.commit().await?;
                rows.into_iter().map(|row| due(row, &webhook, now)).collect()
            })
            .await
    }

    /// Notes what came of a try, and what follows. Whatever was deleted meanwhile is left so.
    pub async fn settle(&self, delivery: &Delivery, attempt: Attempt, then: Then) -> Result<(), Error> {
        self.0
            .patiently(async {
                let mut write = self.0.begin(&Caller::server()).await?;
                let query = Entity::find_by_id(delivery.id.as_str()).lock_exclusive();
                let Some(row) = query.one(&write.transaction).await? else { return Ok(()) };
                if row.state != State::Queued.as_str() && then != Then::Delivered {
                    // Given up meanwhile.
                    return Ok(());
                }
                write.replace(settled(row, attempt, &then, write.now)?).await?;
                let disabled = follow(&mut write, &delivery.webhook, then).await?;
                let now = write.now;
                write.commit().await?;
                if let Some(webhook) = disabled {
                    self.0.memory.events.record(disabled_event(&webhook, now));
                }
                Ok(())
            })
            .await
    }

    /// Forgets deliveries that are over and old, or too many.
    pub async fn prune(&self) -> Result<(), Error> {
        self.0
            .patiently(async {
                let write = self.0.begin(&Caller::server()).await?;
                let over = || Condition::all().add(Column::State.ne(State::Queued.as_str()));
                let old =
                    write.now.micros().saturating_sub(i64::try_from(MEMORY.as_micros()).unwrap_or(i64::MAX));
                let past = Entity::delete_many().filter(over()).filter(Column::Finished.lt(old));
                past.exec(&write.transaction).await?;
                let ids =
                    table::Entity::find().select_only().column(table::Column::Id).into_tuple::<String>();
                for id in ids.all(&write.transaction).await? {
                    let of = || over().add(Column::Webhook.eq(id.as_str()));
                    let query = Entity::find().select_only().column(Column::Created).filter(of());
                    let query =
                        query.order_by_desc(Column::Created).offset(KEPT).limit(1).into_tuple::<i64>();
                    if let Some(beyond) = query.one(&write.transaction).await? {
                        let more = Entity::delete_many().filter(of()).filter(Column::Created.lte(beyond));
                        more.exec(&write.transaction).await?;
                    }
                }
                write.commit().await
            })
            .await
    }
}

impl Webhook {
    fn wants(&self, event: &Event) -> bool {
        let kind = self.details.kinds.is_empty() || self.details.kinds.contains(&event.kind);
        kind && event.is_within(&self.scope) && event.at >= self.created
    }
}

fn queued() -> sea_orm::sea_query::SimpleExpr {
    Column::State.eq(State::Queued.as_str())
}

/// Counts once what waits for a webhook, and from then on what is added.
async fn has_room(
    write: &Write,
    waiting: &mut HashMap<WebhookId, u64>,
    id: &WebhookId,
) -> Result<bool, Error> {
    if !waiting.contains_key(id) {
        let query = Entity::find().filter(Column::Webhook.eq(id.as_str())).filter(queued());
        waiting.insert(id.clone(), query.count(&write.transaction).await?);
    }
    let count = waiting.entry(id.clone()).or_default();
    *count += 1;
    Ok(*count <= WAITING)
}

async fn remember(write: &Write, last: u64) -> Result<(), Error> {
    let event = check::count("event", last)?;
    let row = event_positions::ActiveModel { reader: Set(READER.to_owned()), event: Set(event) };
    let known = OnConflict::column(event_positions::Column::Reader)
        .update_column(event_positions::Column::Event)
        .to_owned();
    let insert = event_positions::Entity::insert(row).on_conflict(known);
    insert.exec_without_returning(&write.transaction).await?;
    Ok(())
}

fn due(row: Model, webhook: &table::Model, now: WallTime) -> Result<Due, Error> {
    Ok(Due {
        url: webhook.url.clone(),
        secrets: Secrets::stored(webhook).at(now),
        queued: WallTime::from_micros(row.queued),
        failing_since: webhook.failing_since.map(WallTime::from_micros),
        delivery: Delivery::stored(row)?,
    })
}

fn settled(row: Model, attempt: Attempt, then: &Then, now: WallTime) -> Result<Model, Error> {
    let (state, next_try) = match then {
        Then::Delivered => (State::Delivered, row.next_try),
        Then::Retry(at) => (State::Queued, at.micros()),
        Then::Dead | Then::Disable(_) => (State::Dead, row.next_try),
    };
    Ok(Model {
        state: state.to_string(),
        attempts: row.attempts.saturating_add(1),
        next_try,
        status: attempt.status.map(i32::from),
        error: attempt.error.map(|text| cut(&text, ERROR)),
        excerpt: attempt.excerpt.map(|text| cut(&text, EXCERPT)),
        finished: (state != State::Queued).then_some(now.micros()),
        ..row
    })
}

/// What it means for the webhook; gives the one that was disabled by it.
async fn follow(write: &mut Write, id: &WebhookId, then: Then) -> Result<Option<Webhook>, Error> {
    let (old, secrets) = webhooks::locked(write, id).await?;
    let failing_since = match &then {
        Then::Delivered => None,
        _ => old.failing_since.or(Some(write.now)),
    };
    match then {
        Then::Disable(reason) if old.details.enabled => {
            let new = Webhook { failing_since, ..old.disabled(&reason, write.now) };
            webhooks::replace(write, &old, &new, secrets).await?;
            Ok(Some(new))
        }
        _ if failing_since != old.failing_since => {
            let update = table::Entity::update_many()
                .col_expr(table::Column::FailingSince, Expr::value(failing_since.map(WallTime::micros)))
                .filter(table::Column::Id.eq(id.as_str()));
            update.exec(&write.transaction).await?;
            Ok(None)
        }
        _ => Ok(None),
    }
}

fn disabled_event(webhook: &Webhook, now: WallTime) -> NewEvent {
    let data = Map::from_iter([
        ("webhook".to_owned(), json!(webhook.id.as_str())),
        ("reason".to_owned(), json!(webhook.disabled_reason)),
    ]);
    NewEvent { account: webhook.account().cloned(), entry: None, kind: Kind::WebhookDisabled, at: now, data }
}

/// Short enough, and without what a database does not hold.
fn cut(text: &str, most: usize) -> String {
    text.chars().map(|c| if c == '\0' { '\u{fffd}' } else { c }).take(most).collect()
}
