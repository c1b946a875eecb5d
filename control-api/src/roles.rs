//! What a role may do: each handler asks for the one that it needs, as its first argument.
//!
//! | role | may |
//! |---|---|
//! | viewer | look; no stream key, and nothing with one in it |
//! | producer | and provision and run entries |
//! | admin | and manage tokens, accounts within the token's scope, and read the audit log |

use std::sync::Arc;

use axum::extract::FromRequestParts;
use catalog::{Caller, Role, Scope, Token};
use http::request::Parts;

use crate::problem::{Kind, Problem, unauthorized};

/// The holder of a token, whatever its role.
#[derive(Clone, Debug)]
pub(crate) struct Viewer(Arc<Token>);

/// Who provisions and runs entries.
#[derive(Clone, Debug)]
pub(crate) struct Producer(Arc<Token>);

/// Who manages.
#[derive(Clone, Debug)]
pub(crate) struct Admin(Arc<Token>);

macro_rules! role {
    ($name:ident) => {
        impl $name {
            pub(crate) fn token(&self) -> &Token {
                &self.0
            }

            pub(crate) fn scope(&self) -> &Scope {
                &self.0.scope
            }
        }

        impl<S: Sync> FromRequestParts<S> for $name {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<$name, Problem> {
                holder(parts, Role::$name).map($name)
            }
        }
    };
}

role!(Viewer);
role!(Producer);
role!(Admin);

impl Viewer {
    /// Whether stream keys are shown to him.
    pub(crate) fn sees_keys(&self) -> bool {
        may(self.0.role, Role::Producer)
    }

    /// Whether he may do what costs the server something.
    pub(crate) fn runs_entries(&self) -> bool {
        may(self.0.role, Role::Producer)
    }
}

impl Producer {
    pub(crate) fn caller(&self) -> Caller {
        self.0.caller()
    }
}

impl Admin {
    pub(crate) fn caller(&self) -> Caller {
        self.0.caller()
    }

    /// Who manages the whole server.
    pub(crate) fn of_all(&self) -> Result<(), Problem> {
        match self.scope() {
            Scope::All => Ok(()),
            Scope::Account(_) => {
                Err(Problem::new(Kind::Forbidden, "only a token of the whole server may do this"))
            }
        }
    }
}

fn holder(parts: &Parts, needed: Role) -> Result<Arc<Token>, Problem> {
    let token = parts.extensions.get::<Arc<Token>>().ok_or_else(|| unauthorized("no API token"))?;
    if may(token.role, needed) {
        return Ok(token.clone());
    }
    let detail = format!("this needs the role {needed}; the token has the role {}", token.role);
    Err(Problem::new(Kind::Forbidden, detail))
}

/// Each role may do what those after it may.
fn may(role: Role, needed: Role) -> bool {
    let rank = |role| match role {
        Role::Viewer => 0,
        Role::Producer => 1,
        Role::Admin => 2,
    };
    rank(role) >= rank(needed)
}
