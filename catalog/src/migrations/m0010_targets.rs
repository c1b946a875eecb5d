//! Where live entries are sent on to.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, boolean, text, text_null};

use super::m0001_first::{index, of_entry};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0010_targets"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            text("id"),
            text("entry"),
            text("name"),
            text("url"),
            text_null("key"),
            text_null("passphrase"),
            text_null("rendition"),
            text_null("audio"),
            boolean("enabled"),
            big_integer("created"),
            big_integer("updated"),
            big_integer("version"),
        ];
        manager.create_table(of_entry("targets", &["id"], columns)).await?;
        manager.create_index(index("targets_by_entry", "targets", &["entry", "id"])).await
    }
}
