//! One row a piece of work that is done in the background.

use sea_orm::entity::prelude::*;

#[derive(Clone, PartialEq, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "jobs")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub entry: String,
    pub kind: String,
    pub state: String,
    pub priority: i32,
    pub attempts: i32,
    pub max_attempts: i32,
    pub progress: i32,
    pub input: String,
    pub output: Option<String>,
    pub error: Option<String>,
    pub worker: Option<String>,
    pub lease_until: Option<i64>,
    pub run_after: i64,
    pub created: i64,
    pub updated: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
