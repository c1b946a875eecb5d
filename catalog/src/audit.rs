//! Who changed what, and when.
//!
//! A row is written by the transaction of the change: there is no change without its row, and no row without its
//! change. It says what was before and is after of the fields that differ. Secrets are not among these fields: of
//! a stream key it says that it was rotated.

use media::WallTime;
use sea_orm::{ColumnTrait, EntityTrait, NotSet, QueryFilter, QueryOrder, QuerySelect, Set};
use serde_json::{Map, Value};

use crate::error::Error;
use crate::id::AccountId;
use crate::page::{After, Page, Paging};
use crate::scope::Scope;
use crate::store::{Store, Write};
use crate::tables::audit::{ActiveModel, Column, Entity, Model};
use crate::words::words;

/// Longer texts are cut, in characters.
const LONGEST_TEXT: usize = 300;
const ORDER: &str = "number desc";

words! {
    /// What was done.
    Action {
        /// Something came to be.
        Create = "create",
        /// Something was changed.
        Update = "update",
        /// Something was removed.
        Delete = "delete",
        /// An entry went from preview to live or back.
        Switch = "switch",
        /// A stream key was replaced by a new one.
        RotateKey = "rotate-key",
        /// A stream key was replaced by one that the caller chose.
        SetKey = "set-key",
        /// A stream key was taken away.
        RevokeKey = "revoke-key",
        /// An API token was taken away.
        Revoke = "revoke",
        /// The secret that a webhook's calls are signed with was replaced by a new one.
        RotateSecret = "rotate-secret",
    }
}

/// One row of the log.
#[derive(Clone, PartialEq, Debug)]
pub struct Record {
    /// Grows with time.
    pub number: u64,
    /// When.
    pub at: WallTime,
    /// Whose the thing is; `None` for what is the server's.
    pub account: Option<AccountId>,
    /// Who did it: `server`, or the id of a token.
    pub who: String,
    /// What was done.
    pub action: Action,
    /// To what: its id, which says by its prefix what it is.
    pub subject: String,
    /// What differs, as it was; `None` of what was not.
    pub before: Option<Value>,
    /// What differs, as it is now; `None` of what is no more.
    pub after: Option<Value>,
    /// Why, where the server did it by a rule.
    pub reason: Option<String>,
}

/// What of the log to list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    /// Of this thing only.
    pub subject: Option<String>,
    /// From this time on.
    pub from: Option<WallTime>,
    /// Until before this time.
    pub until: Option<WallTime>,
}

/// The audit log.
pub struct Audit<'a>(pub(crate) &'a Store);

impl Audit<'_> {
    /// Lists it, the latest first.
    pub async fn list(&self, scope: &Scope, filter: &Filter, paging: &Paging) -> Result<Page<Record>, Error> {
        let (limit, after) = (paging.limit()?, paging.after(ORDER)?);
        let mut query = Entity::find().filter(scope.admits(Column::Account));
        if let Some(subject) = &filter.subject {
            query = query.filter(Column::Subject.eq(subject.replace('\0', "")));
        }
        if let Some(from) = filter.from {
            query = query.filter(Column::At.gte(from.micros()));
        }
        if let Some(until) = filter.until {
            query = query.filter(Column::At.lt(until.micros()));
        }
        if let Some(after) = after {
            let number: i64 =
                after.id.parse().map_err(|_| Error::invalid("cursor", "is not one of this list"))?;
            query = query.filter(Column::Number.lt(number));
        }
        let query = query.order_by_desc(Column::Number).limit(limit + 1);
        let rows = self.0.patiently(async { Ok(query.all(&self.0.connection).await?) }).await?;
        let key = |row: &Model| After { value: String::new(), id: row.number.to_string() };
        Page::cut(rows, limit, ORDER, key).map(Record::stored)
    }

    /// Removes what is older, and says how many rows that were.
    pub async fn prune(&self, before: WallTime) -> Result<u64, Error> {
        let query = Entity::delete_many().filter(Column::At.lt(before.micros()));
        self.0.patiently(async { Ok(query.exec(&self.0.connection).await?.rows_affected) }).await
    }
}

impl Record {
    fn stored(row: Model) -> Result<Record, Error> {
        let json = |text: Option<String>| text.map(|text| serde_json::from_str(&text)).transpose();
        let broken = |_| Error::Broken(format!("row {} of the audit log is not JSON", row.number));
        Ok(Record {
            number: u64::try_from(row.number).unwrap_or_default(),
            at: WallTime::from_micros(row.at),
            account: row.account.map(AccountId::stored),
            who: row.who,
            action: Action::stored(&row.action)?,
            subject: row.subject,
            before: json(row.before).map_err(broken)?,
            after: json(row.after).map_err(broken)?,
            reason: row.reason,
        })
    }
}

/// What is about to be written down.
pub(crate) struct Note {
    pub(crate) action: Action,
    pub(crate) subject: String,
    before: Option<Map<String, Value>>,
    after: Option<Map<String, Value>>,
    reason: Option<String>,
}

impl Note {
    pub(crate) fn created(subject: impl ToString, after: Map<String, Value>) -> Note {
        Note {
            action: Action::Create,
            subject: subject.to_string(),
            before: None,
            after: Some(after),
            reason: None,
        }
    }

    pub(crate) fn deleted(subject: impl ToString, before: Map<String, Value>) -> Note {
        Note {
            action: Action::Delete,
            subject: subject.to_string(),
            before: Some(before),
            after: None,
            reason: None,
        }
    }

    /// Of both only what differs.
    pub(crate) fn changed(
        action: Action,
        subject: impl ToString,
        mut before: Map<String, Value>,
        mut after: Map<String, Value>,
    ) -> Note {
        let same: Vec<String> = before
            .iter()
            .filter(|(name, value)| after.get(*name) == Some(value))
            .map(|it| it.0.clone())
            .collect();
        for name in same {
            before.remove(&name);
            after.remove(&name);
        }
        Note { action, subject: subject.to_string(), before: Some(before), after: Some(after), reason: None }
    }

    /// Something was done that has no fields to show.
    pub(crate) fn done(action: Action, subject: impl ToString, about: Map<String, Value>) -> Note {
        Note { action, subject: subject.to_string(), before: None, after: Some(about), reason: None }
    }

    /// With the reason, where there is one.
    pub(crate) fn because(self, reason: Option<&str>) -> Note {
        Note { reason: reason.map(str::to_owned), ..self }
    }
}

pub(crate) async fn write(write: &Write, note: Note, account: Option<&AccountId>) -> Result<(), Error> {
    let row = ActiveModel {
        number: NotSet,
        at: Set(write.now.micros()),
        account: Set(account.map(AccountId::to_string)),
        who: Set(write.caller.who.to_string()),
        action: Set(note.action.to_string()),
        subject: Set(note.subject),
        before: Set(note.before.map(shown)),
        after: Set(note.after.map(shown)),
        reason: Set(note.reason),
    };
    Entity::insert(row).exec_without_returning(&write.transaction).await?;
    Ok(())
}

/// The fields as JSON, each short enough to be read.
fn shown(fields: Map<String, Value>) -> String {
    Value::Object(fields.into_iter().map(|(name, value)| (name, short(value))).collect()).to_string()
}

fn short(value: Value) -> Value {
    let text = match value {
        Value::String(text) => text,
        other if other.is_array() || other.is_object() => {
            let text = other.to_string();
            if text.len() <= LONGEST_TEXT {
                return other;
            }
            text
        }
        other => return other,
    };
    match text.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => Value::String(format!("{}…", &text[..end])),
        None => Value::String(text),
    }
}
