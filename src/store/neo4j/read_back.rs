//! What Neo4j really holds of memories. Anybody may have edited it, so a property of the wrong type is not an error:
//! it reads as none, which differs from what should be there.

use std::collections::HashMap;

use chrono::{DateTime, FixedOffset};
use neo4rs::Row;
use serde::Deserialize;
use uuid::Uuid;

use super::exchange::Statement;
use super::{Neo4jGraph, cypher, labels};
use crate::error::Result;
use crate::model::{HeldMemory, HeldMention, HeldRelationship, Version};

/// What a number that is none reads as; no number of ours is negative.
const NO_NUMBER: i64 = -1;

impl Neo4jGraph {
    pub(super) async fn read_memories_back(&self, ids: &[Uuid]) -> Result<Vec<HeldMemory>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let keys = keys(ids);
        let ask = |text: &str| {
            self.exchange.run(Statement::work("what memories hold", text).param("keys", keys.clone()))
        };
        let (memories, mentions, relationships) = tokio::try_join!(
            ask(cypher::READ_MEMORIES),
            ask(&cypher::READ_MENTIONS),
            ask(&cypher::READ_RELATIONSHIPS)
        )?;
        let mut held: HashMap<String, HeldMemory> = memories.iter().filter_map(memory).collect();
        for row in &mentions {
            if let Some(memory) = of(&mut held, row) {
                memory.mentions.push(mention(row));
            }
        }
        for row in &relationships {
            let relationship = relationship(row);
            // One that is found through other memories of the page only is not found when the memory is read alone.
            if let Some(memory) = of(&mut held, row).filter(|memory| mentions_an_end(memory, &relationship)) {
                memory.relationships.push(relationship);
            }
        }
        Ok(held.into_values().map(sorted).collect())
    }

    pub(super) async fn distrust_memories(&self, ids: &[Uuid]) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let mut keys = keys(ids);
        // Locked in the order in which projections lock.
        keys.sort_unstable();
        let statement = Statement::work("the repair of memories", &cypher::DISTRUST);
        self.exchange.run(statement.param("keys", keys)).await.map(drop)
    }
}

fn keys(ids: &[Uuid]) -> Vec<String> {
    ids.iter().map(Uuid::to_string).collect()
}

fn of<'a>(held: &'a mut HashMap<String, HeldMemory>, row: &Row) -> Option<&'a mut HeldMemory> {
    held.get_mut(&property::<String>(row, "key")?)
}

/// The keys are those that were asked for, so they are ids.
fn memory(row: &Row) -> Option<(String, HeldMemory)> {
    let key: String = property(row, "key")?;
    let epoch = property(row, "epoch");
    let memory = HeldMemory {
        memory_id: Uuid::parse_str(&key).ok()?,
        user_id: text(row, "userId"),
        version: epoch.zip(property(row, "revision")).map(|(epoch, revision)| Version { epoch, revision }),
        // As a deletion, this mark is what it should be or not at all.
        detached: property(row, "detached") != Some(false),
        h1: number(row, "h1"),
        h2: number(row, "h2"),
        bucket: property(row, "bucket").unwrap_or(-1),
        labelled: property(row, "labelled").unwrap_or_default(),
        content: property(row, "content"),
        summary: property(row, "summary"),
        importance: property(row, "importance"),
        created_at: moment(row, "createdAt"),
        edited_at: moment(row, "updatedAt").or_else(|| spelled_moment(row, "updatedAt")),
        mentions: Vec::new(),
        relationships: Vec::new(),
        mention_count: Some(number(row, "mentions")),
        relationship_count: Some(number(row, "relationships")),
    };
    Some((key, memory))
}

fn mention(row: &Row) -> HeldMention {
    HeldMention {
        entity_key: text(row, "entityKey"),
        user_id: text(row, "userId"),
        label: labels::told(&text(row, "type"), &property::<Vec<String>>(row, "labels").unwrap_or_default()),
        name: text(row, "name"),
        kind: text(row, "type"),
        normalized: text(row, "normalized"),
        confidence: fraction(row, "confidence"),
        source: property(row, "source"),
        context: property(row, "context"),
        frequency: number(row, "frequency"),
        mentions: number(row, "mentions"),
    }
}

fn relationship(row: &Row) -> HeldRelationship {
    HeldRelationship {
        kind: text(row, "type"),
        from_key: text(row, "fromKey"),
        to_key: text(row, "toKey"),
        confidence: fraction(row, "confidence"),
        evidence: property(row, "evidence"),
    }
}

fn mentions_an_end(memory: &HeldMemory, relationship: &HeldRelationship) -> bool {
    memory
        .mentions
        .iter()
        .any(|mention| [&relationship.from_key, &relationship.to_key].contains(&&mention.entity_key))
}

fn sorted(mut memory: HeldMemory) -> HeldMemory {
    memory.mentions.sort_by(|a, b| a.entity_key.cmp(&b.entity_key));
    memory
        .relationships
        .sort_by(|a, b| (&a.kind, &a.from_key, &a.to_key).cmp(&(&b.kind, &b.from_key, &b.to_key)));
    memory
}

pub(super) fn property<T: for<'a> Deserialize<'a>>(row: &Row, column: &str) -> Option<T> {
    row.get(column).ok()
}

fn text(row: &Row, column: &str) -> String {
    property(row, column).unwrap_or_default()
}

fn number(row: &Row, column: &str) -> i64 {
    property(row, column).unwrap_or(NO_NUMBER)
}

/// Cypher writes 1 as a whole number.
#[expect(clippy::cast_precision_loss, reason = "a confidence is between 0 and 1")]
pub(super) fn fraction(row: &Row, column: &str) -> Option<f64> {
    property(row, column).or_else(|| property::<i64>(row, column).map(|whole| whole as f64))
}

/// Microseconds since the Unix epoch.
pub(super) fn moment(row: &Row, column: &str) -> Option<i64> {
    property::<DateTime<FixedOffset>>(row, column).map(|moment| moment.timestamp_micros())
}

/// As other code writes moments: `timestamp()` of Cypher (milliseconds) or text as ISO 8601.
fn spelled_moment(row: &Row, column: &str) -> Option<i64> {
    let milliseconds = property::<i64>(row, column).and_then(|number| number.checked_mul(1000));
    milliseconds.or_else(|| {
        let text: String = property(row, column)?;
        DateTime::parse_from_rfc3339(&text).ok().map(|moment| moment.timestamp_micros())
    })
}
