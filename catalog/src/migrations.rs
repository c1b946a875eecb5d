//! The schema, as a numbered series of changes, and the way from whatever a database has to the newest.
//!
//! One file a number. What a released file says never changes: another number comes after it. The files speak of
//! tables by their names, not through [`crate::tables`], which is how the tables are now.

mod m0001_first;
mod m0002_events;
mod m0003_access;
mod m0004_timelines;
mod m0006_clips;
mod m0007_retention;
mod m0008_srt;
mod m0009_inputs;
mod m0010_targets;

use std::collections::BTreeSet;

use sea_orm::sea_query::{IntoIden, Query};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, DynIden, TransactionTrait,
};
use sea_orm_migration::{MigrationTrait, MigratorTrait, SchemaManager};

use crate::error::Error;
use crate::store;

/// Which of the series a database has seen.
const TABLE: &str = "schema_migrations";
/// Any number, as long as it is ours: processes that open one PostgreSQL database at once migrate it in turn.
const ADVISORY_LOCK: i64 = 0x4865_6164_7761_7465;

/// The series.
pub(crate) struct Migrations;

impl MigratorTrait for Migrations {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_first::Migration),
            Box::new(m0002_events::Migration),
            Box::new(m0003_access::Migration),
            Box::new(m0004_timelines::Migration),
            Box::new(m0006_clips::Migration),
            Box::new(m0007_retention::Migration),
            Box::new(m0008_srt::Migration),
            Box::new(m0009_inputs::Migration),
            Box::new(m0010_targets::Migration),
        ]
    }

    fn migration_table_name() -> DynIden {
        TABLE.into_iden()
    }
}

/// Brings a database to the newest schema, wholly or not at all.
pub(crate) async fn run(connection: &DatabaseConnection) -> Result<(), Error> {
    let transaction = connection.begin_with_options(store::writing()).await?;
    if transaction.get_database_backend() == DbBackend::Postgres {
        transaction.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({ADVISORY_LOCK})")).await?;
        // The time that a statement may take is meant for the small ones of every day.
        transaction.execute_unprepared("SET LOCAL statement_timeout = 0").await?;
    }
    refuse_newer(&transaction).await?;
    Migrations::up(&transaction, None).await?;
    Ok(transaction.commit().await?)
}

async fn refuse_newer(connection: &DatabaseTransaction) -> Result<(), Error> {
    let known: BTreeSet<String> = Migrations::migrations().iter().map(|it| it.name().to_owned()).collect();
    let applied = applied(connection).await?;
    match (applied.difference(&known).last(), known.last()) {
        (Some(found), Some(known)) => Err(Error::TooNew { found: found.clone(), known: known.clone() }),
        _ => Ok(()),
    }
}

async fn applied(connection: &DatabaseTransaction) -> Result<BTreeSet<String>, DbErr> {
    if !SchemaManager::new(connection).has_table(TABLE).await? {
        return Ok(BTreeSet::new());
    }
    let query = Query::select().column("version").from(TABLE).take();
    let rows = connection.query_all(&query).await?;
    rows.iter().map(|row| row.try_get("", "version")).collect()
}
