//! What Neo4j tells of a user's entities. Anybody may have edited a node: one that cannot be read is left out.

use async_trait::async_trait;
use chrono::DateTime;
use neo4rs::{BoltNull, BoltType, Row};
use uuid::Uuid;

use super::exchange::Statement;
use super::read_back::{fraction, moment, property};
use super::rows::{list, map};
use super::{Neo4jGraph, bolt_limit, cypher};
use crate::error::Result;
use crate::model::{Direction, EntityType, Relation, RelationshipType};
use crate::store::graph_queries::{
    EntityNode, GraphQueries, MemoryPlace, NameSearch, Neighbour, PartlyDetached, RelatedNode, TypeCount,
};

impl Neo4jGraph {
    /// The rows of a statement about a user, as far as they can be read.
    async fn told<T>(
        &self,
        statement: Statement,
        user_id: &str,
        read: fn(&Row) -> Option<T>,
    ) -> Result<Vec<T>> {
        let rows = self.exchange.run(statement.param("userId", user_id)).await?;
        let told: Vec<T> = rows.iter().filter_map(read).collect();
        if told.len() < rows.len() {
            log::warn!("Neo4j holds {} nodes with properties that are not ours", rows.len() - told.len());
        }
        Ok(told)
    }
}

#[async_trait]
impl GraphQueries for Neo4jGraph {
    async fn entities(&self, user_id: &str, keys: &[String]) -> Result<Vec<EntityNode>> {
        let statement = Statement::question("entities", &cypher::GET_ENTITIES).param("keys", keys.to_vec());
        self.told(statement, user_id, entity).await
    }

    async fn partly_detached(&self, user_id: &str) -> Result<Vec<PartlyDetached>> {
        let read =
            |row: &Row| Some(PartlyDetached { entity: entity(row)?, detached: property(row, "detached")? });
        self.told(Statement::question("entities of kept memories", &cypher::PARTLY_DETACHED), user_id, read)
            .await
    }

    async fn top_entities(
        &self,
        user_id: &str,
        types: &[EntityType],
        limit: usize,
    ) -> Result<Vec<EntityNode>> {
        let statement =
            Statement::question("the top entities", &cypher::TOP_ENTITIES).param("types", type_names(types));
        self.told(statement.param("limit", bolt_limit(limit)), user_id, entity).await
    }

    async fn search_entities(
        &self,
        user_id: &str,
        searches: &[NameSearch],
        unfolded: &str,
        limit: usize,
    ) -> Result<Vec<EntityNode>> {
        let searches = searches.iter().map(|search| {
            map([
                ("type", search.kind.name().into()),
                ("texts", search.texts.clone().into()),
                ("words", search.words.clone().into()),
            ])
        });
        let wanted = map([("searches", list(searches.collect())), ("unfolded", somewhere(unfolded))]);
        let statement =
            Statement::question("a search for entities", &cypher::SEARCH_ENTITIES).param("wanted", wanted);
        self.told(statement.param("limit", bolt_limit(limit)), user_id, entity).await
    }

    async fn unfolded_entities(
        &self,
        user_id: &str,
        types: &[EntityType],
        unfolded: &str,
    ) -> Result<Vec<EntityNode>> {
        let statement = Statement::question("a search for entities", &cypher::UNFOLDED_ENTITIES)
            .param("types", type_names(types));
        self.told(statement.param("unfolded", somewhere(unfolded)), user_id, entity).await
    }

    async fn stated_relations(
        &self,
        user_id: &str,
        key: &str,
        types: &[EntityType],
        relationships: &[RelationshipType],
        limit: usize,
    ) -> Result<Vec<RelatedNode>> {
        let relationships: Vec<_> = relationships.iter().map(|kind| kind.name().to_owned()).collect();
        let wanted = map([("types", type_names(types).into()), ("relationships", relationships.into())]);
        let statement = Statement::question("stated relations", &cypher::STATED_RELATIONS)
            .param("key", key)
            .param("wanted", wanted);
        self.told(statement.param("limit", bolt_limit(limit)), user_id, related).await
    }

    async fn co_occurrences(
        &self,
        user_id: &str,
        key: &str,
        types: &[EntityType],
        limit: usize,
    ) -> Result<Vec<RelatedNode>> {
        let statement =
            Statement::question("entities that are mentioned together", &cypher::CO_OCCURRENCES_OF)
                .param("key", key)
                .param("types", type_names(types));
        self.told(statement.param("limit", bolt_limit(limit)), user_id, related).await
    }

    async fn memories_of(
        &self,
        user_id: &str,
        key: &str,
        after: Option<MemoryPlace>,
        limit: usize,
    ) -> Result<Vec<MemoryPlace>> {
        let null = || BoltType::Null(BoltNull);
        let at = after.and_then(|place| DateTime::from_timestamp_micros(place.at));
        let statement = Statement::question("the memories of an entity", cypher::MEMORIES_OF)
            .param("key", key)
            .param("at", at.map_or_else(null, BoltType::from))
            .param("id", after.map_or_else(null, |place| place.memory_id.to_string().into()))
            .param("limit", bolt_limit(limit));
        self.told(statement, user_id, |row| {
            Some(MemoryPlace { at: moment(row, "at")?, memory_id: memory_id(row)? })
        })
        .await
    }

    async fn neighbours(&self, user_id: &str, keys: &[String], limit: usize) -> Result<Vec<Neighbour>> {
        let statement = Statement::question("the neighbours of entities", &cypher::NEIGHBOURS)
            .param("keys", keys.to_vec());
        self.told(statement.param("limit", bolt_limit(limit)), user_id, |row| {
            let kind = EntityType::named(&property::<String>(row, "type")?)?;
            Some(Neighbour {
                normalized: property(row, "normalized")?,
                kind,
                key: property(row, "key")?,
                mentions: property(row, "mentions")?,
            })
        })
        .await
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
        let statement = match relation {
            Relation::CoOccurs => Statement::question("supporting memories", &cypher::SHARED_MEMORIES),
            Relation::Stated(kind) => Statement::question("supporting memories", &cypher::STATING_MEMORIES)
                .param("relationship", kind.name()),
        };
        let statement = statement.param("start", start).param("end", end);
        self.told(statement.param("limit", bolt_limit(limit)), user_id, memory_id).await
    }

    async fn type_counts(&self, user_id: &str) -> Result<Vec<TypeCount>> {
        let statement = Statement::question("the counts of entities", &cypher::TYPE_COUNTS)
            .param("types", type_names(&EntityType::ALL));
        self.told(statement, user_id, |row| {
            let kind = EntityType::named(&property::<String>(row, "type")?)?;
            Some(TypeCount {
                kind,
                entities: property(row, "entities")?,
                mentions: property(row, "mentions")?,
            })
        })
        .await
    }

    async fn relationship_counts(&self, user_id: &str) -> Result<Vec<(RelationshipType, i64)>> {
        self.told(
            Statement::question("the counts of relationships", &cypher::RELATIONSHIP_COUNTS),
            user_id,
            |row| {
                Some((
                    RelationshipType::named(&property::<String>(row, "relationship")?)?,
                    property(row, "count")?,
                ))
            },
        )
        .await
    }
}

fn type_names(types: &[EntityType]) -> Vec<String> {
    types.iter().map(|kind| kind.name().to_owned()).collect()
}

/// Cypher's `=~` matches the whole text.
fn somewhere(pattern: &str) -> BoltType {
    format!("(?s).*{pattern}.*").into()
}

fn entity(row: &Row) -> Option<EntityNode> {
    Some(EntityNode {
        key: property(row, "key")?,
        kind: EntityType::named(&property::<String>(row, "type")?)?,
        name: property(row, "name")?,
        normalized: property(row, "normalized")?,
        mentions: property(row, "mentions")?,
        confidence: fraction(row, "confidence")?,
        first_seen: moment(row, "firstSeen")?,
        last_seen: moment(row, "lastSeen")?,
    })
}

fn related(row: &Row) -> Option<RelatedNode> {
    Some(RelatedNode {
        entity: entity(row)?,
        relation: Relation::named(&property::<String>(row, "relationship")?)?,
        direction: Direction::named(&property::<String>(row, "direction")?)?,
        weight: property(row, "weight")?,
        confidence: fraction(row, "statedWith"),
    })
}

fn memory_id(row: &Row) -> Option<Uuid> {
    Uuid::parse_str(&property::<String>(row, "key")?).ok()
}
