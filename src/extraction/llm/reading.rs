//! From the model's words to entities and relationships: parsed, checked, and freed of what the memory does not contain.

use serde::Deserialize;
use serde_json::Value;

use super::answer::Answer;
use super::ground::Ground;
use super::memory_text::Piece;
use crate::config::parse_json;
use crate::extraction::Extraction;
use crate::input::{EntityInput, GraphInput, GraphReader, RelationshipInput};
use crate::model::{EntitySource, EntityType};

#[derive(Deserialize)]
struct Told {
    entities: Vec<Value>,
    relationships: Vec<Value>,
}

/// What is wrong with an answer, in words that the model can use and that quote nothing.
type Problem = String;

/// What one piece names, checked.
pub(super) fn read(answer: &Answer, piece: &Piece, reader: &GraphReader) -> Result<GraphInput, Problem> {
    if answer.cut_off {
        return Err("it was too long and was cut off; name only what matters most".to_owned());
    }
    let told: Told = parse_json(json_in(&answer.text)).map_err(|error| error.message)?;
    let understood = reader.found(&told.entities, &told.relationships).map_err(|error| error.message)?;
    let named = !understood.entities.is_empty();
    let ground = Ground::of(piece);
    let reading = GraphInput {
        entities: understood.entities.into_iter().filter_map(|entity| supported(entity, &ground)).collect(),
        relationships: understood
            .relationships
            .into_iter()
            .filter_map(|told| stated(told, &ground))
            .collect(),
        rejected: understood.rejected,
    };
    if named && reading.entities.is_empty() {
        return Err("none of the entities occurs in the memory; copy their names from it exactly".to_owned());
    }
    Ok(reading)
}

/// Some models wrap JSON in a code fence or in prose, whatever they are told.
fn json_in(text: &str) -> &str {
    match (text.find('{'), text.rfind('}')) {
        (Some(first), Some(last)) if first < last => &text[first..=last],
        _ => text,
    }
}

fn supported(told: EntityInput, ground: &Ground) -> Option<EntityInput> {
    let claimed = told.source.unwrap_or(EntitySource::Body);
    let source = ground.source_of(told.kind, &told.value, &claimed)?;
    let quoted = |text: Option<String>| text.filter(|text| ground.quotes(text));
    let is_task = told.kind == EntityType::ActionItem;
    Some(EntityInput {
        kind: told.kind,
        value: told.value,
        normalized: None,
        confidence: told.confidence,
        source: Some(source),
        context: quoted(told.context),
        assignee: quoted(told.assignee).filter(|_| is_task),
        deadline: quoted(told.deadline).filter(|_| is_task),
        priority: told.priority.filter(|_| is_task),
    })
}

fn stated(told: RelationshipInput, ground: &Ground) -> Option<RelationshipInput> {
    let in_text = |kind, value: &str| ground.source_of(kind, value, &EntitySource::Body).is_some();
    if !in_text(told.from_type, &told.from_value) || !in_text(told.to_type, &told.to_value) {
        return None;
    }
    let evidence = told.evidence.filter(|text| ground.quotes(text));
    Some(RelationshipInput { evidence, ..told })
}

/// What all pieces of a memory name: the surest first, as many as a memory may have.
pub(super) fn combine(readings: Vec<GraphInput>, reader: &GraphReader) -> Extraction {
    let mut all = GraphInput::default();
    for reading in readings {
        all.entities.extend(reading.entities);
        all.relationships.extend(reading.relationships);
        all.rejected.entities.extend(reading.rejected.entities);
        all.rejected.relationships.extend(reading.rejected.relationships);
    }
    let sureness = |confidence: Option<f64>| confidence.unwrap_or_default();
    all.entities.sort_by(|a, b| sureness(b.confidence).total_cmp(&sureness(a.confidence)));
    all.relationships.sort_by(|a, b| sureness(b.confidence).total_cmp(&sureness(a.confidence)));
    all.truncate(reader.limits.entities);
    all.into_extraction()
}
