//! Idempotency keys: a request that is sent twice is done once.
//!
//! ```text
//! claim ─▶ Fresh ─▶ do it (Caller::request: what is created is noted in its own transaction) ─▶ keep the answer
//!      ├─▶ Replay: it was done; here is what it created, and the answer if it was kept
//!      ├─▶ Running: somebody is at it
//!      └─▶ Other: the key was used for another request
//! ```
//!
//! A crash between the change and its answer therefore leaves the id of what was created, and a crash before the
//! change leaves a claim that runs out. An answer that shows an API token is not to be kept.

use std::time::Duration;

use media::{MediaTime, Timescale, WallTime};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::audit::{Action, Note};
use crate::check;
use crate::error::Error;
use crate::id::TokenId;
use crate::scope::{Caller, Who};
use crate::store::{Store, Write};
use crate::tables::idempotency::{Column, Entity, Model};

/// Longest key, in characters.
pub const KEY: usize = 255;
/// Largest answer that is kept, in bytes.
pub const ANSWER: usize = 64 << 10;
/// How long a claim holds while nothing came of it.
pub const CLAIM: Duration = Duration::from_secs(60);
/// How long what was done is remembered.
pub const MEMORY: Duration = Duration::from_secs(24 * 3600);

/// What is known of a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Claim {
    /// Nothing: it is the caller's now.
    Fresh,
    /// The same request was done.
    Replay {
        /// The id of what it created.
        subject: Option<String>,
        /// What it was answered.
        answer: Option<String>,
    },
    /// The same request is being worked on.
    Running,
    /// The key belongs to another request.
    Other,
}

/// Idempotency keys, each within the token that uses it.
pub struct Idempotency<'a>(pub(crate) &'a Store);

impl Idempotency<'_> {
    /// Takes a key for a request, which is known by a hash of it.
    pub async fn claim(&self, token: &TokenId, key: &str, request: &str) -> Result<Claim, Error> {
        check::named("Idempotency-Key", key, KEY)?;
        self.0
            .patiently(async {
                let write = self.0.begin(&Caller::server()).await?;
                let old = Entity::delete_many().filter(Column::Expires.lte(write.now.micros()));
                old.exec(&write.transaction).await?;
                let known =
                    Entity::find_by_id((token.to_string(), key.to_owned())).one(&write.transaction).await?;
                if let Some(row) = known {
                    return Ok(Claim::of(row, request));
                }
                write.insert(Model::new(token, key, request, later(write.now, CLAIM))).await?;
                write.commit().await.map(|()| Claim::Fresh)
            })
            .await
    }

    /// Keeps the answer to a claimed request, for whoever asks again.
    pub async fn keep(&self, token: &TokenId, key: &str, answer: &str) -> Result<(), Error> {
        if answer.len() > ANSWER {
            return Ok(());
        }
        self.change(token, key, |query| query.col_expr(Column::Answer, Expr::value(answer))).await
    }

    /// Gives a claimed key back: nothing was done.
    pub async fn release(&self, token: &TokenId, key: &str) -> Result<(), Error> {
        let claimed = Entity::delete_many()
            .filter(Column::Token.eq(token.as_str()).and(Column::Key.eq(key)))
            .filter(Column::Subject.is_null().and(Column::Answer.is_null()));
        self.0
            .patiently(async {
                let write = self.0.begin(&Caller::server()).await?;
                claimed.exec(&write.transaction).await?;
                write.commit().await
            })
            .await
    }

    async fn change(
        &self,
        token: &TokenId,
        key: &str,
        set: impl FnOnce(sea_orm::UpdateMany<Entity>) -> sea_orm::UpdateMany<Entity>,
    ) -> Result<(), Error> {
        let query =
            set(Entity::update_many()).filter(Column::Token.eq(token.as_str()).and(Column::Key.eq(key)));
        self.0
            .patiently(async {
                let write = self.0.begin(&Caller::server()).await?;
                let until = later(write.now, MEMORY);
                query.col_expr(Column::Expires, Expr::value(until)).exec(&write.transaction).await?;
                write.commit().await
            })
            .await
    }
}

/// Notes what a claimed request created.
pub(crate) async fn settle(write: &Write, note: &Note) -> Result<(), Error> {
    let (Some(key), Who::Token(token), Action::Create) =
        (&write.caller.request, &write.caller.who, note.action)
    else {
        return Ok(());
    };
    let query = Entity::update_many()
        .col_expr(Column::Subject, Expr::value(note.subject.as_str()))
        .col_expr(Column::Expires, Expr::value(later(write.now, MEMORY)))
        .filter(Column::Token.eq(token.as_str()).and(Column::Key.eq(key.as_str())));
    query.exec(&write.transaction).await?;
    Ok(())
}

impl Claim {
    fn of(row: Model, request: &str) -> Claim {
        match row {
            row if row.request != request => Claim::Other,
            row if row.subject.is_none() && row.answer.is_none() => Claim::Running,
            row => Claim::Replay { subject: row.subject, answer: row.answer },
        }
    }
}

impl Model {
    fn new(token: &TokenId, key: &str, request: &str, expires: i64) -> Model {
        let (token, key, request) = (token.to_string(), key.to_owned(), request.to_owned());
        Model { token, key, request, subject: None, answer: None, expires }
    }
}

fn later(now: WallTime, span: Duration) -> i64 {
    let span = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
    now.plus(MediaTime::new(span, Timescale::MICROS)).micros()
}
