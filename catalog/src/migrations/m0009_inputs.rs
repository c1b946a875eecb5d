//! Inputs: where live entries take media from by themselves.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, boolean, text, text_null};

use super::m0001_first::{index, of_entry};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0009_inputs"
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
            text_null("rendition"),
            boolean("enabled"),
            big_integer("created"),
            big_integer("updated"),
            big_integer("version"),
        ];
        manager.create_table(of_entry("inputs", &["id"], columns)).await?;
        manager.create_index(index("inputs_by_entry", "inputs", &["entry"])).await
    }
}
