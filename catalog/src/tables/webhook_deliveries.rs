//! One row an event on its way to a webhook.

use sea_orm::entity::prelude::*;

#[derive(Clone, PartialEq, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_deliveries")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub webhook: String,
    pub event: Option<i64>,
    pub kind: String,
    pub payload: String,
    pub state: String,
    pub attempts: i32,
    pub queued: i64,
    pub next_try: i64,
    pub status: Option<i32>,
    pub error: Option<String>,
    pub excerpt: Option<String>,
    pub created: i64,
    pub finished: Option<i64>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
