//! From the model's words to entities and relationships: parsed, checked, and freed of what the memory does not contain.

use serde::{Deserialize, Deserializer};

use super::answer::Answer;
use super::ground::Ground;
use super::memory_text::Piece;
use crate::config::{Limits, parse_json};
use crate::error::Result;
use crate::extraction::Extraction;
use crate::input::{EntityInput, RelationshipInput, graph_input};
use crate::model::{EntitySource, EntityType, Priority, RelationshipType};

/// What one piece names, checked.
#[derive(Debug, Default)]
pub(super) struct Reading {
    entities: Vec<EntityInput>,
    relationships: Vec<RelationshipInput>,
}

#[derive(Deserialize)]
struct Told {
    entities: Vec<ToldEntity>,
    relationships: Vec<ToldRelationship>,
}

#[derive(Deserialize)]
struct ToldEntity {
    #[serde(rename = "type")]
    kind: EntityType,
    value: String,
    confidence: f64,
    source: EntitySource,
    #[serde(default, deserialize_with = "not_blank")]
    context: Option<String>,
    #[serde(default, deserialize_with = "not_blank")]
    assignee: Option<String>,
    #[serde(default, deserialize_with = "not_blank")]
    deadline: Option<String>,
    #[serde(default)]
    priority: Option<Priority>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToldRelationship {
    from_type: EntityType,
    from_value: String,
    to_type: EntityType,
    to_value: String,
    relationship_type: RelationshipType,
    confidence: f64,
    #[serde(default, deserialize_with = "not_blank")]
    evidence: Option<String>,
}

fn not_blank<'de, D: Deserializer<'de>>(reader: D) -> std::result::Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(reader)?.filter(|text| !text.trim().is_empty()))
}

/// What is wrong with an answer, in words that the model can use and that quote nothing.
type Problem = String;

pub(super) fn read(answer: &Answer, piece: &Piece, limits: &Limits) -> std::result::Result<Reading, Problem> {
    if answer.cut_off {
        return Err("it was too long and was cut off; name only what matters most".to_owned());
    }
    let told: Told = parse_json(json_in(&answer.text)).map_err(|error| error.message)?;
    let ground = Ground::of(piece);
    let named = !told.entities.is_empty();
    let reading = Reading {
        entities: told.entities.into_iter().filter_map(|entity| supported(entity, &ground)).collect(),
        relationships: told.relationships.into_iter().filter_map(|told| stated(told, &ground)).collect(),
    };
    if named && reading.entities.is_empty() {
        return Err("none of the entities occurs in the memory; copy their names from it exactly".to_owned());
    }
    graph_input(&reading.entities, &reading.relationships, limits).map_err(|error| error.message)?;
    Ok(reading)
}

/// Some models wrap JSON in a code fence or in prose, whatever they are told.
fn json_in(text: &str) -> &str {
    match (text.find('{'), text.rfind('}')) {
        (Some(first), Some(last)) if first < last => &text[first..=last],
        _ => text,
    }
}

fn supported(told: ToldEntity, ground: &Ground) -> Option<EntityInput> {
    let source = ground.source_of(told.kind, &told.value, told.source)?;
    let quoted = |text: Option<String>| text.filter(|text| ground.quotes(text));
    let is_task = told.kind == EntityType::ActionItem;
    Some(EntityInput {
        kind: told.kind,
        value: told.value,
        normalized: None,
        confidence: Some(told.confidence),
        source: Some(source),
        context: quoted(told.context),
        assignee: quoted(told.assignee).filter(|_| is_task),
        deadline: quoted(told.deadline).filter(|_| is_task),
        priority: told.priority.filter(|_| is_task),
    })
}

fn stated(told: ToldRelationship, ground: &Ground) -> Option<RelationshipInput> {
    let in_text = |kind, value: &str| ground.source_of(kind, value, EntitySource::Body).is_some();
    if !in_text(told.from_type, &told.from_value) || !in_text(told.to_type, &told.to_value) {
        return None;
    }
    Some(RelationshipInput {
        from_type: told.from_type,
        from_value: told.from_value,
        to_type: told.to_type,
        to_value: told.to_value,
        relationship_type: told.relationship_type,
        confidence: Some(told.confidence),
        evidence: told.evidence.filter(|text| ground.quotes(text)),
    })
}

/// What all pieces of a memory name: the surest first, as many as a memory may have.
pub(super) fn combine(readings: Vec<Reading>, limits: &Limits) -> Result<Extraction> {
    let (mut entities, mut relationships) = (Vec::new(), Vec::new());
    for reading in readings {
        entities.extend(reading.entities);
        relationships.extend(reading.relationships);
    }
    let sureness = |confidence: Option<f64>| confidence.unwrap_or_default();
    entities.sort_by(|a, b| sureness(b.confidence).total_cmp(&sureness(a.confidence)));
    relationships.sort_by(|a, b| sureness(b.confidence).total_cmp(&sureness(a.confidence)));
    entities.truncate(limits.entities);
    relationships.truncate(limits.entities);
    let (entities, relationships) = graph_input(&entities, &relationships, limits)?;
    Ok(Extraction { entities, relationships })
}
