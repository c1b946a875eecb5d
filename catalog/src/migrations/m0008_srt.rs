//! What publishers of an entry encrypt with by SRT.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::text_null;

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0008_srt"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let passphrase = Table::alter().table("live").add_column(text_null("srt_passphrase")).to_owned();
        manager.alter_table(passphrase).await
    }
}
