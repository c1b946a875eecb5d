//! A fresh, empty catalog for a test, and shorthands.

use std::path::PathBuf;
use std::time::Duration;

use catalog::{Account, AccountId, Caller, Catalog, Database, Entry, NewEntry, Quotas, Scope, Secret, Who};
use sea_orm::ConnectionTrait;
use tempfile::TempDir;

use crate::server::Server;

/// How long a test is willing to wait for a database that does answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A database with a catalog on it.
pub struct Home {
    pub catalog: Catalog,
    database: Database,
    place: Place,
}

enum Place {
    Sqlite(TempDir),
    Postgres(Secret),
}

impl Home {
    pub async fn sqlite() -> Home {
        let directory = tempfile::tempdir().unwrap();
        Home::open(Database::embedded(directory.path()), Place::Sqlite(directory)).await
    }

    pub async fn postgres() -> Home {
        let url = Server::shared().database().await;
        Home::open(Database::postgres(url.clone()), Place::Postgres(url)).await
    }

    async fn open(database: Database, place: Place) -> Home {
        let database = database.with_patience(PATIENCE);
        Home { catalog: Catalog::open(&database).await.unwrap(), database, place }
    }

    /// The same database, opened once more.
    pub async fn again(&self) -> Catalog {
        Catalog::open(&self.database).await.unwrap()
    }

    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The file, of the embedded one.
    pub fn file(&self) -> Option<PathBuf> {
        match &self.place {
            Place::Sqlite(directory) => Some(directory.path().join(catalog::database::FILE)),
            Place::Postgres(_) => None,
        }
    }

    /// For statements that the catalog would not make.
    pub async fn raw(&self) -> sea_orm::DatabaseConnection {
        let url = match &self.place {
            Place::Sqlite(_) => format!("sqlite://{}", self.file().unwrap().display()),
            Place::Postgres(url) => url.expose().to_owned(),
        };
        sea_orm::Database::connect(url).await.unwrap()
    }

    /// Takes everything away, as if nobody had ever opened it.
    pub async fn empty(&self) {
        self.catalog.clone().close().await.unwrap();
        match self.file() {
            Some(file) => std::fs::remove_file(file).unwrap(),
            None => {
                let all = "DROP SCHEMA public CASCADE; CREATE SCHEMA public";
                self.raw().await.execute_unprepared(all).await.unwrap();
            }
        };
    }

    /// A live entry of the main account.
    pub async fn live(&self, name: &str) -> Entry {
        self.catalog.entries().create(&Caller::server(), NewEntry::live(name)).await.unwrap().0
    }

    /// An account and somebody in it.
    pub async fn tenant(&self, name: &str) -> (Account, Caller) {
        let account =
            self.catalog.accounts().create(&Caller::server(), name, Quotas::default()).await.unwrap();
        let caller = member(&account.id);
        (account, caller)
    }
}

pub fn member(account: &AccountId) -> Caller {
    Caller { who: Who::Server, scope: Scope::Account(account.clone()), request: None }
}

pub fn names(entries: &[Entry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.details.name.as_str()).collect()
}
