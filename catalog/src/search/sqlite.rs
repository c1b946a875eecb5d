//! SQLite: an FTS5 table whose row numbers are the entries'.

use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{DbBackend, Statement};

use crate::id::EntryId;

/// The words come cut, so the tokenizer has only to split at the spaces between them: `ascii` takes every character
/// beyond ASCII for part of a word.
pub(super) const CREATE: &[&str] = &[
    "CREATE VIRTUAL TABLE entry_search USING fts5(entry UNINDEXED, words, tokenize = 'ascii', prefix = '2 3 4')",
];

pub(super) fn insert(entry: &EntryId, words: Vec<String>) -> Statement {
    let sql = "INSERT INTO entry_search (rowid, entry, words) VALUES (?, ?, ?)";
    statement(sql, [entry.number().into(), entry.as_str().into(), words.join(" ").into()])
}

pub(super) fn delete(entry: &EntryId) -> Statement {
    statement("DELETE FROM entry_search WHERE rowid = ?", [entry.number().into()])
}

/// FTS5's own syntax: `"word"*` is a prefix, a space between two is AND.
pub(super) fn condition(words: &[String]) -> SimpleExpr {
    let query = words.iter().map(|word| format!("\"{word}\"*")).collect::<Vec<_>>().join(" ");
    let sql = "\"entries\".\"id\" IN (SELECT entry FROM entry_search WHERE entry_search MATCH ?)";
    Expr::cust_with_values(sql, [query])
}

fn statement<const N: usize>(sql: &str, values: [sea_orm::Value; N]) -> Statement {
    Statement::from_sql_and_values(DbBackend::Sqlite, sql, values)
}
