//! Full-text search, the one place where the databases differ.
//!
//! Both are given *words*: letters and digits of any script, folded to lower case without accents, cut by this module and not
//! by the tokenizer of either database, so that both find the same. What a person types is words again, each
//! matched by its beginning; nothing of it can be an operator, so nothing he types is an error. Scripts that write
//! without spaces (Chinese, Thai) make one word of a sentence and are found by its beginning.

mod postgres;
mod sqlite;

use sea_orm::sea_query::SimpleExpr;
use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::id::EntryId;

/// Longer words are found by their first so many characters.
const LONGEST_WORD: usize = 40;
/// Of what is searched for; more of them are left out.
const MOST_WORDS: usize = 16;

/// Makes what the search needs; part of the first migration.
pub(crate) async fn create<C: ConnectionTrait>(connection: &C) -> Result<(), DbErr> {
    let statements = match connection.get_database_backend() {
        DbBackend::Postgres => postgres::CREATE,
        _ => sqlite::CREATE,
    };
    for statement in statements {
        connection.execute_unprepared(statement).await?;
    }
    Ok(())
}

/// Makes an entry be found by these texts, and by no others.
pub(crate) async fn put<C: ConnectionTrait>(
    connection: &C,
    entry: &EntryId,
    texts: &[&str],
) -> Result<(), DbErr> {
    remove(connection, entry).await?;
    let words = distinct(texts);
    let statement = match connection.get_database_backend() {
        DbBackend::Postgres => postgres::insert(entry, words),
        _ => sqlite::insert(entry, words),
    };
    connection.execute_raw(statement).await.map(drop)
}

/// Makes an entry be found no more.
pub(crate) async fn remove<C: ConnectionTrait>(connection: &C, entry: &EntryId) -> Result<(), DbErr> {
    let statement = match connection.get_database_backend() {
        DbBackend::Postgres => postgres::delete(entry),
        _ => sqlite::delete(entry),
    };
    connection.execute_raw(statement).await.map(drop)
}

/// The condition that an entry has all of the words that somebody typed, at least their beginnings; `None` when there
/// is not one word in it, which nothing matches.
pub(crate) fn condition(backend: DbBackend, typed: &str) -> Option<SimpleExpr> {
    let mut words = words(typed).collect::<Vec<_>>();
    words.truncate(MOST_WORDS);
    let condition = match backend {
        DbBackend::Postgres => postgres::condition(&words),
        _ => sqlite::condition(&words),
    };
    (!words.is_empty()).then_some(condition)
}

/// Lower case without accents, as names are sorted and words are compared.
pub(crate) fn fold(text: &str) -> String {
    let plain = text.nfkd().filter(|c| !is_combining_mark(*c));
    plain.flat_map(char::to_lowercase).collect()
}

fn distinct(texts: &[&str]) -> Vec<String> {
    let mut words: Vec<String> = texts.iter().flat_map(|text| words(text)).collect();
    words.sort_unstable();
    words.dedup();
    words
}

fn words(text: &str) -> impl Iterator<Item = String> {
    let folded = fold(text);
    let words = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| word.chars().take(LONGEST_WORD).collect()).collect::<Vec<String>>().into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        assert_eq!(words(text).collect::<Vec<_>>(), expected, "{text}");
    }

    #[test]
    fn words_are_letters_and_digits_folded() {
        check("Grand-Prix 2026: Köln/Zürich", &["grand", "prix", "2026", "koln", "zurich"]);
        check("ﬁnal ÉTAPE №5", &["final", "etape", "no5"]);
        check("\"quoted\" OR (a* NEAR b) ' ; -- \0 \\ :*", &["quoted", "or", "a", "near", "b"]);
        check("!?*\" 🎉", &[]);
        check("Финал 決勝戦", &["финал", "決勝戦"]);
        check(&"x".repeat(3000), &[&"x".repeat(LONGEST_WORD)]);
    }
}
