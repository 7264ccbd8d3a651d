//! What a graph tells of one user's entities. Every statement starts at keys, which contain the user, or at an index
//! whose first column is the user; what it returns belongs to that user.

use async_trait::async_trait;
use serde::Serialize;
use uuid::Uuid;

use crate::error::Result;
use crate::model::{Direction, EntityType, Relation, RelationshipType};

/// An entity node with at least one mention.
#[derive(Debug, Clone, PartialEq)]
pub struct EntityNode {
    pub key: String,
    pub kind: EntityType,
    pub name: String,
    pub normalized: String,
    /// Memories that mention it, detached ones included.
    pub mentions: i64,
    pub confidence: f64,
    /// Microseconds since the Unix epoch.
    pub first_seen: i64,
    pub last_seen: i64,
}

/// An entity that detached memories mention too.
#[derive(Debug, Clone, PartialEq)]
pub struct PartlyDetached {
    pub entity: EntityNode,
    /// How many of its mentions are by detached memories.
    pub detached: i64,
}

/// What to look for among the names of one type. A name that equals one of the texts ranks before one that begins with
/// one, that before one with one of the words in it, and that before any other that contains one of the texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NameSearch {
    #[serde(rename = "type")]
    pub kind: EntityType,
    pub texts: Vec<String>,
    /// The texts with what comes before a word inside of a name.
    pub words: Vec<String>,
}

/// The other end of a relation.
#[derive(Debug, Clone, PartialEq)]
pub struct RelatedNode {
    pub entity: EntityNode,
    pub relation: Relation,
    pub direction: Direction,
    /// Live memories that support it.
    pub weight: i64,
    pub confidence: Option<f64>,
}

/// Where a memory stands among those that mention an entity: newest first, those of one moment by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryPlace {
    /// Microseconds since the Unix epoch.
    pub at: i64,
    pub memory_id: Uuid,
}

/// An entity met by a search for paths.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Neighbour {
    pub normalized: String,
    pub kind: EntityType,
    pub key: String,
    pub mentions: i64,
}

/// The entities of one type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeCount {
    pub kind: EntityType,
    pub entities: i64,
    pub mentions: i64,
}

/// Lists are ordered in the same way by every store: names by code points.
#[async_trait]
pub trait GraphQueries: Send + Sync {
    /// The entities with these keys, in no order; those without mentions are left out.
    async fn entities(&self, user_id: &str, keys: &[String]) -> Result<Vec<EntityNode>>;

    /// The entities that detached memories mention. Usually none.
    async fn partly_detached(&self, user_id: &str) -> Result<Vec<PartlyDetached>>;

    /// By mentions, then name, then type.
    async fn top_entities(
        &self,
        user_id: &str,
        types: &[EntityType],
        limit: usize,
    ) -> Result<Vec<EntityNode>>;

    /// By rank, then mentions, name and type; without those whose name matches `unfolded`.
    async fn search_entities(
        &self,
        user_id: &str,
        searches: &[NameSearch],
        unfolded: &str,
        limit: usize,
    ) -> Result<Vec<EntityNode>>;

    /// Those in whose name a match of the regular expression is, a bracket expression; in no order.
    async fn unfolded_entities(
        &self,
        user_id: &str,
        types: &[EntityType],
        unfolded: &str,
    ) -> Result<Vec<EntityNode>>;

    /// What live memories state of an entity and others: by weight, then name and type of the other, type of the
    /// relationship, outgoing first.
    async fn stated_relations(
        &self,
        user_id: &str,
        key: &str,
        types: &[EntityType],
        relationships: &[RelationshipType],
        limit: usize,
    ) -> Result<Vec<RelatedNode>>;

    /// The entities that live memories mention together with this one: by weight, then name and type.
    async fn co_occurrences(
        &self,
        user_id: &str,
        key: &str,
        types: &[EntityType],
        limit: usize,
    ) -> Result<Vec<RelatedNode>>;

    /// The live memories that mention an entity, behind a place.
    async fn memories_of(
        &self,
        user_id: &str,
        key: &str,
        after: Option<MemoryPlace>,
        limit: usize,
    ) -> Result<Vec<MemoryPlace>>;

    /// All entities that a live memory mentions together with one of these, these included; in no order, at most
    /// `limit`.
    async fn neighbours(&self, user_id: &str, keys: &[String], limit: usize) -> Result<Vec<Neighbour>>;

    /// The live memories that support a relation, newest first.
    async fn supporting_memories(
        &self,
        user_id: &str,
        ends: (&str, &str),
        relation: Relation,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Uuid>>;

    /// Types without entities are left out.
    async fn type_counts(&self, user_id: &str) -> Result<Vec<TypeCount>>;

    /// The different relationships that live memories state, by type; types without any are left out.
    async fn relationship_counts(&self, user_id: &str) -> Result<Vec<(RelationshipType, i64)>>;
}
