//! Entities and relationships.

use serde::Deserialize;

use super::fields::{NAME_CHARS, chars, name};
use crate::config::Limits;
use crate::error::{Error, Result};
use crate::extraction::{normalize, plain_name};
use crate::model::{Entity, EntitySource, EntityType, Priority, Relationship, RelationshipType};

/// Longest entity context and relationship evidence, in characters.
const CONTEXT_CHARS: usize = 2000;

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EntityInput {
    #[serde(rename = "type")]
    pub kind: EntityType,
    pub value: String,
    pub normalized: Option<String>,
    pub confidence: Option<f64>,
    pub source: Option<EntitySource>,
    pub context: Option<String>,
    pub assignee: Option<String>,
    pub deadline: Option<String>,
    pub priority: Option<Priority>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RelationshipInput {
    pub from_type: EntityType,
    pub from_value: String,
    pub to_type: EntityType,
    pub to_value: String,
    pub relationship_type: RelationshipType,
    pub confidence: Option<f64>,
    pub evidence: Option<String>,
}

fn confidence(field: &str, value: Option<f64>) -> Result<f64> {
    let value = value.unwrap_or(1.0);
    if !(0.0..=1.0).contains(&value) {
        return Err(Error::invalid(field, format!("the number {value} is outside 0–1")).with("limit", "0–1"));
    }
    // Six decimals, so that JSON, numeric and digest agree on the number.
    Ok((value * 1e6).round() / 1e6)
}

/// Entities and relationships in canonical form: normalised, doubles of one label and name merged (the most confident
/// stays), both ends of every relationship among the entities.
pub fn graph_input(
    entities: &[EntityInput],
    relationships: &[RelationshipInput],
    limits: &Limits,
) -> Result<(Vec<Entity>, Vec<Relationship>)> {
    for (field, length) in [("entities", entities.len()), ("relationships", relationships.len())] {
        if length > limits.entities {
            let problem = format!("an array of {length} is over the limit of {}", limits.entities);
            return Err(Error::invalid(field, problem).with("limit", limits.entities).with("length", length));
        }
    }
    let mut found = Vec::with_capacity(entities.len());
    for (place, input) in entities.iter().enumerate() {
        found.push(entity(&format!("entities[{place}]"), input)?);
    }
    let mut stated = Vec::with_capacity(relationships.len());
    for (place, input) in relationships.iter().enumerate() {
        let relationship = relationship(&format!("relationships[{place}]"), input, &found)?;
        if !stated.iter().any(|other| same_edge(other, &relationship)) {
            stated.push(relationship);
        }
    }
    found.extend(stated.iter().flat_map(ends));
    Ok((merge(found), stated))
}

/// One entity per label and name. An entity that was given wins over one that a relationship implies.
pub fn merge(found: Vec<Entity>) -> Vec<Entity> {
    let mut merged: Vec<Entity> = Vec::with_capacity(found.len());
    for entity in found {
        let same = |other: &&mut Entity| {
            other.kind.label() == entity.kind.label() && other.normalized == entity.normalized
        };
        match merged.iter_mut().find(same) {
            Some(other) if entity.confidence > other.confidence && entity.context.is_some() => {
                *other = entity
            }
            Some(_) => {}
            None => merged.push(entity),
        }
    }
    merged
}

fn entity(field: &str, input: &EntityInput) -> Result<Entity> {
    name(&format!("{field}.value"), &input.value)?;
    let normalized = match &input.normalized {
        Some(given) => {
            name(&format!("{field}.normalized"), given)?;
            plain_name(given)
        }
        None => normalize(input.kind, &input.value),
    };
    for (part, value, limit) in [
        ("context", &input.context, CONTEXT_CHARS),
        ("assignee", &input.assignee, NAME_CHARS),
        ("deadline", &input.deadline, NAME_CHARS),
    ] {
        if let Some(value) = value {
            chars(&format!("{field}.{part}"), value, limit)?;
        }
    }
    Ok(Entity {
        kind: input.kind,
        value: input.value.trim().to_owned(),
        normalized,
        confidence: confidence(&format!("{field}.confidence"), input.confidence)?,
        source: input.source.unwrap_or(EntitySource::Body),
        context: input.context.clone().filter(|text| !text.trim().is_empty()),
        assignee: input.assignee.clone(),
        deadline: input.deadline.clone(),
        priority: input.priority,
    })
}

fn relationship(field: &str, input: &RelationshipInput, known: &[Entity]) -> Result<Relationship> {
    name(&format!("{field}.fromValue"), &input.from_value)?;
    name(&format!("{field}.toValue"), &input.to_value)?;
    let evidence = input.evidence.clone().unwrap_or_default();
    chars(&format!("{field}.evidence"), &evidence, CONTEXT_CHARS)?;
    Ok(Relationship {
        from_type: input.from_type,
        from_value: input.from_value.trim().to_owned(),
        from_normalized: end_name(input.from_type, &input.from_value, known),
        to_type: input.to_type,
        to_value: input.to_value.trim().to_owned(),
        to_normalized: end_name(input.to_type, &input.to_value, known),
        relationship_type: input.relationship_type,
        confidence: confidence(&format!("{field}.confidence"), input.confidence)?,
        evidence,
    })
}

/// An end that is written like one of the entities is that entity.
fn end_name(kind: EntityType, value: &str, known: &[Entity]) -> String {
    let written = plain_name(value);
    known
        .iter()
        .find(|entity| entity.kind.label() == kind.label() && plain_name(&entity.value) == written)
        .map_or_else(|| normalize(kind, value), |entity| entity.normalized.clone())
}

/// One memory states a relationship between two entities once.
fn same_edge(a: &Relationship, b: &Relationship) -> bool {
    let edge = |r: &Relationship| {
        (
            r.relationship_type,
            r.from_type.label(),
            r.from_normalized.clone(),
            r.to_type.label(),
            r.to_normalized.clone(),
        )
    };
    edge(a) == edge(b)
}

fn ends(relationship: &Relationship) -> [Entity; 2] {
    let end = |kind: EntityType, value: &str, normalized: &str| Entity {
        kind,
        value: value.to_owned(),
        normalized: normalized.to_owned(),
        confidence: relationship.confidence,
        source: EntitySource::Body,
        context: None,
        assignee: None,
        deadline: None,
        priority: None,
    };
    [
        end(relationship.from_type, &relationship.from_value, &relationship.from_normalized),
        end(relationship.to_type, &relationship.to_value, &relationship.to_normalized),
    ]
}
