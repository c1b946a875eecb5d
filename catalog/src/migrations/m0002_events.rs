//! Events, webhooks and their deliveries.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, boolean, integer, integer_null, text, text_null,
};

use super::m0001_first::{index, table};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0002_events"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let position = table("event_positions", &["reader"], [text("reader"), big_integer("event")]);
        for table in [events(), position, webhooks(), deliveries()] {
            manager.create_table(table).await?;
        }
        for index in indices() {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

/// Refers to nothing: it outlives what it speaks of.
fn events() -> TableCreateStatement {
    let columns = [
        big_integer("id"),
        text_null("account"),
        text_null("entry"),
        text("kind"),
        big_integer("at"),
        text("data"),
    ];
    table("events", &["id"], columns)
}

fn webhooks() -> TableCreateStatement {
    let columns = [
        text("id"),
        text_null("account"),
        text("url"),
        text("description"),
        text("kinds"),
        text("secret"),
        text_null("old_secret"),
        big_integer_null("old_secret_until"),
        boolean("enabled"),
        text_null("disabled_reason"),
        big_integer_null("failing_since"),
        big_integer("created"),
        big_integer("updated"),
        big_integer("version"),
    ];
    let mut table = table("webhooks", &["id"], columns);
    let mut account = ForeignKey::create();
    account.from("webhooks", "account").to("accounts", "id").on_delete(ForeignKeyAction::Cascade);
    table.foreign_key(&mut account);
    table
}

fn deliveries() -> TableCreateStatement {
    let columns = [
        text("id"),
        text("webhook"),
        big_integer_null("event"),
        text("kind"),
        text("payload"),
        text("state"),
        integer("attempts"),
        big_integer("queued"),
        big_integer("next_try"),
        integer_null("status"),
        text_null("error"),
        text_null("excerpt"),
        big_integer("created"),
        big_integer_null("finished"),
    ];
    let mut table = table("webhook_deliveries", &["id"], columns);
    let mut webhook = ForeignKey::create();
    webhook.from("webhook_deliveries", "webhook").to("webhooks", "id").on_delete(ForeignKeyAction::Cascade);
    table.foreign_key(&mut webhook);
    table
}

fn indices() -> Vec<IndexCreateStatement> {
    let deliveries = "webhook_deliveries";
    vec![
        index("webhooks_by_account", "webhooks", &["account", "id"]),
        index("webhook_deliveries_by_created", deliveries, &["webhook", "created", "id"]),
        index("webhook_deliveries_by_turn", deliveries, &["webhook", "state", "next_try"]),
        index("webhook_deliveries_by_state", deliveries, &["state", "next_try"]),
    ]
}
