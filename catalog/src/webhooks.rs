//! Webhooks: addresses that events are sent to. Here is what they are and who may see them; [`crate::deliveries`] has
//! what is sent, and the sending is somebody else's.
//!
//! A webhook belongs to an account and is sent its events, or to the server and is sent everybody's. Its secret is
//! *kept in clear*, because it signs each call (Standard Webhooks), and is shown when it is made and never again.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use media::{MediaTime, Timescale, WallTime};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::{Map, Value, json};
use url::Url;

use crate::audit::{Action, Note};
use crate::changes::{Change, Kind as Changed};
use crate::check;
use crate::deliveries;
use crate::error::Error;
use crate::events::Kind;
use crate::id::{AccountId, WebhookId};
use crate::page::{After, Page, Paging};
use crate::scope::{Caller, Scope};
use crate::secret::Secret;
use crate::store::{Store, Write};
use crate::tables::webhooks::{Column, Entity, Model};

/// Longest URL, in characters.
pub const URL: usize = 2000;
/// Longest description, in characters.
pub const DESCRIPTION: usize = 1000;
/// Most webhooks of one account, and as many of the server itself.
pub const MOST: u64 = 20;
/// What every secret begins with.
pub const PREFIX: &str = "whsec_";
/// Random bytes behind the prefix, in base64: the scheme wants 24 to 64.
pub const LENGTH: usize = 32;
/// After a rotation calls are signed with the old secret too for so long.
pub const OVERLAP: Duration = Duration::from_secs(24 * 3600);
/// Longest reason for which one was disabled, in characters.
pub const REASON: usize = 500;
const ORDER: &str = "id asc";

/// An address that events are sent to, without its secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// Whose events it is sent: an account's, or all of the server.
    pub scope: Scope,
    /// What of it can be written.
    pub details: Details,
    /// Why the server disabled it; `None` when it did not.
    pub disabled_reason: Option<String>,
    /// Since when no delivery has succeeded; `None` while all is well.
    pub failing_since: Option<WallTime>,
    /// When it was created.
    pub created: WallTime,
    /// When it was changed last.
    pub updated: WallTime,
    /// Grows by one with each change that somebody makes.
    pub version: u64,
}

/// What of a webhook can be written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Details {
    /// Where to: `http` or `https`, no user, no password, no fragment; at most [`URL`] characters.
    pub url: String,
    /// What it is for; at most [`DESCRIPTION`] characters.
    pub description: String,
    /// Which kinds of events; empty is all of them.
    pub kinds: Vec<Kind>,
    /// Whether events are sent. What waits when this becomes false is given up.
    pub enabled: bool,
}

/// Webhooks.
pub struct Webhooks<'a>(pub(crate) &'a Store);

impl Webhooks<'_> {
    /// Makes a new one, whose scope is not beyond the caller's. Its secret is in the answer and nowhere else.
    pub async fn create(
        &self,
        caller: &Caller,
        scope: Scope,
        details: Details,
    ) -> Result<(Webhook, Secret), Error> {
        caller.scope.covers(&scope)?;
        let (details, secret) = (checked(details)?, new_secret()?);
        self.0
            .patiently(async {
                let mut write = self.0.begin(caller).await?;
                has_room(&write, &scope).await?;
                let webhook = Webhook::new(scope, details, write.now)?;
                write.insert(webhook.row(Secrets { current: secret.clone(), old: None })?).await?;
                write.record(Note::created(&webhook.id, webhook.summary()), webhook.change()).await?;
                write.commit().await.map(|()| (webhook, secret))
            })
            .await
    }

    /// One of them.
    pub async fn get(&self, scope: &Scope, id: &WebhookId) -> Result<Webhook, Error> {
        let query = Entity::find_by_id(id.as_str()).filter(scope.admits(Column::Account));
        let row = self.0.patiently(async { Ok(query.one(&self.0.connection).await?) }).await?;
        Webhook::stored(&row.ok_or(Error::NotFound("webhook"))?)
    }

    /// Those within the scope, by id.
    pub async fn list(&self, scope: &Scope, paging: &Paging) -> Result<Page<Webhook>, Error> {
        let (limit, after) = (paging.limit()?, paging.after(ORDER)?);
        let mut query = Entity::find().filter(scope.admits(Column::Account));
        if let Some(after) = after {
            query = query.filter(Column::Id.gt(after.id));
        }
        let query = query.order_by_asc(Column::Id).limit(limit + 1);
        let rows = self.0.patiently(async { Ok(query.all(&self.0.connection).await?) }).await?;
        let key = |row: &Model| After { value: String::new(), id: row.id.clone() };
        Page::cut(rows, limit, ORDER, key).map(|row| Webhook::stored(&row))
    }

    /// Changes what of it can be written: `edit` is given the details as they are. With `expected`, only when it still
    /// has this version. Enabling one forgets that it failed.
    pub async fn update(
        &self,
        caller: &Caller,
        id: &WebhookId,
        expected: Option<u64>,
        edit: impl FnOnce(&mut Details) + Send,
    ) -> Result<Webhook, Error> {
        self.0
            .patiently(async {
                let mut write = self.0.begin(caller).await?;
                let (old, secrets) = locked(&write, id).await?;
                check::version(expected, old.version)?;
                let mut details = old.details.clone();
                edit(&mut details);
                let new = old.changed(checked(details)?, write.now);
                replace(&mut write, &old, &new, secrets).await?;
                write.commit().await.map(|()| new)
            })
            .await
    }

    /// Replaces the secret. For [`OVERLAP`] calls are signed with both, so that receivers can follow.
    pub async fn rotate(&self, caller: &Caller, id: &WebhookId) -> Result<(Webhook, Secret), Error> {
        let secret = new_secret()?;
        self.0
            .patiently(async {
                let mut write = self.0.begin(caller).await?;
                let (old, secrets) = locked(&write, id).await?;
                let until = later(write.now, OVERLAP);
                let secrets = Secrets { current: secret.clone(), old: Some((secrets.current, until)) };
                let new = old.changed(old.details.clone(), write.now);
                write.replace(new.row(secrets)?).await?;
                write.record(Note::done(Action::RotateSecret, id, Map::new()), new.change()).await?;
                write.commit().await.map(|()| (new, secret))
            })
            .await
    }

    /// Deletes it, with all that was sent to it or waits.
    pub async fn delete(&self, caller: &Caller, id: &WebhookId, expected: Option<u64>) -> Result<(), Error> {
        self.0
            .patiently(async {
                let mut write = self.0.begin(caller).await?;
                let (old, _) = locked(&write, id).await?;
                check::version(expected, old.version)?;
                Entity::delete_by_id(id.as_str()).exec(&write.transaction).await?;
                write.record(Note::deleted(id, old.summary()), old.change()).await?;
                write.commit().await
            })
            .await
    }
}

/// What calls are signed with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Secrets {
    pub(crate) current: Secret,
    /// The one before, and until when it signs too.
    pub(crate) old: Option<(Secret, WallTime)>,
}

impl Secrets {
    pub(crate) fn stored(row: &Model) -> Secrets {
        let old = row.old_secret.as_ref().zip(row.old_secret_until);
        Secrets {
            current: Secret::new(&row.secret),
            old: old.map(|(secret, until)| (Secret::new(secret), WallTime::from_micros(until))),
        }
    }

    /// Those that sign now, the current one first.
    pub(crate) fn at(self, now: WallTime) -> Vec<Secret> {
        let old = self.old.filter(|(_, until)| now < *until).map(|(secret, _)| secret);
        [self.current].into_iter().chain(old).collect()
    }
}

impl Webhook {
    fn new(scope: Scope, details: Details, now: WallTime) -> Result<Webhook, Error> {
        Ok(Webhook {
            id: WebhookId::random()?,
            scope,
            details,
            disabled_reason: None,
            failing_since: None,
            created: now,
            updated: now,
            version: 1,
        })
    }

    fn changed(&self, details: Details, now: WallTime) -> Webhook {
        let begins = details.enabled && !self.details.enabled;
        let failing_since = if begins { None } else { self.failing_since };
        let disabled_reason = if details.enabled { None } else { self.disabled_reason.clone() };
        let (updated, version) = (now.max(self.updated), self.version + 1);
        Webhook { details, disabled_reason, failing_since, updated, version, ..self.clone() }
    }

    /// Disabled by the server.
    pub(crate) fn disabled(&self, reason: &str, now: WallTime) -> Webhook {
        let reason = reason.chars().take(REASON).collect();
        let new = self.changed(Details { enabled: false, ..self.details.clone() }, now);
        Webhook { disabled_reason: Some(reason), ..new }
    }

    pub(crate) fn account(&self) -> Option<&AccountId> {
        match &self.scope {
            Scope::Account(account) => Some(account),
            Scope::All => None,
        }
    }

    fn change(&self) -> Change {
        Change { account: self.account().cloned(), entry: None, kind: Changed::Webhook }
    }

    pub(crate) fn stored(row: &Model) -> Result<Webhook, Error> {
        let account = row.account.clone().map(AccountId::stored);
        Ok(Webhook {
            id: WebhookId::stored(row.id.clone()),
            scope: account.map_or(Scope::All, Scope::Account),
            details: Details {
                url: row.url.clone(),
                description: row.description.clone(),
                kinds: row.kinds.split_whitespace().map(Kind::stored).collect::<Result<_, _>>()?,
                enabled: row.enabled,
            },
            disabled_reason: row.disabled_reason.clone(),
            failing_since: row.failing_since.map(WallTime::from_micros),
            created: WallTime::from_micros(row.created),
            updated: WallTime::from_micros(row.updated),
            version: u64::try_from(row.version).unwrap_or_default(),
        })
    }

    fn row(&self, secrets: Secrets) -> Result<Model, Error> {
        let (old_secret, old_secret_until) = secrets.old.unzip();
        Ok(Model {
            id: self.id.to_string(),
            account: self.account().map(ToString::to_string),
            url: self.details.url.clone(),
            description: self.details.description.clone(),
            kinds: words(&self.details.kinds).join(" "),
            secret: secrets.current.expose().to_owned(),
            old_secret: old_secret.map(|secret| secret.expose().to_owned()),
            old_secret_until: old_secret_until.map(WallTime::micros),
            enabled: self.details.enabled,
            disabled_reason: self.disabled_reason.clone(),
            failing_since: self.failing_since.map(WallTime::micros),
            created: self.created.micros(),
            updated: self.updated.micros(),
            version: check::count("version", self.version)?,
        })
    }

    fn summary(&self) -> Map<String, Value> {
        let details = &self.details;
        let fields = [
            ("url", json!(details.url)),
            ("description", json!(details.description)),
            ("kinds", json!(words(&details.kinds))),
            ("enabled", json!(details.enabled)),
            ("disabled_reason", json!(self.disabled_reason)),
            ("account", json!(self.account().map(ToString::to_string))),
        ];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// One that is about to be changed, held against other processes.
pub(crate) async fn locked(write: &Write, id: &WebhookId) -> Result<(Webhook, Secrets), Error> {
    let query = Entity::find_by_id(id.as_str()).filter(write.caller.scope.admits(Column::Account));
    let row = query.lock_exclusive().one(&write.transaction).await?.ok_or(Error::NotFound("webhook"))?;
    Ok((Webhook::stored(&row)?, Secrets::stored(&row)))
}

/// Makes it another; what waits for one that is disabled is given up.
pub(crate) async fn replace(
    write: &mut Write,
    old: &Webhook,
    new: &Webhook,
    secrets: Secrets,
) -> Result<(), Error> {
    write.replace(new.row(secrets)?).await?;
    if old.details.enabled && !new.details.enabled {
        deliveries::give_up(write, &new.id).await?;
    }
    let note = Note::changed(Action::Update, &new.id, old.summary(), new.summary());
    write.record(note, new.change()).await
}

pub(crate) fn later(at: WallTime, span: Duration) -> WallTime {
    let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
    at.plus(MediaTime::new(micros, Timescale::MICROS))
}

async fn has_room(write: &Write, scope: &Scope) -> Result<(), Error> {
    let owner = match scope {
        Scope::Account(account) => Column::Account.eq(account.as_str()),
        Scope::All => Column::Account.is_null(),
    };
    if Entity::find().filter(owner).count(&write.transaction).await? >= MOST {
        return Err(Error::Conflict(format!("there are {MOST} webhooks already, which is the most")));
    }
    Ok(())
}

fn checked(mut details: Details) -> Result<Details, Error> {
    check::named("url", &details.url, URL)?;
    check::text("description", &details.description, DESCRIPTION)?;
    details.url = address(&details.url)?;
    details.kinds.sort_unstable();
    details.kinds.dedup();
    Ok(details)
}

/// The URL as it will be used. Which hosts may be called is the caller's to know.
fn address(text: &str) -> Result<String, Error> {
    let invalid = |problem: &str| Error::invalid("url", problem);
    let url = Url::parse(text).map_err(|error| invalid(&format!("is no URL: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(invalid("is not http://HOST/… or https://HOST/…"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("has a user or a password in it; the signature says who calls"));
    }
    if url.fragment().is_some() {
        return Err(invalid("has a fragment, which no server is ever sent"));
    }
    check::text("url", url.as_str(), URL)?;
    Ok(url.into())
}

fn words(kinds: &[Kind]) -> Vec<&'static str> {
    kinds.iter().map(|kind| kind.as_str()).collect()
}

fn new_secret() -> Result<Secret, Error> {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).map_err(|error| Error::Unavailable(format!("no randomness: {error}")))?;
    Ok(Secret::new(format!("{PREFIX}{}", STANDARD.encode(bytes))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_http_and_has_no_secret_in_it() {
        for (text, expected) in [
            ("https://example.com", Some("https://example.com/")),
            ("http://EXAMPLE.com:8080/a?b=c", Some("http://example.com:8080/a?b=c")),
            ("http://2130706433/", Some("http://127.0.0.1/")),
            ("ftp://example.com/", None),
            ("file:///etc/passwd", None),
            ("https://user@example.com/", None),
            ("https://:secret@example.com/", None),
            ("https://example.com/#part", None),
            ("example.com", None),
            ("https://", None),
            ("", None),
        ] {
            assert_eq!(address(text).ok().as_deref(), expected, "{text}");
        }
    }
}
