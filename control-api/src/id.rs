//! Ids in paths. What has not the shape of one is not there.

use axum::extract::{FromRequestParts, Path};
use catalog::{AccountId, EntryId, JobId, Scope, TokenId, WebhookId};
use http::request::Parts;

use crate::problem::Problem;

/// The id in a path.
#[derive(Debug)]
pub(crate) struct Id<T>(pub(crate) T);

/// What has ids.
pub(crate) trait Named: Sized {
    const WHAT: &str;

    fn read(text: &str) -> Option<Self>;
}

macro_rules! named {
    ($name:ident, $what:literal) => {
        impl Named for $name {
            const WHAT: &str = $what;

            fn read(text: &str) -> Option<$name> {
                $name::parse(text)
            }
        }
    };
}

named!(AccountId, "account");
named!(EntryId, "entry");
named!(JobId, "job");
named!(TokenId, "API token");
named!(WebhookId, "webhook");

impl<S: Send + Sync, T: Named> FromRequestParts<S> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Id<T>, Problem> {
        let text: Option<Path<String>> = Path::from_request_parts(parts, state).await.ok();
        let id = text.and_then(|Path(text)| T::read(&text));
        id.map(Id).ok_or_else(|| Problem::not_found(T::WHAT))
    }
}

/// An account that a body names. One beyond the caller's scope is not there.
pub(crate) fn account(text: &str, scope: &Scope) -> Result<AccountId, Problem> {
    let account = AccountId::parse(text).filter(|account| scope.contains(account));
    account.ok_or_else(|| Problem::not_found("account"))
}
