use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use super::{EntityType, RelationshipType};

/// An entity as the graph knows it from all live memories that mention it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GraphEntity {
    #[serde(rename = "type")]
    pub kind: EntityType,
    /// As the first memory to mention it wrote it.
    pub name: String,
    pub normalized: String,
    /// Live memories that mention it; at least 1.
    pub frequency: i64,
    /// The highest of its mentions.
    pub confidence: f64,
    pub first_seen: DateTime<Utc>,
    pub last_seen: DateTime<Utc>,
}

/// How two entities belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    /// As memories state it.
    Stated(RelationshipType),
    /// A memory mentions both.
    CoOccurs,
}

impl Relation {
    pub const CO_OCCURS: &str = "CO_OCCURS";

    pub fn name(self) -> &'static str {
        match self {
            Self::Stated(kind) => kind.name(),
            Self::CoOccurs => Self::CO_OCCURS,
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        match name {
            Self::CO_OCCURS => Some(Self::CoOccurs),
            _ => RelationshipType::named(name).map(Self::Stated),
        }
    }
}

impl Serialize for Relation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Relation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::named(&name).ok_or_else(|| D::Error::custom("is no relationship type"))
    }
}

/// Which way a relation points, seen from the entity that was asked about or that comes first on a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    Out,
    In,
    None,
}

impl Direction {
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "out" => Some(Self::Out),
            "in" => Some(Self::In),
            "none" => Some(Self::None),
            _ => None,
        }
    }
}

/// An entity at the other end of a relation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RelatedEntity {
    pub entity: GraphEntity,
    pub relationship: Relation,
    pub direction: Direction,
    /// Live memories that support it.
    pub weight: i64,
    /// The highest of the statements; a co-occurrence has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
}

/// A shortest way from one entity to another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GraphPath {
    pub entities: Vec<GraphEntity>,
    /// One less than there are entities.
    pub steps: Vec<PathStep>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PathStep {
    /// Places in [`GraphPath::entities`].
    pub from: usize,
    pub to: usize,
    pub relationship: Relation,
    pub direction: Direction,
    /// Live memories that support it, newest first, a few.
    pub memory_ids: Vec<Uuid>,
}

/// How much a user's graph knows.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EntityStats {
    pub total: i64,
    /// Every type, those without entities too.
    pub by_type: BTreeMap<&'static str, i64>,
    /// Pairs of an entity and a live memory that mentions it.
    pub mentions: i64,
    /// Every type: the different relationships that live memories state.
    pub relationships: BTreeMap<&'static str, i64>,
}
