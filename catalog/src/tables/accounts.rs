//! One row an account, with its quotas.

use sea_orm::entity::prelude::*;

#[derive(Clone, PartialEq, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "accounts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub name: String,
    pub max_streams: Option<i32>,
    pub max_bitrate: Option<i64>,
    pub created: i64,
    pub updated: i64,
    pub version: i64,
    pub keep_age: Option<i64>,
    pub keep_count: Option<i64>,
    pub keep_bytes: Option<i64>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
