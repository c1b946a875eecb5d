//! One row a live entry: what overrides the configuration for it. Lengths are in milliseconds.

use sea_orm::entity::prelude::*;

#[derive(Clone, PartialEq, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "live")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub entry: String,
    pub air: String,
    pub segment: Option<i64>,
    pub part: Option<i64>,
    pub window: Option<i64>,
    pub dvr: Option<i64>,
    pub reconnect: Option<i64>,
    pub recorder: Option<String>,
    pub latency: Option<String>,
    pub starts_at: Option<i64>,
    pub ends_at: Option<i64>,
    pub keep_age: Option<i64>,
    pub keep_count: Option<i64>,
    pub keep_bytes: Option<i64>,
    pub srt_passphrase: Option<String>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::entries::Entity",
        from = "Column::Entry",
        to = "super::entries::Column::Id"
    )]
    Entry,
}

impl Related<super::entries::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Entry.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
