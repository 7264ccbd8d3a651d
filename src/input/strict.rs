//! Entities and relationships taken at their word: what is not as documented is an error that names the field.

use serde::Deserialize;
use serde_json::Value;

use super::graph::{EntityInput, RelationshipInput};
use crate::config::parse_value;
use crate::error::Result;
use crate::model::{EntitySource, EntityType, Priority, RelationshipType};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StrictEntity {
    #[serde(rename = "type")]
    kind: EntityType,
    value: String,
    normalized: Option<String>,
    confidence: Option<f64>,
    source: Option<KnownSource>,
    context: Option<String>,
    assignee: Option<String>,
    deadline: Option<String>,
    priority: Option<KnownPriority>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum KnownSource {
    Metadata,
    Body,
    Subject,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum KnownPriority {
    Low,
    Medium,
    High,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StrictRelationship {
    from_type: EntityType,
    from_value: String,
    to_type: EntityType,
    to_value: String,
    relationship_type: RelationshipType,
    confidence: Option<f64>,
    evidence: Option<String>,
}

pub(super) fn entity(field: &str, value: &Value) -> Result<EntityInput> {
    let told: StrictEntity = parse_value(field, value)?;
    let source = told.source.map(|source| match source {
        KnownSource::Metadata => EntitySource::Metadata,
        KnownSource::Body => EntitySource::Body,
        KnownSource::Subject => EntitySource::Subject,
    });
    let priority = told.priority.map(|priority| match priority {
        KnownPriority::Low => Priority::Low,
        KnownPriority::Medium => Priority::Medium,
        KnownPriority::High => Priority::High,
    });
    Ok(EntityInput {
        kind: told.kind,
        value: told.value,
        normalized: told.normalized,
        confidence: told.confidence,
        source,
        context: told.context,
        assignee: told.assignee,
        deadline: told.deadline,
        priority,
    })
}

pub(super) fn relationship(field: &str, value: &Value) -> Result<RelationshipInput> {
    let told: StrictRelationship = parse_value(field, value)?;
    Ok(RelationshipInput {
        from_type: told.from_type,
        from_value: told.from_value,
        to_type: told.to_type,
        to_value: told.to_value,
        relationship_type: told.relationship_type,
        confidence: told.confidence,
        evidence: told.evidence,
    })
}
