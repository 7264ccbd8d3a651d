use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{Entity, EntityType, Relationship, RelationshipType};

/// A memory as a line of an export: what `store` takes, so that a line can be stored as it is. The order of the members
/// is part of the format.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportedMemory {
    pub id: Uuid,
    pub content: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    pub importance: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<String>,
    pub created_at: DateTime<Utc>,
    /// Any JSON: other code may have put no object there, which reads as an empty one.
    pub metadata: Box<RawValue>,
    /// `None` while nobody knows: an import then extracts them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entities: Option<Vec<Entity>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relationships: Option<Vec<ExportedRelationship>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
}

/// A relationship as callers give it; what its ends normalise to follows from the entities.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportedRelationship {
    from_type: EntityType,
    from_value: String,
    to_type: EntityType,
    to_value: String,
    relationship_type: RelationshipType,
    confidence: f64,
    #[serde(skip_serializing_if = "String::is_empty")]
    evidence: String,
}

impl From<Relationship> for ExportedRelationship {
    fn from(stated: Relationship) -> Self {
        Self {
            from_type: stated.from_type,
            from_value: stated.from_value,
            to_type: stated.to_type,
            to_value: stated.to_value,
            relationship_type: stated.relationship_type,
            confidence: stated.confidence,
            evidence: stated.evidence,
        }
    }
}
