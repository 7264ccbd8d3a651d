//! Entities and relationships: read, brought into canonical form, joined.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::fields::{CONTEXT_CHARS, WORD_CHARS, chars, name};
use super::lenient::{self, EXCERPT_CHARS, clean};
use super::strict;
use crate::config::Limits;
use crate::error::{Error, Result};
use crate::extraction::{Extraction, NAME_CHARS, canonical_name, normalize};
use crate::model::{
    Entity, EntitySource, EntityType, Label, Priority, Rejected, Rejection, Relationship, RelationshipType,
};

/// An entity that was read, not yet in canonical form.
#[derive(Debug, Clone)]
pub struct EntityInput {
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

/// A relationship that was read, not yet in canonical form.
#[derive(Debug, Clone)]
pub struct RelationshipInput {
    pub from_type: EntityType,
    pub from_value: String,
    pub to_type: EntityType,
    pub to_value: String,
    pub relationship_type: RelationshipType,
    pub confidence: Option<f64>,
    pub evidence: Option<String>,
}

/// What was read of lists of entities and relationships, and what was left out of them.
#[derive(Debug, Default)]
pub struct GraphInput {
    pub entities: Vec<EntityInput>,
    pub relationships: Vec<RelationshipInput>,
    pub rejected: Rejected,
}

/// How entities and relationships are read.
#[derive(Debug, Clone)]
pub struct GraphReader {
    pub limits: Limits,
    /// Whether what is not as documented is an error; else it is kept as far as it is understood, or left out and told.
    pub strict: bool,
}

impl GraphReader {
    /// As a call wants it, where it says so.
    #[must_use]
    pub fn with(self, strict: Option<bool>) -> Self {
        Self { strict: strict.unwrap_or(self.strict), ..self }
    }

    /// What a caller gives. More than the limit is an error of the call.
    pub fn given(&self, entities: &[Value], relationships: &[Value]) -> Result<Extraction> {
        check_lengths(entities.len(), relationships.len(), &self.limits)?;
        Ok(self.read(entities, relationships)?.into_extraction())
    }

    /// What an extractor found. More than the limit is left out.
    pub fn found(&self, entities: &[Value], relationships: &[Value]) -> Result<GraphInput> {
        if self.strict {
            check_lengths(entities.len(), relationships.len(), &self.limits)?;
        }
        let mut input = self.read(entities, relationships)?;
        // Of nonsense nothing is taken: the memory may be asked about again.
        if let Some((field, first)) = input.nonsense() {
            return Err(Error::invalid(&format!("{field}[{}]", first.index), &first.reason));
        }
        input.truncate(self.limits.entities);
        Ok(input)
    }

    fn read(&self, entities: &[Value], relationships: &[Value]) -> Result<GraphInput> {
        let mut input = GraphInput::default();
        for (index, item) in entities.iter().enumerate() {
            if self.strict {
                let field = format!("entities[{index}]");
                let entity = strict::entity(&field, item)?;
                check_entity(&field, &entity)?;
                input.entities.push(entity);
                continue;
            }
            match lenient::entity(index, item) {
                Ok(entity) => input.entities.push(entity),
                Err(rejection) => input.rejected.entities.push(rejection),
            }
        }
        for (index, item) in relationships.iter().enumerate() {
            if self.strict {
                let field = format!("relationships[{index}]");
                let relationship = strict::relationship(&field, item)?;
                check_relationship(&field, &relationship)?;
                input.relationships.push(relationship);
                continue;
            }
            match lenient::relationship(index, item) {
                Ok(relationship) => input.relationships.push(relationship),
                Err(rejection) => input.rejected.relationships.push(rejection),
            }
        }
        Ok(input)
    }
}

impl GraphInput {
    /// The first of what was left out, where that was everything.
    fn nonsense(&self) -> Option<(&'static str, &Rejection)> {
        if !self.entities.is_empty() || !self.relationships.is_empty() {
            return None;
        }
        let Rejected { entities, relationships } = &self.rejected;
        let stated = relationships.first().map(|first| ("relationships", first));
        entities.first().map(|first| ("entities", first)).or(stated)
    }

    /// Leaves out what is over the limit of a memory, and tells.
    pub fn truncate(&mut self, limit: usize) {
        let reason = || format!("is over the limit of {limit}");
        let left_out = |place: usize, kind: &str, value: String| Rejection {
            index: limit + place,
            kind: Some(kind.to_owned()),
            value: clean(&value, EXCERPT_CHARS),
            reason: reason(),
        };
        let entities = self.entities.split_off(limit.min(self.entities.len()));
        let named = entities.into_iter().enumerate();
        self.rejected
            .entities
            .extend(named.map(|(place, entity)| left_out(place, entity.kind.name(), entity.value)));
        let relationships = self.relationships.split_off(limit.min(self.relationships.len()));
        let stated = relationships.into_iter().enumerate();
        self.rejected
            .relationships
            .extend(stated.map(|(place, it)| left_out(place, it.relationship_type.name(), it.from_value)));
    }

    pub fn into_extraction(self) -> Extraction {
        let (entities, relationships) = canonical(&self.entities, &self.relationships);
        Extraction { entities, relationships, rejected: self.rejected }
    }
}

/// The same for what was read elsewhere and may be wrong.
pub fn graph_input(
    entities: &[EntityInput],
    relationships: &[RelationshipInput],
    limits: &Limits,
) -> Result<(Vec<Entity>, Vec<Relationship>)> {
    check_lengths(entities.len(), relationships.len(), limits)?;
    for (place, input) in entities.iter().enumerate() {
        check_entity(&format!("entities[{place}]"), input)?;
    }
    for (place, input) in relationships.iter().enumerate() {
        check_relationship(&format!("relationships[{place}]"), input)?;
    }
    Ok(canonical(entities, relationships))
}

fn check_lengths(entities: usize, relationships: usize, limits: &Limits) -> Result<()> {
    for (field, length) in [("entities", entities), ("relationships", relationships)] {
        if length > limits.entities {
            let problem = format!("an array of {length} is over the limit of {}", limits.entities);
            return Err(Error::invalid(field, problem).with("limit", limits.entities).with("length", length));
        }
    }
    Ok(())
}

fn check_entity(field: &str, input: &EntityInput) -> Result<()> {
    name(&format!("{field}.value"), &input.value)?;
    if let Some(given) = &input.normalized {
        name(&format!("{field}.normalized"), given)?;
    }
    for (part, value, limit) in [
        ("context", input.context.as_deref(), CONTEXT_CHARS),
        ("assignee", input.assignee.as_deref(), NAME_CHARS),
        ("deadline", input.deadline.as_deref(), NAME_CHARS),
        ("source", input.source.as_ref().map(EntitySource::name), WORD_CHARS),
        ("priority", input.priority.as_ref().map(Priority::name), WORD_CHARS),
    ] {
        if let Some(value) = value {
            chars(&format!("{field}.{part}"), value, limit)?;
        }
    }
    check_confidence(&format!("{field}.confidence"), input.confidence)
}

fn check_relationship(field: &str, input: &RelationshipInput) -> Result<()> {
    name(&format!("{field}.fromValue"), &input.from_value)?;
    name(&format!("{field}.toValue"), &input.to_value)?;
    if let Some(evidence) = &input.evidence {
        chars(&format!("{field}.evidence"), evidence, CONTEXT_CHARS)?;
    }
    check_confidence(&format!("{field}.confidence"), input.confidence)
}

fn check_confidence(field: &str, value: Option<f64>) -> Result<()> {
    match value {
        Some(value) if !(0.0..=1.0).contains(&value) => {
            Err(Error::invalid(field, format!("the number {value} is outside 0–1")).with("limit", "0–1"))
        }
        _ => Ok(()),
    }
}

/// Entities and relationships in canonical form: normalised, doubles of one label and name merged (the surest stays), both
/// ends of every relationship among the entities.
fn canonical(
    entities: &[EntityInput],
    relationships: &[RelationshipInput],
) -> (Vec<Entity>, Vec<Relationship>) {
    let found = merge(entities.iter().filter_map(entity).collect());
    let mut ends_of = Ends::new(entities, &found);
    let mut edges = HashSet::with_capacity(relationships.len());
    let mut stated: Vec<Relationship> = Vec::with_capacity(relationships.len());
    for input in relationships {
        let relationship = relationship(input, &mut ends_of);
        if edges.insert(edge(&relationship)) {
            stated.push(relationship);
        }
    }
    let implied: Vec<Entity> = stated.iter().flat_map(ends).collect();
    (join(found, implied), stated)
}

/// One entity per label and name: the surest, of equally sure ones the first.
fn merge(found: Vec<Entity>) -> Vec<Entity> {
    let mut merged: Vec<Entity> = Vec::with_capacity(found.len());
    let mut places = HashMap::with_capacity(found.len());
    for entity in found {
        match places.entry(identity(&entity)) {
            Entry::Vacant(free) => {
                free.insert(merged.len());
                merged.push(entity);
            }
            Entry::Occupied(place) => {
                let other = &mut merged[*place.get()];
                if entity.confidence > other.confidence {
                    *other = entity;
                }
            }
        }
    }
    merged
}

/// Adds those entities that are not among the known ones.
pub fn join(mut known: Vec<Entity>, more: Vec<Entity>) -> Vec<Entity> {
    let mut names: HashSet<_> = known.iter().map(identity).collect();
    known.extend(more.into_iter().filter(|entity| names.insert(identity(entity))));
    known
}

/// What makes two entities of a memory the same.
fn identity(entity: &Entity) -> (Label, String) {
    (entity.kind.label(), entity.normalized.clone())
}

/// `None` for one without a name, which has been refused before.
fn entity(input: &EntityInput) -> Option<Entity> {
    let value = clean(&input.value, NAME_CHARS)?;
    let part = |text: &Option<String>, limit| text.as_deref().and_then(|text| clean(text, limit));
    let word = |text: &str| clean(text, WORD_CHARS);
    Some(Entity {
        kind: input.kind,
        normalized: canonical_name(input.kind, &value, input.normalized.as_deref()),
        value,
        confidence: rounded(input.confidence),
        source: input
            .source
            .as_ref()
            .and_then(|source| word(source.name()))
            .map_or(EntitySource::Body, EntitySource::from),
        context: part(&input.context, CONTEXT_CHARS),
        assignee: part(&input.assignee, NAME_CHARS),
        deadline: part(&input.deadline, NAME_CHARS),
        priority: input.priority.as_ref().and_then(|priority| word(priority.name())).map(Priority::from),
    })
}

/// Between 0 and 1, 1 where nothing is said; six decimals, so that JSON, numeric and digest agree on the number.
fn rounded(confidence: Option<f64>) -> f64 {
    let bounded = confidence.filter(|value| !value.is_nan()).unwrap_or(1.0).clamp(0.0, 1.0);
    // Plus 0: there is no -0 in Postgres.
    (bounded * 1e6).round() / 1e6 + 0.0
}

fn relationship(input: &RelationshipInput, ends: &mut Ends<'_>) -> Relationship {
    let value = |text: &str| clean(text, NAME_CHARS).unwrap_or_default();
    let (from_value, to_value) = (value(&input.from_value), value(&input.to_value));
    Relationship {
        from_type: input.from_type,
        from_normalized: ends.name(input.from_type, &from_value),
        from_value,
        to_type: input.to_type,
        to_normalized: ends.name(input.to_type, &to_value),
        to_value,
        relationship_type: input.relationship_type,
        confidence: rounded(input.confidence),
        evidence: input.evidence.as_deref().and_then(|text| clean(text, CONTEXT_CHARS)).unwrap_or_default(),
    }
}

/// Which entity the end of a relationship is.
struct Ends<'a> {
    given: &'a [EntityInput],
    found: HashSet<(Label, String)>,
    /// By the end's type: the first entity given that is spelled so.
    spelled: HashMap<EntityType, HashMap<String, &'a EntityInput>>,
}

impl<'a> Ends<'a> {
    fn new(given: &'a [EntityInput], found: &[Entity]) -> Self {
        Self { given, found: found.iter().map(identity).collect(), spelled: HashMap::new() }
    }

    /// An end that is spelled like one of the entities, or like the name that was given for it, is that entity.
    fn name(&mut self, kind: EntityType, value: &str) -> String {
        let end = (kind.label(), canonical_name(kind, value, None));
        if self.found.contains(&end) {
            return end.1;
        }
        let given = self.given;
        match self.spelled.entry(kind).or_insert_with(|| spelled_as(kind, given)).get(&end.1) {
            Some(entity) => canonical_name(entity.kind, &entity.value, entity.normalized.as_deref()),
            None => end.1,
        }
    }
}

fn spelled_as(kind: EntityType, given: &[EntityInput]) -> HashMap<String, &EntityInput> {
    let mut spelled = HashMap::new();
    for entity in given.iter().filter(|entity| entity.kind.label() == kind.label()) {
        spelled.entry(normalize(kind, &entity.value)).or_insert(entity);
    }
    spelled
}

/// One memory states a relationship between two entities once.
fn edge(stated: &Relationship) -> (RelationshipType, Label, String, Label, String) {
    (
        stated.relationship_type,
        stated.from_type.label(),
        stated.from_normalized.clone(),
        stated.to_type.label(),
        stated.to_normalized.clone(),
    )
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
