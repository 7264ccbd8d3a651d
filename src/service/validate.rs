//! Checks of input before a byte reaches a store. Every refusal names the field, the value's kind and the limit.

use chrono::{DateTime, Datelike, Utc};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::request::{EntityFilter, EntityInput, RelationshipInput};
use crate::config::Limits;
use crate::error::{Error, Result};
use crate::extraction::{normalize, plain_name};
use crate::model::{Entity, EntitySource, EntityType, Relationship};

/// Longest user id, conversation id and idempotency key, in bytes.
pub const ID_BYTES: usize = 255;
const KEY_BYTES: usize = 1000;
/// Longest entity name, in characters.
pub const NAME_CHARS: usize = 500;
/// Longest entity context and relationship evidence, in characters.
pub const CONTEXT_CHARS: usize = 2000;
const SUMMARY_BYTES: usize = 20_000;
/// Most results of one read.
pub const MAX_LIMIT: i64 = 1000;

/// Ids made of idempotency keys: UUID version 5 in this namespace.
const KEY_NAMESPACE: Uuid = Uuid::from_u128(0x6f0f_6a0c_2d0b_5a52_9a4e_1d9c_6b8f_3e57);

fn text(field: &str, value: &str, limit: usize) -> Result<()> {
    if value.trim().is_empty() {
        return Err(Error::invalid(field, "is an empty string"));
    }
    bounded(field, value, limit)
}

fn bounded(field: &str, value: &str, limit: usize) -> Result<()> {
    if value.len() > limit {
        let problem = format!("a string of {} bytes is over the limit of {limit} bytes", value.len());
        return Err(Error::invalid(field, problem).with("limit", limit).with("length", value.len()));
    }
    if value.contains('\0') {
        return Err(Error::invalid(field, "a string with a NUL character cannot be stored"));
    }
    Ok(())
}

fn chars(field: &str, value: &str, limit: usize) -> Result<()> {
    let length = value.chars().count();
    if length > limit {
        let problem = format!("a string of {length} characters is over the limit of {limit} characters");
        return Err(Error::invalid(field, problem).with("limit", limit).with("length", length));
    }
    bounded(field, value, usize::MAX)
}

pub fn user_id(value: &str) -> Result<()> {
    text("userId", value, ID_BYTES)
}

pub fn optional_user_id(value: Option<&str>) -> Result<()> {
    value.map_or(Ok(()), user_id)
}

pub fn conversation_id(value: Option<&str>) -> Result<()> {
    value.map_or(Ok(()), |value| text("conversationId", value, ID_BYTES))
}

/// A conversation id as it is compared: the application's are UUIDs, however they are written.
pub fn conversation_filter(value: Option<String>) -> Result<Option<String>> {
    conversation_id(value.as_deref())?;
    Ok(value.map(|value| match Uuid::try_parse(&value) {
        Ok(id) if value.len() == uuid::fmt::Hyphenated::LENGTH => id.to_string(),
        _ => value,
    }))
}

pub fn content(value: &str, limits: &Limits) -> Result<()> {
    text("content", value, limits.content_bytes)
}

pub fn summary(value: Option<&str>) -> Result<()> {
    value.map_or(Ok(()), |value| bounded("summary", value, SUMMARY_BYTES))
}

pub fn query(value: &str, limits: &Limits) -> Result<()> {
    text("query", value, limits.query_bytes)
}

/// The name of an entity, or a part of it.
pub fn entity_name(field: &str, value: &str) -> Result<()> {
    name(field, value)
}

/// Most steps of a path.
const MAX_DEPTH: i64 = 6;

pub fn max_depth(value: Option<i64>, default: usize) -> Result<usize> {
    match value {
        None => Ok(default),
        Some(value) if (1..=MAX_DEPTH).contains(&value) => Ok(usize::try_from(value).unwrap_or(default)),
        Some(value) => {
            let problem = format!("the number {value} is outside 1–{MAX_DEPTH}");
            Err(Error::invalid("maxDepth", problem).with("limit", MAX_DEPTH))
        }
    }
}

pub fn importance(value: Option<i32>) -> Result<()> {
    match value {
        Some(value) if !(1..=10).contains(&value) => {
            Err(Error::invalid("importance", format!("the number {value} is outside 1–10"))
                .with("limit", "1–10"))
        }
        _ => Ok(()),
    }
}

/// Years that JavaScript, Postgres and Neo4j all know.
pub fn created_at(value: Option<&DateTime<Utc>>) -> Result<()> {
    date("createdAt", value)
}

fn date(field: &str, value: Option<&DateTime<Utc>>) -> Result<()> {
    match value {
        Some(value) if !(1..=9999).contains(&value.year()) => {
            Err(Error::invalid(field, "the date is outside the years 1–9999").with("limit", "1–9999"))
        }
        _ => Ok(()),
    }
}

/// A bound of a read: between 1 and [`MAX_LIMIT`].
pub fn limit(value: Option<i64>, default: i64) -> Result<i64> {
    let value = value.unwrap_or(default);
    if !(1..=MAX_LIMIT).contains(&value) {
        let problem = format!("the number {value} is outside 1–{MAX_LIMIT}");
        return Err(Error::invalid("limit", problem).with("limit", MAX_LIMIT));
    }
    Ok(value)
}

/// A bound of a sync call: any positive number, none for all.
pub fn sync_limit(value: Option<i64>) -> Result<Option<usize>> {
    positive("limit", value)
}

pub fn positive(field: &str, value: Option<i64>) -> Result<Option<usize>> {
    match value {
        None => Ok(None),
        Some(value) => match usize::try_from(value) {
            Ok(value) if value > 0 => Ok(Some(value)),
            _ => Err(Error::invalid(field, format!("the number {value} is below 1")).with("limit", 1)),
        },
    }
}

pub fn threshold(value: Option<f64>) -> Result<()> {
    match value {
        Some(value) if !(-1.0..=1.0).contains(&value) => {
            Err(Error::invalid("threshold", format!("the number {value} is outside -1–1"))
                .with("limit", "-1–1"))
        }
        _ => Ok(()),
    }
}

/// The bounds of a read by date: both known everywhere, and something between them.
pub fn period(since: Option<&DateTime<Utc>>, until: Option<&DateTime<Utc>>) -> Result<()> {
    date("since", since)?;
    date("until", until)?;
    match (since, until) {
        (Some(since), Some(until)) if since >= until => {
            Err(Error::invalid("since", "the date is not before until"))
        }
        _ => Ok(()),
    }
}

/// What the memories of a read mention.
pub fn entity_filters(entities: &[EntityFilter], limits: &Limits) -> Result<()> {
    let limit = limits.entities;
    if entities.len() > limit {
        let problem = format!("an array of {} is over the limit of {limit}", entities.len());
        return Err(Error::invalid("entities", problem).with("limit", limit).with("length", entities.len()));
    }
    for (index, entity) in entities.iter().enumerate() {
        let field = format!("entities[{index}].value");
        text(&field, &entity.value, usize::MAX)?;
        chars(&field, &entity.value, NAME_CHARS)?;
    }
    Ok(())
}

pub fn metadata(field: &str, value: &Map<String, Value>, limits: &Limits) -> Result<()> {
    let length = serde_json::to_string(value).map_or(usize::MAX, |json| json.len());
    if length > limits.metadata_bytes {
        let limit = limits.metadata_bytes;
        let problem = format!("an object of {length} bytes as JSON is over the limit of {limit} bytes");
        return Err(Error::invalid(field, problem).with("limit", limit).with("length", length));
    }
    if value.iter().any(|(key, value)| key.contains('\0') || has_nul(value)) {
        return Err(Error::invalid(field, "a string with a NUL character cannot be stored"));
    }
    Ok(())
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(members) => members.iter().any(|(key, value)| key.contains('\0') || has_nul(value)),
        _ => false,
    }
}

/// A well-formed id. Ids of reads and deletes that are none name no memory, which is not an error.
pub fn parse_id(value: &str) -> Option<Uuid> {
    Uuid::try_parse(value).ok()
}

/// The id of a store: the caller's, the one that belongs to the idempotency key, or a new one.
pub fn store_id(user_id: &str, id: Option<&str>, key: Option<&str>) -> Result<Uuid> {
    match (id, key) {
        (Some(_), Some(_)) => Err(Error::invalid("idempotencyKey", "cannot be given together with id")),
        (Some(id), None) => parse_id(id).ok_or_else(|| Error::invalid("id", "the string is no UUID")),
        (None, Some(key)) => {
            text("idempotencyKey", key, KEY_BYTES)?;
            Ok(Uuid::new_v5(&KEY_NAMESPACE, format!("{}:{user_id}{key}", user_id.len()).as_bytes()))
        }
        (None, None) => Ok(Uuid::new_v4()),
    }
}

pub fn embedding(values: &[f32]) -> Result<()> {
    if values.is_empty() {
        return Err(Error::invalid("embedding", "is an empty array"));
    }
    if let Some(place) = values.iter().position(|value| !value.is_finite()) {
        return Err(Error::invalid(&format!("embedding[{place}]"), "is not a finite number"));
    }
    if values.iter().all(|value| *value == 0.0) {
        return Err(Error::invalid("embedding", "has only zeros, so it has no direction"));
    }
    Ok(())
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

fn name(field: &str, value: &str) -> Result<()> {
    text(field, value, usize::MAX)?;
    chars(field, value, NAME_CHARS)
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
