//! What clips are cut of, and recordings that are deleted while clips still show them.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, integer, text};

use super::m0001_first::{index, of_entry};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0006_clips"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// A range names its recording without a reference: it outlives the recording's row and its entry.
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            text("entry"),
            integer("position"),
            text("source"),
            text("recording"),
            big_integer("first"),
            big_integer("last"),
            big_integer("starts"),
            big_integer("ends"),
        ];
        manager.create_table(of_entry("clip_ranges", &["entry", "position"], columns)).await?;
        manager.create_index(index("clip_ranges_by_recording", "clip_ranges", &["recording"])).await?;
        manager.create_index(index("clip_ranges_by_source", "clip_ranges", &["source"])).await?;
        let deleted = big_integer_null("deleted");
        manager.alter_table(Table::alter().table("recordings").add_column(deleted).to_owned()).await
    }
}
