//! One row a leg that may be published to.

use sea_orm::entity::prelude::*;

#[derive(Clone, PartialEq, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "stream_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub entry: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub leg: String,
    pub secret: String,
    pub digest: String,
    pub stem: Option<String>,
    pub created: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
