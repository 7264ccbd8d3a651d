//! Single fields.

use chrono::{DateTime, Datelike, Utc};
use serde_json::{Map, Value};

use crate::config::Limits;
use crate::error::{Error, Result};
use crate::extraction::NAME_CHARS;

/// Longest user id, conversation id and idempotency key, in bytes.
pub const ID_BYTES: usize = 255;
/// Longest entity context and relationship evidence, in characters.
pub(super) const CONTEXT_CHARS: usize = 2000;
/// Longest source and priority of an entity, in characters.
pub(super) const WORD_CHARS: usize = 100;
const SUMMARY_BYTES: usize = 20_000;

pub(crate) fn text(field: &str, value: &str, limit: usize) -> Result<()> {
    if value.trim().is_empty() {
        return Err(Error::invalid(field, "is an empty string"));
    }
    bounded(field, value, limit)
}

pub(super) fn bounded(field: &str, value: &str, limit: usize) -> Result<()> {
    if value.len() > limit {
        let problem = format!("a string of {} bytes is over the limit of {limit} bytes", value.len());
        return Err(Error::invalid(field, problem).with("limit", limit).with("length", value.len()));
    }
    if value.contains('\0') {
        return Err(Error::invalid(field, "a string with a NUL character cannot be stored"));
    }
    Ok(())
}

pub(super) fn chars(field: &str, value: &str, limit: usize) -> Result<()> {
    let length = value.chars().count();
    if length > limit {
        let problem = format!("a string of {length} characters is over the limit of {limit} characters");
        return Err(Error::invalid(field, problem).with("limit", limit).with("length", length));
    }
    bounded(field, value, usize::MAX)
}

pub(crate) fn name(field: &str, value: &str) -> Result<()> {
    text(field, value, usize::MAX)?;
    chars(field, value, NAME_CHARS)
}

pub fn user_id(value: &str) -> Result<()> {
    text("userId", value, ID_BYTES)
}

pub fn content(value: &str, limits: &Limits) -> Result<()> {
    text("content", value, limits.content_bytes)
}

pub fn summary(value: Option<&str>) -> Result<()> {
    value.map_or(Ok(()), |value| bounded("summary", value, SUMMARY_BYTES))
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

pub(crate) fn date(field: &str, value: Option<&DateTime<Utc>>) -> Result<()> {
    match value {
        Some(value) if !(1..=9999).contains(&value.year()) => {
            Err(Error::invalid(field, "the date is outside the years 1–9999").with("limit", "1–9999"))
        }
        _ => Ok(()),
    }
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
