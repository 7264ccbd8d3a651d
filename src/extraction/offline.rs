use async_trait::async_trait;
use serde_json::Value;

use super::rules::{self, Found, Hints, Relation};
use super::{Extraction, ExtractionInput, Extractor};
use crate::error::Result;
use crate::model::{Entity, EntityType, Rejected, Relationship, RelationshipType};

/// The offline default: rules, no model, no network.
pub struct RulesExtractor;

#[async_trait]
impl Extractor for RulesExtractor {
    fn is_paid(&self) -> bool {
        false
    }

    async fn extract(&self, input: &ExtractionInput<'_>) -> Result<Extraction> {
        let headers: Vec<(&str, &str)> =
            input.metadata.iter().filter_map(|(key, value)| Some((key.as_str(), text(value)?))).collect();
        let found = rules::extract(input.content, &Hints { subject: input.summary, metadata: &headers });
        let stated = found.relations.iter().filter_map(|relation| relationship(relation, &found.found));
        let mut extraction = Extraction {
            entities: found.found.iter().map(entity).collect(),
            relationships: stated.collect(),
            rejected: Rejected::default(),
        };
        for person in &found.found {
            add_addresses(person, &mut extraction);
        }
        Ok(extraction)
    }
}

fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}

fn entity(found: &Found) -> Entity {
    Entity {
        kind: found.kind,
        value: found.value.clone(),
        normalized: found.normalized.clone(),
        confidence: found.confidence,
        source: found.source.clone(),
        context: Some(found.context.clone()).filter(|context| !context.is_empty()),
        assignee: found.assignee.clone(),
        deadline: found.deadline.clone(),
        priority: None,
    }
}

fn relationship(relation: &Relation, found: &[Found]) -> Option<Relationship> {
    let (from, to) = (found.get(relation.from)?, found.get(relation.to)?);
    Some(Relationship {
        from_type: from.kind,
        from_value: from.value.clone(),
        from_normalized: from.normalized.clone(),
        to_type: to.kind,
        to_value: to.value.clone(),
        to_normalized: to.normalized.clone(),
        relationship_type: relation.kind,
        confidence: relation.confidence,
        evidence: relation.evidence.clone(),
    })
}

/// "Bob Smith <bob@acme.com>" says that the two are the same, as far as one can tell from reading it.
const BESIDE_THE_NAME: f64 = 0.9;

fn add_addresses(person: &Found, out: &mut Extraction) {
    for address in &person.addresses {
        let normalized = normalize(EntityType::Person, address);
        let is_known = |other: &Entity| other.kind == EntityType::Person && other.normalized == normalized;
        if out.entities.iter().any(is_known) {
            continue;
        }
        let named = entity(person);
        out.relationships.push(Relationship {
            from_type: EntityType::Person,
            from_value: address.clone(),
            from_normalized: normalized.clone(),
            to_type: EntityType::Person,
            to_value: named.value.clone(),
            to_normalized: named.normalized.clone(),
            relationship_type: RelationshipType::SameAs,
            confidence: BESIDE_THE_NAME,
            evidence: named.context.clone().unwrap_or_default(),
        });
        out.entities.push(Entity { value: address.clone(), normalized, ..named });
    }
}

/// Lower case, single spaces. The SQL function `izzie_memory.plain_name` does the same for rows of other code.
pub fn plain_name(value: &str) -> String {
    // Letter by letter, as SQL: a text's last sigma is no other letter.
    let lower: String = value.chars().flat_map(char::to_lowercase).collect();
    lower.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The normal form of a name that comes without one. Never empty for a name that is not blank.
pub fn normalize(kind: EntityType, value: &str) -> String {
    plain_name(&rules::normalize(kind, value))
}

/// A name without the differences that a reader overlooks: case, diacritics, white space.
pub fn folded_name(value: &str) -> String {
    plain_name(&rules::fold(value))
}
