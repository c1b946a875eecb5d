//! The schema: made from nothing, the same on both databases, refused when it is newer.

use std::collections::BTreeSet;

use catalog::{Catalog, Error};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};

use crate::home::Home;

on_both!(a_newer_schema_is_refused_in_words, several_may_open_an_empty_database_at_once);

/// What a table is, one line each: columns with nullability, primary key, indices, references.
const SQLITE: &str = "
WITH tables AS (SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
                AND name NOT LIKE 'entry_search%')
SELECT t.name || '.' || c.name || CASE c.\"notnull\" WHEN 1 THEN ' not null' ELSE '' END
       || CASE WHEN c.pk > 0 THEN ' key ' || c.pk ELSE '' END AS line
  FROM tables t, pragma_table_info(t.name) c
UNION ALL
SELECT t.name || ': ' || i.name || ' (' || (SELECT group_concat(name) FROM
         (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno)) || ')'
       || CASE i.\"unique\" WHEN 1 THEN ' unique' ELSE '' END
  FROM tables t, pragma_index_list(t.name) i WHERE i.origin = 'c'
UNION ALL
SELECT t.name || '.' || f.\"from\" || ' -> ' || f.\"table\" || '.' || f.\"to\" || ' ' || lower(f.on_delete)
  FROM tables t, pragma_foreign_key_list(t.name) f";

const POSTGRES: &str = "
WITH tables AS (SELECT oid, relname AS name FROM pg_class WHERE relkind = 'r'
                AND relnamespace = 'public'::regnamespace AND relname <> 'entry_search')
SELECT t.name || '.' || a.attname || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
       || coalesce(' key ' || (array_position(k.indkey::int2[], a.attnum) + 1)::text, '') AS line
  FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0
  LEFT JOIN pg_index k ON k.indrelid = t.oid AND k.indisprimary
UNION ALL
SELECT t.name || ': ' || c.relname || ' (' || (SELECT string_agg(a.attname, ',' ORDER BY n) FROM
         unnest(i.indkey::int2[]) WITH ORDINALITY u(attnum, n) JOIN pg_attribute a
         ON a.attrelid = t.oid AND a.attnum = u.attnum) || ')'
       || CASE WHEN i.indisunique THEN ' unique' ELSE '' END
  FROM tables t JOIN pg_index i ON i.indrelid = t.oid AND NOT i.indisprimary JOIN pg_class c ON c.oid = i.indexrelid
UNION ALL
SELECT t.name || '.' || a.attname || ' -> ' || r.relname || '.' || b.attname || ' '
       || CASE f.confdeltype WHEN 'c' THEN 'cascade' WHEN 'a' THEN 'no action' ELSE 'other' END
  FROM tables t JOIN pg_constraint f ON f.conrelid = t.oid AND f.contype = 'f' JOIN pg_class r ON r.oid = f.confrelid
  JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = f.conkey[1]
  JOIN pg_attribute b ON b.attrelid = r.oid AND b.attnum = f.confkey[1]";

async fn lines(connection: &DatabaseConnection, query: &str) -> BTreeSet<String> {
    let query = Statement::from_string(connection.get_database_backend(), query);
    let rows = connection.query_all_raw(query).await.unwrap();
    rows.iter().map(|row| row.try_get("", "line").unwrap()).collect()
}

#[tokio::test]
async fn both_databases_have_the_same_tables_columns_keys_indices_and_references() {
    let sqlite = lines(&Home::sqlite().await.raw().await, SQLITE).await;
    let postgres = lines(&Home::postgres().await.raw().await, POSTGRES).await;
    let only =
        |one: &BTreeSet<String>, other: &BTreeSet<String>| one.difference(other).cloned().collect::<Vec<_>>();
    assert_eq!(
        only(&sqlite, &postgres),
        only(&postgres, &sqlite),
        "what SQLite alone has, and PostgreSQL alone"
    );
    for line in [
        "entries.owner",
        "entries.access",
        "stream_keys.leg not null key 2",
        "stream_keys: stream_keys_by_digest (digest) unique",
        "live.entry -> entries.id cascade",
        "entries.account -> accounts.id no action",
        "audit.number not null key 1",
        "timelines.name not null key 2",
        "clip_ranges.entry -> entries.id cascade",
        "timelines.entry -> entries.id cascade",
        "inputs.entry -> entries.id cascade",
        "inputs: inputs_by_entry (entry)",
        "targets.entry -> entries.id cascade",
        "events.id not null key 1",
        "webhooks.account -> accounts.id cascade",
        "webhook_deliveries.webhook -> webhooks.id cascade",
        "removed_recordings.id not null key 1",
        "live.keep_age",
        "live.srt_passphrase",
    ] {
        assert!(sqlite.contains(line), "{line}: {sqlite:#?}");
    }
}

async fn a_newer_schema_is_refused_in_words(home: Home) {
    let raw = home.raw().await;
    raw.execute_unprepared("INSERT INTO schema_migrations VALUES ('m9999_later', 0)").await.unwrap();
    let error = Catalog::open(home.database()).await.unwrap_err();
    let Error::TooNew { found, known } = &error else { panic!("{error:?}") };
    assert!(found == "m9999_later" && known.starts_with("m0"), "{error:?}");
    let words = error.to_string();
    assert!(words.contains("newer than this program") && words.contains("m9999_later"), "{words}");
}

async fn several_may_open_an_empty_database_at_once(home: Home) {
    home.empty().await;
    let (one, two, three) = tokio::join!(home.again(), home.again(), home.again());
    let entries = one.entries();
    let new = catalog::NewEntry::live("show");
    let (entry, keys) = entries.create(&catalog::Caller::server(), new).await.unwrap();
    for other in [two, three] {
        assert_eq!(other.entries().get(&catalog::Scope::All, &entry.id).await.as_ref(), Ok(&entry));
        let taken = keys.primary.clone().unwrap();
        let other_entry =
            other.entries().create(&catalog::Caller::server(), catalog::NewEntry::live("b")).await.unwrap().0;
        let set = other
            .stream_keys()
            .set(&catalog::Caller::server(), &other_entry.id, catalog::Leg::Primary, taken)
            .await;
        assert!(matches!(set, Err(Error::Conflict(_))), "they share one key of the digests");
    }
}
