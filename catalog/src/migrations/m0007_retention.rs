//! How long recordings are kept, why something was done, and recordings whose files have yet to go.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, text, text_null};

use super::m0001_first::table;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0007_retention"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// What is removed outlives its entry, so it refers to none. SQLite adds one column at a time.
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for name in ["accounts", "live"] {
            for column in ["keep_age", "keep_count", "keep_bytes"] {
                let table = Table::alter().table(name).add_column(big_integer_null(column)).to_owned();
                manager.alter_table(table).await?;
            }
        }
        let reason = Table::alter().table("audit").add_column(text_null("reason")).to_owned();
        manager.alter_table(reason).await?;
        let columns = [text("id"), text("entry"), big_integer("at")];
        manager.create_table(table("removed_recordings", &["id"], columns)).await
    }
}
