use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Entity, EntityType, Relationship, RelationshipType, entity_key};

/// The form of what is written to a graph. Raised whenever the projected properties change; part of every digest.
pub const PROJECTION_VERSION: i32 = 2;

/// The order of all writes of one memory: a restored database continues under a higher epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Version {
    pub epoch: i64,
    pub revision: i64,
}

/// What the graph shall hold of one memory at one version. Built by the SQL function `izzie_memory.projection`.
///
/// `deleted && !detached`: the node becomes a tombstone without mentions. `deleted && detached`: the node stays as it
/// is and is only marked. `entities` and `relationships` are empty for both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Projection {
    pub memory_id: Uuid,
    pub user_id: String,
    #[serde(flatten)]
    pub version: Version,
    /// The form of this projection; see [`PROJECTION_VERSION`].
    pub projection_version: i32,
    pub deleted: bool,
    pub detached: bool,
    /// Digest halves, 32 bits each.
    pub h1: i64,
    pub h2: i64,
    /// 10 bits of a hash of the id.
    pub bucket: i32,
    pub content: String,
    pub summary: Option<String>,
    pub importance: i32,
    /// Microseconds since the Unix epoch.
    pub created_at: i64,
    pub entities: Vec<Entity>,
    pub relationships: Vec<Relationship>,
}

/// A relationship by its type and the keys of its ends.
pub type EdgeKey = (RelationshipType, String, String);

impl Projection {
    /// The memory's entities by key. Two types that share a label can share a node (the tool and the project "Atlas"):
    /// then the surer one speaks.
    pub fn mentions(&self) -> BTreeMap<String, &Entity> {
        let mut mentions: BTreeMap<String, &Entity> = BTreeMap::new();
        for entity in &self.entities {
            let key = entity_key(&self.user_id, entity.kind.label(), &entity.normalized);
            let held = mentions.entry(key).or_insert(entity);
            if entity.confidence > held.confidence {
                *held = entity;
            }
        }
        mentions
    }

    /// One edge per type and pair of ends; of repeated statements the surest counts.
    pub fn edges(&self) -> BTreeMap<EdgeKey, &Relationship> {
        let end = |kind: EntityType, normalized: &str| entity_key(&self.user_id, kind.label(), normalized);
        let mut edges: BTreeMap<EdgeKey, &Relationship> = BTreeMap::new();
        for relationship in &self.relationships {
            let from = end(relationship.from_type, &relationship.from_normalized);
            let to = end(relationship.to_type, &relationship.to_normalized);
            let held = edges.entry((relationship.relationship_type, from, to)).or_insert(relationship);
            if relationship.confidence > held.confidence {
                *held = relationship;
            }
        }
        edges
    }
}

/// What a store says it holds of one memory; the two sides of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeVersion {
    pub memory_id: Uuid,
    pub user_id: String,
    pub version: Version,
    pub h1: i64,
    pub h2: i64,
    pub deleted: bool,
    pub detached: bool,
}

/// What a graph holds of one live memory, read back property by property. Lists are sorted by key.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HeldMemory {
    pub memory_id: Uuid,
    pub user_id: String,
    pub version: Option<Version>,
    pub detached: bool,
    pub h1: i64,
    pub h2: i64,
    pub bucket: i32,
    /// Whether it carries labels of this layer only.
    pub labelled: bool,
    pub content: Option<String>,
    pub summary: Option<String>,
    pub importance: Option<i64>,
    /// Microseconds since the Unix epoch.
    pub created_at: Option<i64>,
    /// When somebody else says to have changed the node (its property `updatedAt`), microseconds since the Unix epoch.
    pub edited_at: Option<i64>,
    pub mentions: Vec<HeldMention>,
    pub relationships: Vec<HeldRelationship>,
    /// How many mentions the node says to have, where the store keeps such a number.
    pub mention_count: Option<i64>,
    /// How many relationships the node says to have, where the store keeps such a number.
    pub relationship_count: Option<i64>,
}

/// A mention with the entity at its end.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct HeldMention {
    pub entity_key: String,
    pub user_id: String,
    /// The label that the entity's key is made with; what does not fit is told as the store holds it.
    pub label: String,
    /// The entity's name and type, which the first memory to mention it gave.
    pub name: String,
    pub kind: String,
    pub normalized: String,
    pub confidence: Option<f64>,
    pub source: Option<String>,
    pub context: Option<String>,
    /// What the entity says of its mentions, and how many there are.
    pub frequency: i64,
    pub mentions: i64,
}

/// A relationship that this memory supports.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct HeldRelationship {
    pub kind: String,
    pub from_key: String,
    pub to_key: String,
    pub confidence: Option<f64>,
    pub evidence: Option<String>,
}
