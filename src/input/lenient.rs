//! Entities and relationships as models give them: what can be understood is kept, the rest is left out and told. The SQL
//! function `izzie_memory.read_entities` reads rows of other code in the same way; `tests/integration/golden.rs` binds them.

use serde_json::{Map, Value};

use super::fields::{CONTEXT_CHARS, WORD_CHARS};
use super::graph::{EntityInput, RelationshipInput};
use crate::extraction::NAME_CHARS;
use crate::model::{EntityType, Rejection, RelationshipType};

/// Longest part of what was left out that is told, in characters.
pub(super) const EXCERPT_CHARS: usize = 100;
/// Longest text that is read as a number, and most digits of a number that is read as a text.
const NUMBER_CHARS: usize = 20;
const DIGITS: u32 = 15;

type Read<T> = Result<T, Rejection>;

pub(super) fn entity(index: usize, value: &Value) -> Read<EntityInput> {
    let left_out = |reason: &str| rejection(index, value.get("type"), value.get("value"), reason);
    let Value::Object(told) = value else { return Err(left_out("is not an object")) };
    let kind = entity_type(told.get("type")).ok_or_else(|| left_out("the type is unknown"))?;
    let name = text(told, "value", NAME_CHARS).ok_or_else(|| left_out("the value is empty or not a text"))?;
    Ok(EntityInput {
        kind,
        value: name,
        normalized: text(told, "normalized", NAME_CHARS),
        confidence: confidence(told.get("confidence")),
        source: text(told, "source", WORD_CHARS).map(Into::into),
        context: text(told, "context", CONTEXT_CHARS),
        assignee: names(told.get("assignee")),
        deadline: text(told, "deadline", NAME_CHARS),
        priority: text(told, "priority", WORD_CHARS).map(Into::into),
    })
}

pub(super) fn relationship(index: usize, value: &Value) -> Read<RelationshipInput> {
    let left_out =
        |reason: &str| rejection(index, value.get("relationshipType"), value.get("fromValue"), reason);
    let Value::Object(told) = value else { return Err(left_out("is not an object")) };
    let end = |kind: &str, value: &str| {
        let kind = entity_type(told.get(kind)).ok_or_else(|| left_out(&format!("the {kind} is unknown")))?;
        let name = text(told, value, NAME_CHARS)
            .ok_or_else(|| left_out(&format!("the {value} is empty or not a text")))?;
        Ok((kind, name))
    };
    let relationship_type = word(told.get("relationshipType"))
        .and_then(|name| RelationshipType::named(&name.to_ascii_uppercase()))
        .ok_or_else(|| left_out("the relationshipType is unknown"))?;
    let ((from_type, from_value), (to_type, to_value)) =
        (end("fromType", "fromValue")?, end("toType", "toValue")?);
    Ok(RelationshipInput {
        from_type,
        from_value,
        to_type,
        to_value,
        relationship_type,
        confidence: confidence(told.get("confidence")),
        evidence: text(told, "evidence", CONTEXT_CHARS),
    })
}

/// What is told of an item that is left out.
fn rejection(index: usize, kind: Option<&Value>, value: Option<&Value>, reason: &str) -> Rejection {
    let excerpt = |told: Option<&Value>| told.and_then(|told| text_of(told, EXCERPT_CHARS));
    Rejection { index, kind: excerpt(kind), value: excerpt(value), reason: reason.to_owned() }
}

fn entity_type(told: Option<&Value>) -> Option<EntityType> {
    EntityType::named(&word(told)?.to_ascii_lowercase())
}

/// A word of a closed set, however it is spaced.
fn word(told: Option<&Value>) -> Option<String> {
    Some(told?.as_str()?.trim().replace([' ', '-'], "_"))
}

fn text(told: &Map<String, Value>, key: &str, limit: usize) -> Option<String> {
    text_of(told.get(key)?, limit)
}

/// A text without the space around it, cut at its limit; of a whole number its digits ("2026" is a date).
fn text_of(told: &Value, limit: usize) -> Option<String> {
    match told {
        Value::String(text) => clean(text, limit),
        Value::Number(number) => {
            let whole = number.as_i64().filter(|whole| whole.unsigned_abs() < 10_u64.pow(DIGITS))?;
            Some(whole.to_string())
        }
        _ => None,
    }
}

/// What no store can hold goes, as does the space around a text; `None` where nothing is left.
pub(super) fn clean(text: &str, limit: usize) -> Option<String> {
    let whole = text.replace('\0', "");
    let cut: String = whole.trim().chars().take(limit).collect();
    let cut = cut.trim_end();
    (!cut.is_empty()).then(|| cut.to_owned())
}

/// One name, or several of a list.
fn names(told: Option<&Value>) -> Option<String> {
    match told? {
        Value::Array(names) => {
            let names: Vec<_> = names.iter().filter_map(|name| text_of(name, NAME_CHARS)).collect();
            clean(&names.join(", "), NAME_CHARS)
        }
        name => text_of(name, NAME_CHARS),
    }
}

/// Also of a text that is a number; `None` where it is none. What lies outside of 0 to 1 is bounded later.
fn confidence(told: Option<&Value>) -> Option<f64> {
    match told? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => {
            let text = text.trim();
            let is_number = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-'));
            if is_number && text.len() <= NUMBER_CHARS { text.parse().ok() } else { None }
        }
        _ => None,
    }
}
