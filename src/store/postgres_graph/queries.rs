//! What the graph inside Postgres tells of a user's entities.

use async_trait::async_trait;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{FromRow, Row as _};
use uuid::Uuid;

use super::PostgresGraph;
use crate::error::Result;
use crate::model::{Direction, EntityType, Relation, RelationshipType};
use crate::store::graph_queries::{
    EntityNode, GraphQueries, MemoryPlace, NameSearch, Neighbour, PartlyDetached, RelatedNode, TypeCount,
};
use crate::store::postgres::{Effect, Row, Sql};

impl PostgresGraph {
    async fn told<T: Row>(&self, sql: Sql) -> Result<Vec<T>> {
        self.postgres.user().all(Effect::Repeatable, sql).await
    }
}

#[async_trait]
impl GraphQueries for PostgresGraph {
    async fn entities(&self, user_id: &str, keys: &[String]) -> Result<Vec<EntityNode>> {
        self.told(Sql::new(include_str!("queries/entities.sql")).bind(user_id).bind(keys)).await
    }

    async fn partly_detached(&self, user_id: &str) -> Result<Vec<PartlyDetached>> {
        self.told(Sql::new(include_str!("queries/partly_detached.sql")).bind(user_id)).await
    }

    async fn top_entities(
        &self,
        user_id: &str,
        types: &[EntityType],
        limit: usize,
    ) -> Result<Vec<EntityNode>> {
        let sql = Sql::new(include_str!("queries/top_entities.sql")).bind(user_id).bind(type_names(types));
        self.told(sql.bind(sql_limit(limit))).await
    }

    async fn search_entities(
        &self,
        user_id: &str,
        searches: &[NameSearch],
        unfolded: &str,
        limit: usize,
    ) -> Result<Vec<EntityNode>> {
        let sql = Sql::new(include_str!("queries/search_entities.sql")).bind(user_id).bind(Json(searches));
        self.told(sql.bind(unfolded).bind(sql_limit(limit))).await
    }

    async fn unfolded_entities(
        &self,
        user_id: &str,
        types: &[EntityType],
        unfolded: &str,
    ) -> Result<Vec<EntityNode>> {
        let sql = Sql::new(include_str!("queries/unfolded_entities.sql")).bind(user_id);
        self.told(sql.bind(type_names(types)).bind(unfolded)).await
    }

    async fn stated_relations(
        &self,
        user_id: &str,
        key: &str,
        types: &[EntityType],
        relationships: &[RelationshipType],
        limit: usize,
    ) -> Result<Vec<RelatedNode>> {
        let relationships: Vec<_> = relationships.iter().map(|kind| kind.name()).collect();
        let sql = Sql::new(include_str!("queries/stated_relations.sql")).bind(user_id).bind(key);
        self.told(sql.bind(type_names(types)).bind(relationships).bind(sql_limit(limit))).await
    }

    async fn co_occurrences(
        &self,
        user_id: &str,
        key: &str,
        types: &[EntityType],
        limit: usize,
    ) -> Result<Vec<RelatedNode>> {
        let sql = Sql::new(include_str!("queries/co_occurrences.sql")).bind(user_id).bind(key);
        self.told(sql.bind(type_names(types)).bind(sql_limit(limit))).await
    }

    async fn memories_of(
        &self,
        user_id: &str,
        key: &str,
        after: Option<MemoryPlace>,
        limit: usize,
    ) -> Result<Vec<MemoryPlace>> {
        let sql = Sql::new(include_str!("queries/memories_of.sql"))
            .bind(user_id)
            .bind(key)
            .bind(after.map(|place| place.at))
            .bind(after.map(|place| place.memory_id))
            .bind(sql_limit(limit));
        let rows: Vec<(i64, Uuid)> = self.told(sql).await?;
        Ok(rows.into_iter().map(|(at, memory_id)| MemoryPlace { at, memory_id }).collect())
    }

    async fn neighbours(&self, user_id: &str, keys: &[String], limit: usize) -> Result<Vec<Neighbour>> {
        let sql = Sql::new(include_str!("queries/neighbours.sql")).bind(user_id).bind(keys);
        self.told(sql.bind(sql_limit(limit))).await
    }

    async fn supporting_memories(
        &self,
        user_id: &str,
        (from, to): (&str, &str),
        relation: Relation,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Uuid>> {
        let (start, end) = if direction == Direction::In { (to, from) } else { (from, to) };
        let sql = match relation {
            Relation::CoOccurs => Sql::new(include_str!("queries/shared_memories.sql")),
            Relation::Stated(_) => Sql::new(include_str!("queries/stating_memories.sql")),
        };
        let sql = sql.bind(user_id).bind(start).bind(end);
        let sql = match relation {
            Relation::CoOccurs => sql,
            Relation::Stated(kind) => sql.bind(kind.name()),
        };
        self.postgres.user().scalars(Effect::Repeatable, sql.bind(sql_limit(limit))).await
    }

    async fn type_counts(&self, user_id: &str) -> Result<Vec<TypeCount>> {
        self.told(Sql::new(include_str!("queries/type_counts.sql")).bind(user_id)).await
    }

    async fn relationship_counts(&self, user_id: &str) -> Result<Vec<(RelationshipType, i64)>> {
        let sql = Sql::new(include_str!("queries/relationship_counts.sql")).bind(user_id);
        let rows: Vec<(String, i64)> = self.told(sql).await?;
        let known = |(name, count): (String, i64)| Some((RelationshipType::named(&name)?, count));
        Ok(rows.into_iter().filter_map(known).collect())
    }
}

fn type_names(types: &[EntityType]) -> Vec<&'static str> {
    types.iter().map(|kind| kind.name()).collect()
}

fn sql_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

impl FromRow<'_, PgRow> for EntityNode {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            key: row.try_get("key")?,
            kind: named(row, "type", EntityType::named)?,
            name: row.try_get("name")?,
            normalized: row.try_get("normalized")?,
            mentions: row.try_get("frequency")?,
            confidence: row.try_get("confidence")?,
            first_seen: row.try_get("first_seen")?,
            last_seen: row.try_get("last_seen")?,
        })
    }
}

impl FromRow<'_, PgRow> for PartlyDetached {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self { entity: EntityNode::from_row(row)?, detached: row.try_get("detached")? })
    }
}

impl FromRow<'_, PgRow> for RelatedNode {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            entity: EntityNode::from_row(row)?,
            relation: named(row, "relationship", Relation::named)?,
            direction: named(row, "direction", Direction::named)?,
            weight: row.try_get("weight")?,
            confidence: row.try_get("stated_with")?,
        })
    }
}

impl FromRow<'_, PgRow> for Neighbour {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let kind = named(row, "type", EntityType::named)?;
        let (normalized, key) = (row.try_get("normalized")?, row.try_get("key")?);
        Ok(Self { normalized, kind, key, mentions: row.try_get("frequency")? })
    }
}

impl FromRow<'_, PgRow> for TypeCount {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let kind = named(row, "type", EntityType::named)?;
        Ok(Self { kind, entities: row.try_get("entities")?, mentions: row.try_get("mentions")? })
    }
}

/// A name of one of the model's tables, from which alone the projection writes.
fn named<T>(row: &PgRow, column: &str, find: fn(&str) -> Option<T>) -> sqlx::Result<T> {
    let name: String = row.try_get(column)?;
    find(&name).ok_or_else(|| sqlx::Error::Decode(format!("{column}: {name:?} is not known").into()))
}
