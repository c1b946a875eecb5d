//! One row an entry.

use sea_orm::entity::prelude::*;

#[derive(Clone, PartialEq, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "entries")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub account: String,
    pub kind: String,
    pub name: String,
    pub sort_name: String,
    pub description: String,
    pub metadata: String,
    pub owner: Option<String>,
    pub created: i64,
    pub updated: i64,
    pub version: i64,
    pub access: Option<String>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(has_one = "super::live::Entity")]
    Live,
}

impl Related<super::live::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Live.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
