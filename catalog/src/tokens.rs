//! API tokens: who may do what over the API.
//!
//! A token is shown once, when it is created; what is kept is its digest. It belongs to an account, or to the server.
//! What a role may do is the API's to say; here a role is a word.

use std::collections::HashSet;
use std::sync::{PoisonError, RwLock};

use media::WallTime;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::{Map, Value, json};

use crate::audit::{Action, Note};
use crate::changes::{Change, Kind};
use crate::check;
use crate::error::Error;
use crate::id::{AccountId, TokenId, random_base_36};
use crate::page::{After, Page, Paging};
use crate::scope::{Caller, Scope, Who};
use crate::secret::{Purpose, Secret};
use crate::store::{Store, now};
use crate::tables::api_tokens::{Column, Entity, Model};
use crate::words::words;

/// What every token begins with, for those who search files for secrets.
pub const PREFIX: &str = "hw_";
/// Random characters behind the prefix, of base 36: 206 bits.
pub const LENGTH: usize = 40;
/// Longest name, in characters.
pub const NAME: usize = 250;
/// When it was last used is written at most so often, in seconds: not every request writes.
pub const USE_SECONDS: i64 = 60;
const ORDER: &str = "id asc";

words! {
    /// What the holder may do.
    Role {
        /// Everything within its scope.
        Admin = "admin",
        /// Provision and run entries.
        Producer = "producer",
        /// Look.
        Viewer = "viewer",
    }
}

/// A token, without its secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Token {
    /// Its id, which may be shown.
    pub id: TokenId,
    /// What its holder may do.
    pub role: Role,
    /// Where: in one account, or on the whole server.
    pub scope: Scope,
    /// Its name, for people.
    pub name: String,
    /// When it was created.
    pub created: WallTime,
    /// It opens nothing from then on.
    pub expires: Option<WallTime>,
    /// When it was used last, to about a minute.
    pub last_used: Option<WallTime>,
    /// When it was taken away.
    pub revoked: Option<WallTime>,
}

/// What a token is created from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewToken {
    /// What its holder may do.
    pub role: Role,
    /// Where; not beyond the caller's own scope.
    pub scope: Scope,
    /// Its name, for people.
    pub name: String,
    /// It opens nothing from then on.
    pub expires: Option<WallTime>,
}

/// Why a token opens nothing. The peer is told no more than that it does not.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
pub enum Rejected {
    /// There is none such.
    #[error("unknown API token")]
    Unknown,
    /// Its time is over.
    #[error("expired API token")]
    Expired,
    /// It was taken away.
    #[error("revoked API token")]
    Revoked,
}

/// API tokens.
pub struct Tokens<'a>(pub(crate) &'a Store);

impl Tokens<'_> {
    /// Makes a new one. Its secret is in the answer and nowhere else.
    pub async fn create(&self, caller: &Caller, new: NewToken) -> Result<(Token, Secret), Error> {
        check::named("name", &new.name, NAME)?;
        caller.scope.covers(&new.scope)?;
        let secret = Secret::new(format!("{PREFIX}{}", random_base_36(LENGTH)?));
        self.0
            .patiently(async {
                let mut write = self.0.begin(caller).await?;
                let token = Token::new(new, write.now)?;
                let digest = self.digest(&secret);
                write.insert(token.row(digest.clone())).await?;
                write.record(Note::created(&token.id, token.summary()), token.change()).await?;
                write.commit().await?;
                self.0.memory.tokens.add(digest);
                Ok((token, secret))
            })
            .await
    }

    /// Whose a secret is. Says [`Error::Rejected`] when it opens nothing.
    pub async fn authenticate(&self, secret: &Secret) -> Result<Token, Error> {
        let query = Entity::find().filter(Column::Digest.eq(self.digest(secret)));
        self.0
            .patiently(async {
                let row = query.one(&self.0.connection).await?.ok_or(Rejected::Unknown)?;
                let token = Token::stored(row)?;
                if let Err(rejected) = token.opens_at(now()) {
                    self.0.memory.tokens.forget(&self.digest(secret));
                    return Err(rejected.into());
                }
                self.0.memory.tokens.add(self.digest(secret));
                self.used(&token).await;
                Ok(token)
            })
            .await
    }

    /// Whether a token is one, as far as this process knows: every one of the database when it was opened, and what was
    /// made or used here since, but for those that were used when they were valid no more. Answered from memory, so that who guesses costs the database nothing, and can
    /// be told from who has a token.
    pub fn is_known(&self, secret: &Secret) -> bool {
        self.0.memory.tokens.contains(&self.digest(secret))
    }

    /// One of them.
    pub async fn get(&self, scope: &Scope, id: &TokenId) -> Result<Token, Error> {
        let query = Entity::find_by_id(id.as_str()).filter(scope.admits(Column::Account));
        let row = self.0.patiently(async { Ok(query.one(&self.0.connection).await?) }).await?;
        Token::stored(row.ok_or(Error::NotFound("API token"))?)
    }

    /// Those within the scope, by id, the revoked ones too.
    pub async fn list(&self, scope: &Scope, paging: &Paging) -> Result<Page<Token>, Error> {
        let (limit, after) = (paging.limit()?, paging.after(ORDER)?);
        let mut query = Entity::find().filter(scope.admits(Column::Account));
        if let Some(after) = after {
            query = query.filter(Column::Id.gt(after.id));
        }
        let query = query.order_by_asc(Column::Id).limit(limit + 1);
        let rows = self.0.patiently(async { Ok(query.all(&self.0.connection).await?) }).await?;
        let key = |row: &Model| After { value: String::new(), id: row.id.clone() };
        Page::cut(rows, limit, ORDER, key).map(Token::stored)
    }

    /// Takes one away. Doing it twice is as good as once.
    pub async fn revoke(&self, caller: &Caller, id: &TokenId) -> Result<(), Error> {
        self.0
            .patiently(async {
                let mut write = self.0.begin(caller).await?;
                let query = Entity::find_by_id(id.as_str()).filter(caller.scope.admits(Column::Account));
                let row = query.lock_exclusive().one(&write.transaction).await?;
                let row = row.ok_or(Error::NotFound("API token"))?;
                if row.revoked.is_some() {
                    return Ok(());
                }
                let token = Token::stored(row.clone())?;
                write.replace(Model { revoked: Some(write.now.micros()), ..row }).await?;
                let what = Note::done(Action::Revoke, id, Map::new());
                write.record(what, token.change()).await?;
                write.commit().await
            })
            .await
    }

    /// Notes the use. A database that is busy does not keep anybody out for it.
    async fn used(&self, token: &Token) {
        let now = now().micros();
        let recently = token.last_used.is_some_and(|last| now - last.micros() < USE_SECONDS * 1_000_000);
        if recently {
            return;
        }
        let update = Entity::update_many()
            .col_expr(Column::LastUsed, Expr::value(now))
            .filter(Column::Id.eq(token.id.as_str()));
        if let Err(error) = update.exec(&self.0.connection).await {
            tracing::debug!(token = %token.id, error = %Error::from(error), "use of a token not noted");
        }
    }

    fn digest(&self, secret: &Secret) -> String {
        self.0.digester.digest(Purpose::ApiToken, secret.expose())
    }
}

impl Token {
    /// Who its holder is to the catalog.
    pub fn caller(&self) -> Caller {
        Caller { who: Who::Token(self.id.clone()), scope: self.scope.clone(), request: None }
    }

    fn new(new: NewToken, now: WallTime) -> Result<Token, Error> {
        let NewToken { role, scope, name, expires } = new;
        Ok(Token {
            id: TokenId::random()?,
            role,
            scope,
            name,
            created: now,
            expires,
            last_used: None,
            revoked: None,
        })
    }

    fn opens_at(&self, now: WallTime) -> Result<(), Rejected> {
        if self.revoked.is_some() {
            return Err(Rejected::Revoked);
        }
        match self.expires {
            Some(end) if end <= now => Err(Rejected::Expired),
            _ => Ok(()),
        }
    }

    fn account(&self) -> Option<AccountId> {
        match &self.scope {
            Scope::Account(account) => Some(account.clone()),
            Scope::All => None,
        }
    }

    fn change(&self) -> Change {
        Change { account: self.account(), entry: None, kind: Kind::Token }
    }

    fn stored(row: Model) -> Result<Token, Error> {
        Ok(Token {
            id: TokenId::stored(row.id),
            role: Role::stored(&row.role)?,
            scope: row.account.map_or(Scope::All, |account| Scope::Account(AccountId::stored(account))),
            name: row.name,
            created: WallTime::from_micros(row.created),
            expires: row.expires.map(WallTime::from_micros),
            last_used: row.last_used.map(WallTime::from_micros),
            revoked: row.revoked.map(WallTime::from_micros),
        })
    }

    fn row(&self, digest: String) -> Model {
        Model {
            id: self.id.to_string(),
            account: self.account().map(|account| account.to_string()),
            role: self.role.to_string(),
            name: self.name.clone(),
            digest,
            created: self.created.micros(),
            expires: self.expires.map(WallTime::micros),
            last_used: None,
            revoked: None,
        }
    }

    fn summary(&self) -> Map<String, Value> {
        let fields = [
            ("role", json!(self.role.as_str())),
            ("name", json!(self.name)),
            ("account", json!(self.account().map(|account| account.to_string()))),
            ("expires", json!(self.expires.map(|at| at.to_string()))),
        ];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// The digests of the tokens that this process knows of. There are as many as in the database, at most.
#[derive(Default)]
pub(crate) struct Known(RwLock<HashSet<String>>);

impl Known {
    pub(crate) async fn load(connection: &DatabaseConnection) -> Result<Known, Error> {
        let digests = Entity::find().select_only().column(Column::Digest).into_tuple::<String>();
        Ok(Known(RwLock::new(digests.all(connection).await?.into_iter().collect())))
    }

    fn contains(&self, digest: &str) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains(digest)
    }

    fn add(&self, digest: String) {
        if !self.contains(&digest) {
            self.0.write().unwrap_or_else(PoisonError::into_inner).insert(digest);
        }
    }

    fn forget(&self, digest: &str) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(digest);
    }
}
