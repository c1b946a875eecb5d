//! PostgreSQL: a table of `tsvector` under a GIN index.

use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{DbBackend, Statement};

use crate::id::EntryId;

/// The words come cut and go in as they are (`array_to_tsvector`), past the parser, which would make hosts, numbers
/// and paths of them.
pub(super) const CREATE: &[&str] = &[
    "CREATE TABLE entry_search (entry text PRIMARY KEY REFERENCES entries (id) ON DELETE CASCADE, words tsvector NOT NULL)",
    "CREATE INDEX entry_search_words ON entry_search USING gin (words)",
];

pub(super) fn insert(entry: &EntryId, words: Vec<String>) -> Statement {
    let sql =
        "INSERT INTO entry_search (entry, words) VALUES ($1, array_to_tsvector(string_to_array($2, ' ')))";
    statement(sql, [entry.as_str().into(), words.join(" ").into()])
}

pub(super) fn delete(entry: &EntryId) -> Statement {
    statement("DELETE FROM entry_search WHERE entry = $1", [entry.as_str().into()])
}

/// `'word':*` is a prefix; the cast takes words as they are, where `to_tsquery` would parse them.
pub(super) fn condition(words: &[String]) -> SimpleExpr {
    let query = words.iter().map(|word| format!("'{word}':*")).collect::<Vec<_>>().join(" & ");
    let sql = "\"entries\".\"id\" IN (SELECT entry FROM entry_search WHERE words @@ $1::tsquery)";
    Expr::cust_with_values(sql, [query])
}

fn statement<const N: usize>(sql: &str, values: [sea_orm::Value; N]) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}
