//! One row a target of a live entry; its secrets in clear, because they are sent.

use sea_orm::entity::prelude::*;

#[derive(Clone, PartialEq, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "targets")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub entry: String,
    pub name: String,
    pub url: String,
    pub key: Option<String>,
    pub passphrase: Option<String>,
    pub rendition: Option<String>,
    pub audio: Option<String>,
    pub enabled: bool,
    pub created: i64,
    pub updated: i64,
    pub version: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
