//! Accounts, entries, stream keys, API tokens, assets, recordings, jobs, audit log, idempotency keys.

use sea_orm::DbBackend;
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, big_pk_auto, boolean, integer, integer_null, text, text_null,
};

use crate::search;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0001_first"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in tables(manager.get_database_backend()) {
            manager.create_table(table).await?;
        }
        for index in indices() {
            manager.create_index(index).await?;
        }
        search::create(manager.get_connection()).await?;
        manager.execute(main_account()).await
    }
}

/// In the order of their references.
fn tables(backend: DbBackend) -> Vec<TableCreateStatement> {
    vec![
        accounts(),
        entries(backend),
        entry_tags(),
        live(),
        stream_keys(),
        api_tokens(),
        assets(),
        recordings(),
        jobs(),
        audit(),
        idempotency(),
        table("secrets", &["name"], [text("name"), text("value")]),
    ]
}

fn accounts() -> TableCreateStatement {
    let columns = [
        text("id"),
        text("name"),
        integer_null("max_streams"),
        big_integer_null("max_bitrate"),
        big_integer("created"),
        big_integer("updated"),
        big_integer("version"),
    ];
    table("accounts", &["id"], columns)
}

fn entries(backend: DbBackend) -> TableCreateStatement {
    let columns = [
        text("id"),
        text("account"),
        text("kind"),
        text("name"),
        sorted_text("sort_name", backend),
        text("description"),
        text("metadata"),
        text_null("owner"),
        big_integer("created"),
        big_integer("updated"),
        big_integer("version"),
    ];
    let mut table = table("entries", &["id"], columns);
    table.foreign_key(ForeignKey::create().from("entries", "account").to("accounts", "id"));
    table
}

fn entry_tags() -> TableCreateStatement {
    of_entry("entry_tags", &["entry", "tag"], [text("entry"), text("tag")])
}

fn live() -> TableCreateStatement {
    let columns = [
        text("entry"),
        text("air"),
        big_integer_null("segment"),
        big_integer_null("part"),
        big_integer_null("window"),
        big_integer_null("dvr"),
        big_integer_null("reconnect"),
        text_null("recorder"),
        text_null("latency"),
        big_integer_null("starts_at"),
        big_integer_null("ends_at"),
    ];
    of_entry("live", &["entry"], columns)
}

fn stream_keys() -> TableCreateStatement {
    let columns = [
        text("entry"),
        text("leg"),
        text("secret"),
        text("digest"),
        text_null("stem"),
        big_integer("created"),
    ];
    of_entry("stream_keys", &["entry", "leg"], columns)
}

fn api_tokens() -> TableCreateStatement {
    let columns = [
        text("id"),
        text_null("account"),
        text("role"),
        text("name"),
        text("digest"),
        big_integer("created"),
        big_integer_null("expires"),
        big_integer_null("last_used"),
        big_integer_null("revoked"),
    ];
    let mut table = table("api_tokens", &["id"], columns);
    let account = ForeignKey::create()
        .from("api_tokens", "account")
        .to("accounts", "id")
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned();
    table.foreign_key(&mut account.to_owned());
    table
}

fn assets() -> TableCreateStatement {
    let columns = [
        text("id"),
        text("entry"),
        text("kind"),
        text("location"),
        text("media_type"),
        big_integer("bytes"),
        big_integer("created"),
    ];
    of_entry("assets", &["id"], columns)
}

fn recordings() -> TableCreateStatement {
    let columns = [
        text("id"),
        text("entry"),
        big_integer("session"),
        text("state"),
        big_integer("started"),
        big_integer_null("ended"),
        big_integer("bytes"),
        boolean("protected"),
    ];
    of_entry("recordings", &["id"], columns)
}

fn jobs() -> TableCreateStatement {
    let columns = [
        text("id"),
        text("entry"),
        text("kind"),
        text("state"),
        integer("priority"),
        integer("attempts"),
        integer("max_attempts"),
        integer("progress"),
        text("input"),
        text_null("output"),
        text_null("error"),
        text_null("worker"),
        big_integer_null("lease_until"),
        big_integer("run_after"),
        big_integer("created"),
        big_integer("updated"),
    ];
    of_entry("jobs", &["id"], columns)
}

/// Refers to nothing: it outlives what it speaks of.
fn audit() -> TableCreateStatement {
    let columns = [
        big_pk_auto("number"),
        big_integer("at"),
        text_null("account"),
        text("who"),
        text("action"),
        text("subject"),
        text_null("before"),
        text_null("after"),
    ];
    table("audit", &[], columns)
}

fn idempotency() -> TableCreateStatement {
    let columns = [
        text("token"),
        text("key"),
        text("request"),
        text_null("subject"),
        text_null("answer"),
        big_integer("expires"),
    ];
    table("idempotency", &["token", "key"], columns)
}

fn indices() -> Vec<IndexCreateStatement> {
    vec![
        // Once for who sees one account, once for who sees all.
        index("entries_of_account_by_created", "entries", &["account", "created", "id"]),
        index("entries_of_account_by_updated", "entries", &["account", "updated", "id"]),
        index("entries_of_account_by_name", "entries", &["account", "sort_name", "id"]),
        index("entries_by_created", "entries", &["created", "id"]),
        index("entries_by_updated", "entries", &["updated", "id"]),
        index("entries_by_name", "entries", &["sort_name", "id"]),
        index("entry_tags_by_tag", "entry_tags", &["tag", "entry"]),
        index("stream_keys_by_digest", "stream_keys", &["digest"]).unique().to_owned(),
        index("stream_keys_by_stem", "stream_keys", &["stem"]),
        index("api_tokens_by_digest", "api_tokens", &["digest"]).unique().to_owned(),
        index("api_tokens_by_account", "api_tokens", &["account", "created", "id"]),
        index("assets_by_entry", "assets", &["entry", "created", "id"]),
        index("recordings_by_entry", "recordings", &["entry", "started", "id"]),
        index("jobs_by_entry", "jobs", &["entry", "created", "id"]),
        index("jobs_by_state", "jobs", &["state", "run_after", "id"]),
        index("audit_by_account", "audit", &["account", "number"]),
        index("audit_by_subject", "audit", &["subject", "number"]),
        index("idempotency_by_expiry", "idempotency", &["expires"]),
    ]
}

/// A table with a primary key of these columns; none where a column is one by itself.
pub(super) fn table<const N: usize>(
    name: &'static str,
    key: &[&'static str],
    columns: [ColumnDef; N],
) -> TableCreateStatement {
    let mut table = Table::create();
    table.table(name);
    for column in columns {
        table.col(column);
    }
    if !key.is_empty() {
        let mut primary = Index::create();
        for column in key {
            primary.col(*column);
        }
        table.primary_key(&mut primary);
    }
    table
}

/// A table whose rows go with their entry.
pub(super) fn of_entry<const N: usize>(
    name: &'static str,
    key: &[&'static str],
    columns: [ColumnDef; N],
) -> TableCreateStatement {
    let mut table = table(name, key, columns);
    let mut entry = ForeignKey::create();
    entry.from(name, "entry").to("entries", "id").on_delete(ForeignKeyAction::Cascade);
    table.foreign_key(&mut entry);
    table
}

pub(super) fn index(
    name: &'static str,
    table: &'static str,
    columns: &[&'static str],
) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(name).table(table);
    for column in columns {
        index.col(*column);
    }
    index
}

/// Text whose order is that of its bytes in either database, whatever the locale of the server.
fn sorted_text(name: &'static str, backend: DbBackend) -> ColumnDef {
    let mut column = text(name);
    if backend == DbBackend::Postgres {
        column.extra("COLLATE \"C\"");
    }
    column
}

fn main_account() -> InsertStatement {
    let mut insert = Query::insert();
    insert.into_table("accounts").columns(["id", "name", "created", "updated", "version"]);
    insert.values_panic(["acc_00000000".into(), "main".into(), 0_i64.into(), 0_i64.into(), 1_i64.into()]);
    insert
}
