//! What can go wrong, and whose fault it is.

use sea_orm::{DbErr, RuntimeErr, SqlErr};

use crate::tokens::Rejected;

/// Why the catalog did not do what it was asked.
///
/// No variant carries a secret or a value that somebody stored: each may be logged and shown.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing within the caller's scope. What belongs to another account is not there either.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The thing was changed since the caller read it.
    #[error("changed meanwhile: it is at version {current}")]
    Stale {
        /// The version that it has now.
        current: u64,
    },
    /// It contradicts what is there.
    #[error("{0}")]
    Conflict(String),
    /// The caller asked for something that cannot be.
    #[error("{field}: {problem}")]
    Invalid {
        /// Which part of the request.
        field: &'static str,
        /// What is wrong with it, and what would be right.
        problem: String,
    },
    /// The API token opens nothing.
    #[error(transparent)]
    Rejected(#[from] Rejected),
    /// The database does not answer, is locked or is full. Nothing was changed, unless it stopped answering while it
    /// committed; the caller may try again.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// A newer version of this program has used this database.
    #[error(
        "the database has the schema {found}, which is newer than this program; it knows {known} and before. \
         Start a newer headwater, or restore the backup from before the update"
    )]
    TooNew {
        /// The newest schema in the database.
        found: String,
        /// The newest that this program knows.
        known: String,
    },
    /// A bug of ours, or a database that others have written to.
    #[error("the catalog is broken: {0}")]
    Broken(String),
}

impl Error {
    /// Whether the same request can succeed a little later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Error::Unavailable(_))
    }

    pub(crate) fn invalid(field: &'static str, problem: impl Into<String>) -> Error {
        Error::Invalid { field, problem: problem.into() }
    }
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Error {
        match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => {
                return Error::Conflict("it exists already".to_owned());
            }
            Some(SqlErr::ForeignKeyConstraintViolation(_)) => {
                return Error::Conflict(
                    "something else still refers to it, or it refers to nothing".to_owned(),
                );
            }
            _ => {}
        }
        match error {
            DbErr::ConnectionAcquire(reason) => Error::Unavailable(reason.to_string()),
            DbErr::Conn(RuntimeErr::SqlxError(inner))
            | DbErr::Exec(RuntimeErr::SqlxError(inner))
            | DbErr::Query(RuntimeErr::SqlxError(inner)) => Error::from(&*inner),
            other => Error::Broken(other.to_string()),
        }
    }
}

impl From<&sqlx::Error> for Error {
    fn from(error: &sqlx::Error) -> Error {
        let away = match error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => true,
            sqlx::Error::Database(inner) => inner.code().is_some_and(|code| passes(&code)),
            _ => false,
        };
        // `Display` of a database's error is its message alone; values are in its `Debug`.
        if away { Error::Unavailable(error.to_string()) } else { Error::Broken(error.to_string()) }
    }
}

/// Whether an error code speaks of a state that passes.
///
/// SQLite: BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN in the low byte. PostgreSQL: the classes 08 connection,
/// 25 read-only, 40 rollback, 53 resources, 55 not in state, 57 operator, 58 system.
fn passes(code: &str) -> bool {
    match code.parse::<u32>() {
        Ok(number) if code.len() < 5 => matches!(number & 0xff, 5 | 6 | 8 | 10 | 13 | 14),
        _ => code.get(..2).is_some_and(|class| ["08", "25", "40", "53", "55", "57", "58"].contains(&class)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_that_passes_is_told_from_a_bug() {
        for (code, expected) in [
            ("5", true),
            ("517", true),
            ("13", true),
            ("1", false),
            ("2067", false),
            ("57P01", true),
            ("53300", true),
            ("40001", true),
            ("42601", false),
            ("23505", false),
        ] {
            assert_eq!(passes(code), expected, "{code}");
        }
    }
}
