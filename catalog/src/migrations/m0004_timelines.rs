//! Named timelines of live entries.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, text};

use super::m0001_first::of_entry;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0004_timelines"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            text("entry"),
            text("name"),
            text("air"),
            big_integer("starts_at"),
            big_integer_null("ends_at"),
            big_integer("created"),
            big_integer("updated"),
            big_integer("version"),
        ];
        manager.create_table(of_entry("timelines", &["entry", "name"], columns)).await
    }
}
