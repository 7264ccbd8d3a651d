//! The digest of a projection, as the SQL function `izzie_memory.digest` computes it (golden vectors in
//! `tests/integration/golden.rs`): SHA-256 over length-prefixed fields, so that neither time zone nor JSON spelling matters.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Entity, PROJECTION_VERSION, Projection, Relationship};

fn field(out: &mut String, value: Option<&str>) {
    match value {
        None => out.push('-'),
        Some(value) => {
            out.push_str(&value.len().to_string());
            out.push(':');
            out.push_str(value);
        }
    }
}

/// Confidence has six decimals, so the product is within rounding of an integer.
fn millionths(confidence: f64) -> String {
    format!("{:.0}", confidence * 1e6)
}

fn entity_fields(entity: &Entity) -> String {
    let mut out = String::from("e");
    field(&mut out, Some(entity.kind.name()));
    field(&mut out, Some(&entity.normalized));
    field(&mut out, Some(&entity.value));
    field(&mut out, Some(&millionths(entity.confidence)));
    field(&mut out, Some(entity.source.name()));
    field(&mut out, entity.context.as_deref());
    out
}

fn relationship_fields(relationship: &Relationship) -> String {
    let mut out = String::from("r");
    field(&mut out, Some(relationship.relationship_type.name()));
    field(&mut out, Some(relationship.from_type.name()));
    field(&mut out, Some(&relationship.from_normalized));
    field(&mut out, Some(relationship.to_type.name()));
    field(&mut out, Some(&relationship.to_normalized));
    field(&mut out, Some(&millionths(relationship.confidence)));
    field(&mut out, Some(&relationship.evidence));
    out
}

/// The part of a check that a memory belongs to. The SQL function `izzie_memory.bucket` computes the same.
pub fn bucket(memory_id: Uuid) -> i32 {
    let hash = Sha256::digest(memory_id.as_bytes());
    i32::from(hash[0]) << 2 | i32::from(hash[1]) >> 6
}

/// The two 32-bit halves that a live memory with these properties has.
pub fn digest(projection: &Projection) -> (i64, i64) {
    let mut text = String::new();
    field(&mut text, Some(&PROJECTION_VERSION.to_string()));
    field(&mut text, Some(&projection.memory_id.to_string()));
    field(&mut text, Some(&projection.user_id));
    field(&mut text, Some(&projection.content));
    field(&mut text, projection.summary.as_deref());
    field(&mut text, Some(&projection.importance.to_string()));
    field(&mut text, Some(&projection.created_at.to_string()));
    let mut entities: Vec<_> = projection.entities.iter().map(entity_fields).collect();
    entities.sort_unstable();
    let mut relationships: Vec<_> = projection.relationships.iter().map(relationship_fields).collect();
    relationships.sort_unstable();
    text.extend(entities);
    text.extend(relationships);
    let hash = Sha256::digest(text.as_bytes());
    let half = |from: usize| {
        let bytes = [hash[from], hash[from + 1], hash[from + 2], hash[from + 3]];
        i64::from(u32::from_be_bytes(bytes))
    };
    (half(0), half(4))
}
