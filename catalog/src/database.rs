//! Where the catalog is kept, and the connections to it.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

use sea_orm::{DatabaseConnection, SqlxPostgresConnector, SqlxSqliteConnector};
use sqlx::pool::PoolOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Postgres, Sqlite, SqliteConnection};

use crate::error::Error;
use crate::secret::Secret;

/// The embedded database's file in the data directory.
pub const FILE: &str = "catalog.db";
/// How long an operation may take before it is given up, unless told otherwise.
const PATIENCE: Duration = Duration::from_secs(5);
/// Readers of the embedded database and its one writer; each is a thread.
const SQLITE_CONNECTIONS: u32 = 4;
/// Connections that one process takes of a PostgreSQL server, which has 100 by default.
const POSTGRES_CONNECTIONS: u32 = 10;
/// Between two tries to open the embedded database.
const PAUSE: Duration = Duration::from_millis(20);
/// A server is given an idle connection back.
const IDLE: Duration = Duration::from_secs(60);

/// Where the catalog is kept.
#[derive(Clone, Debug)]
pub struct Database {
    place: Place,
    patience: Duration,
}

#[derive(Clone, Debug)]
enum Place {
    /// A file.
    Sqlite(PathBuf),
    /// The URL of a server; it may carry a password.
    Postgres(Secret),
}

impl Database {
    /// The embedded database, as `catalog.db` in a directory that exists.
    pub fn embedded(directory: &Path) -> Database {
        Database { place: Place::Sqlite(directory.join(FILE)), patience: PATIENCE }
    }

    /// A PostgreSQL server, by its URL: `postgres://USER:PASSWORD@HOST:PORT/NAME?sslmode=verify-full`, with the
    /// parameters that libpq knows.
    pub fn postgres(url: Secret) -> Database {
        Database { place: Place::Postgres(url), patience: PATIENCE }
    }

    /// How long an operation waits for a database that is locked or away before it is
    /// [`Unavailable`](Error::Unavailable). 5 s by default.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Database {
        Database { patience, ..self }
    }

    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }

    pub(crate) async fn connect(&self) -> Result<DatabaseConnection, Error> {
        match &self.place {
            Place::Sqlite(file) => self.sqlite(file).await,
            Place::Postgres(url) => self.server(url).await,
        }
    }

    async fn sqlite(&self, file: &Path) -> Result<DatabaseConnection, Error> {
        create_private(file).map_err(|error| Error::Unavailable(format!("{}: {error}", file.display())))?;
        let options = SqliteConnectOptions::new()
            .filename(file)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            // What was answered with success outlives a power cut.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(self.step())
            .disable_statement_logging();
        let pool = self.pool::<Sqlite>(SQLITE_CONNECTIONS).idle_timeout(None).max_lifetime(None);
        let pool = pool.after_release(|connection, _| Box::pin(is_clean(connection)));
        let start = Instant::now();
        loop {
            match pool.clone().connect_with(options.clone()).await {
                Ok(pool) => return Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool)),
                Err(error) => self.pause(start, Error::from(&error)).await?,
            }
        }
    }

    /// Waits a little before another try. SQLite's own waiting does not cover the moment when a new file is switched to
    /// WAL, and two processes may be at it.
    async fn pause(&self, start: Instant, error: Error) -> Result<(), Error> {
        if !error.is_retryable() || start.elapsed() > self.step() {
            return Err(error);
        }
        tokio::time::sleep(PAUSE).await;
        Ok(())
    }

    /// How long one step of an operation may take, so that it says itself what is wrong before the operation is given
    /// up.
    fn step(&self) -> Duration {
        self.patience * 3 / 4
    }

    async fn server(&self, url: &Secret) -> Result<DatabaseConnection, Error> {
        let statement_timeout = self.patience.as_millis().to_string();
        let options = parse(url)?
            .application_name("headwater")
            .options([("statement_timeout", statement_timeout.as_str())])
            .disable_statement_logging();
        let pool = self.pool::<Postgres>(POSTGRES_CONNECTIONS).idle_timeout(IDLE).connect_with(options).await;
        Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(pool.map_err(|error| Error::from(&error))?))
    }

    fn pool<D: sqlx::Database>(&self, connections: u32) -> PoolOptions<D> {
        PoolOptions::new().max_connections(connections).acquire_timeout(self.step())
    }
}

/// Whether a connection may be used again. A full disk makes SQLite end a transaction by itself; the driver, which then
/// cannot, takes it for open still. What came next would be a savepoint inside of nothing, or of what is never
/// committed. Such a connection is closed instead.
async fn is_clean(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    // What was dropped is rolled back once this is answered.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

/// The driver takes any scheme, so it is looked at here. Its own error may quote the URL, and is not passed on.
fn parse(url: &Secret) -> Result<PgConnectOptions, Error> {
    let ours = ["postgres://", "postgresql://"].iter().any(|scheme| url.expose().starts_with(scheme));
    let options = PgConnectOptions::from_str(url.expose()).ok().filter(|_| ours);
    options.ok_or_else(|| Error::invalid("database.url", "is not postgres://USER:PASSWORD@HOST:PORT/NAME"))
}

/// Makes the file before SQLite does, readable by its owner alone. SQLite gives the same mode to the files it puts
/// beside it.
fn create_private(file: &Path) -> io::Result<()> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(file).map(drop)
}
