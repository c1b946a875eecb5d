//! Who asks, and what of the catalog is there for him.

use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, QueryTrait};

use crate::error::Error;
use crate::id::{AccountId, TokenId};
use crate::tables::entries;

/// Which accounts exist for a caller. Everything of the others answers as if it were not there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scope {
    /// This one.
    Account(AccountId),
    /// All of the server.
    All,
}

/// Who did something; it is written into the audit log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Who {
    /// The server itself: its configuration, its first start, its clean-up.
    Server,
    /// The holder of an API token.
    Token(TokenId),
}

/// Who asks for a change, and within which scope.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Caller {
    /// Who.
    pub who: Who,
    /// Within which accounts.
    pub scope: Scope,
    /// The idempotency key of the request, where it has one: what the request creates is noted with it in the same
    /// transaction (see [`crate::idempotency`]).
    pub request: Option<String>,
}

impl Scope {
    /// Whether an account is there for this caller.
    pub fn contains(&self, account: &AccountId) -> bool {
        match self {
            Scope::Account(own) => own == account,
            Scope::All => true,
        }
    }

    /// That nothing is given more than its maker has.
    pub(crate) fn covers(&self, given: &Scope) -> Result<(), Error> {
        match (self, given) {
            (Scope::All, _) => Ok(()),
            (Scope::Account(own), Scope::Account(given)) if own == given => Ok(()),
            _ => Err(Error::NotFound("account")),
        }
    }

    /// The account that something new belongs to: the named one, else the caller's own, else the main one.
    pub(crate) fn home(&self, named: Option<AccountId>) -> Result<AccountId, Error> {
        match (self, named) {
            (Scope::Account(own), None) => Ok(own.clone()),
            (Scope::All, None) => Ok(AccountId::main()),
            (scope, Some(account)) if scope.contains(&account) => Ok(account),
            _ => Err(Error::NotFound("account")),
        }
    }

    /// The condition that a column names an account within the scope.
    pub(crate) fn admits(&self, column: impl ColumnTrait) -> Condition {
        match self {
            Scope::Account(own) => Condition::all().add(column.eq(own.as_str())),
            Scope::All => Condition::all(),
        }
    }

    /// The same for a thing that belongs to an entry, by the column that names it.
    pub(crate) fn admits_entry(&self, column: impl ColumnTrait) -> Condition {
        match self {
            Scope::Account(_) => {
                let own = entries::Entity::find().select_only().column(entries::Column::Id);
                let own = own.filter(self.admits(entries::Column::Account));
                Condition::all().add(column.in_subquery(own.into_query()))
            }
            Scope::All => Condition::all(),
        }
    }
}

impl Caller {
    /// The server itself, over all accounts.
    pub fn server() -> Caller {
        Caller { who: Who::Server, scope: Scope::All, request: None }
    }
}

impl std::fmt::Display for Who {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Who::Server => f.write_str("server"),
            Who::Token(id) => id.fmt(f),
        }
    }
}
