//! The two sides of a conflict, as callers see them and as the log keeps them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::model::{HeldMemory, HeldMention, HeldRelationship, Projection};

pub(super) fn vector_side(wanted: &Projection) -> Value {
    json!({
        "userId": wanted.user_id,
        "content": wanted.content,
        "summary": wanted.summary,
        "importance": wanted.importance,
        "createdAt": moment(Some(wanted.created_at)),
        "entities": wanted.entities,
        "relationships": wanted.relationships,
    })
}

/// As far as it is what it should be: a property of another type shows as null.
pub(super) fn graph_side(held: &HeldMemory) -> Value {
    let names: HashMap<&str, &HeldMention> =
        held.mentions.iter().map(|mention| (mention.entity_key.as_str(), mention)).collect();
    json!({
        "userId": held.user_id,
        "content": held.content,
        "summary": held.summary,
        "importance": held.importance,
        "createdAt": moment(held.created_at),
        "entities": held.mentions.iter().map(entity).collect::<Vec<_>>(),
        "relationships": held.relationships.iter().map(|edge| relationship(edge, &names)).collect::<Vec<_>>(),
    })
}

fn entity(mention: &HeldMention) -> Value {
    json!({
        "type": mention.kind,
        "value": mention.name,
        "normalized": mention.normalized,
        "confidence": mention.confidence,
        "source": mention.source,
        "context": mention.context,
    })
}

/// The names of ends are known from the mentions; an end that is not mentioned has none.
fn relationship(edge: &HeldRelationship, names: &HashMap<&str, &HeldMention>) -> Value {
    let (from, to) = (names.get(edge.from_key.as_str()), names.get(edge.to_key.as_str()));
    json!({
        "relationshipType": edge.kind,
        "fromType": from.map(|mention| &mention.kind),
        "fromValue": from.map(|mention| &mention.name),
        "toType": to.map(|mention| &mention.kind),
        "toValue": to.map(|mention| &mention.name),
        "confidence": edge.confidence,
        "evidence": edge.evidence,
    })
}

fn moment(micros: Option<i64>) -> Option<DateTime<Utc>> {
    micros.and_then(DateTime::from_timestamp_micros)
}
