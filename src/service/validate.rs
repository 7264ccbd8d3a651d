//! Checks of what only calls have: limits, cursors, filters, ids. What a memory is made of is checked in `crate::input`.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::request::EntityFilter;
use crate::config::Limits;
use crate::error::{Error, Result};
use crate::input::{ID_BYTES, date, name, text};
pub use crate::input::{
    content, created_at, importance, join, metadata, storable_json, storable_text, summary, user_id,
};

const KEY_BYTES: usize = 1000;
/// Most results of one read.
pub const MAX_LIMIT: i64 = 1000;

/// Ids made of idempotency keys: UUID version 5 in this namespace.
const KEY_NAMESPACE: Uuid = Uuid::from_u128(0x6f0f_6a0c_2d0b_5a52_9a4e_1d9c_6b8f_3e57);

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
        name(&field, &entity.value)?;
    }
    Ok(())
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
