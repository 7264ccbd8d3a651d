//! Arguments of the graph service's operations.

use serde::Deserialize;

use crate::model::{EntityType, Relation};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RelationsArgs {
    pub user_id: String,
    pub limit: Option<i64>,
}

/// An entity by any spelling of its name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntityRef {
    #[serde(rename = "type")]
    pub kind: EntityType,
    pub value: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EntityArgs {
    pub user_id: String,
    pub entity: EntityRef,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SearchEntitiesArgs {
    pub user_id: String,
    pub text: String,
    pub types: Option<Vec<EntityType>>,
    pub limit: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TopEntitiesArgs {
    pub user_id: String,
    pub types: Option<Vec<EntityType>>,
    pub limit: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RelatedEntitiesArgs {
    pub user_id: String,
    pub entity: EntityRef,
    pub types: Option<Vec<EntityType>>,
    pub relationship_types: Option<Vec<Relation>>,
    pub limit: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EntityMemoriesArgs {
    pub user_id: String,
    pub entity: EntityRef,
    pub limit: Option<i64>,
    pub cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PathArgs {
    pub user_id: String,
    pub from: EntityRef,
    pub to: EntityRef,
    pub max_depth: Option<i64>,
}
