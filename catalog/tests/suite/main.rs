//! What the catalog promises, on both databases: each test of [`on_both`] runs on SQLite and on a PostgreSQL server
//! that the suite starts for itself.
#![allow(clippy::unwrap_used)]

/// Makes a test for each database of functions that take a fresh [`home::Home`].
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::home::Home::sqlite().await).await;
            })+
        }

        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::home::Home::postgres().await).await;
            })+
        }
    };
}

mod access;
mod accounts;
mod audit;
mod belongings;
mod changes;
mod clips;
mod deliveries;
mod entries;
mod events;
mod home;
mod idempotency;
mod inputs;
mod isolation;
mod keys;
mod lists;
mod outage;
mod removals;
mod schema;
mod search;
mod server;
mod targets;
mod timelines;
mod tokens;
mod webhooks;
