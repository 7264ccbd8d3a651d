//! What a row takes over from a node that somebody edited. It passes the same checks as input.

use std::collections::BTreeMap;

use chrono::DateTime;
use serde_json::json;

use crate::config::Limits;
use crate::error::{Error, Result};
use crate::input::{self, EntityInput, RelationshipInput};
use crate::model::{
    Entity, EntitySource, EntityType, HeldMemory, HeldMention, HeldRelationship, Projection, Relationship,
    RelationshipType,
};
use crate::store::postgres::{AdoptedRow, Put};

/// The importance of a memory that says none.
const DEFAULT_IMPORTANCE: i32 = 5;

/// What of both sides a new revision shall hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Share {
    /// What the node says; what it does not say stays.
    Graph,
    /// The entities and relationships of both; all else is the row's.
    Both,
}

/// The new revision of a memory that has a row.
pub(super) fn adopt_into_row(
    held: &HeldMemory,
    wanted: &Projection,
    share: Share,
    limits: &Limits,
) -> Result<AdoptedRow> {
    let (entities, relationships) = Graphs::of(held, Some(wanted), share)?.checked(limits)?;
    let mut row = AdoptedRow { entities, relationships, ..blank(held, &wanted.user_id) };
    // A graph that shares the database has no columns of its own.
    if share == Share::Graph && held.content.is_some() {
        row.content = held.content.clone();
        row.summary = Some(held.summary.clone());
        row.importance = importance(held)?;
    }
    check(&row, limits)?;
    Ok(row)
}

/// A new row made of a node that has none.
pub(super) fn adopt_as_row(held: &HeldMemory, limits: &Limits) -> Result<AdoptedRow> {
    input::user_id(&held.user_id)?;
    if held.content.is_none() {
        return Err(Error::invalid("content", "the node holds none, so no memory can be made of it"));
    }
    let (entities, relationships) = Graphs::of(held, None, Share::Graph)?.checked(limits)?;
    let row = AdoptedRow {
        content: held.content.clone(),
        summary: Some(held.summary.clone()),
        importance: Some(importance(held)?.unwrap_or(DEFAULT_IMPORTANCE)),
        created_at: held.created_at.and_then(DateTime::from_timestamp_micros),
        metadata: Some(json!({})),
        entities,
        relationships,
        ..blank(held, &held.user_id)
    };
    check(&row, limits)?;
    Ok(row)
}

fn blank(held: &HeldMemory, user_id: &str) -> AdoptedRow {
    AdoptedRow {
        id: held.memory_id,
        user_id: user_id.to_owned(),
        content: None,
        summary: None,
        importance: None,
        created_at: None,
        metadata: None,
        entities: Vec::new(),
        relationships: Vec::new(),
        owe: Put::Later,
        owe_embedding: true,
        owe_extraction: false,
    }
}

fn importance(held: &HeldMemory) -> Result<Option<i32>> {
    let narrow = |number: i64| {
        i32::try_from(number)
            .map_err(|_| Error::invalid("importance", format!("the number {number} is outside 1–10")))
    };
    held.importance.map(narrow).transpose()
}

fn check(row: &AdoptedRow, limits: &Limits) -> Result<()> {
    if let Some(content) = &row.content {
        input::content(content, limits)?;
    }
    input::summary(row.summary.as_ref().and_then(Option::as_deref))?;
    input::importance(row.importance)?;
    input::created_at(row.created_at.as_ref())
}

/// Entities and relationships of a new revision, not yet checked.
struct Graphs {
    /// By key in the graph.
    entities: BTreeMap<String, EntityInput>,
    relationships: Vec<RelationshipInput>,
}

impl Graphs {
    fn of(held: &HeldMemory, wanted: Option<&Projection>, share: Share) -> Result<Self> {
        let owner = wanted.map_or(&held.user_id, |wanted| &wanted.user_id);
        let known = wanted.map(Projection::mentions).unwrap_or_default();
        let mut graphs = Self { entities: BTreeMap::new(), relationships: Vec::new() };
        if share == Share::Both {
            graphs.entities.extend(known.iter().map(|(key, entity)| (key.clone(), as_input(entity))));
        }
        for mention in &held.mentions {
            if graphs.entities.contains_key(&mention.entity_key) {
                continue;
            }
            let input = match known.get(&mention.entity_key) {
                Some(entity) => corrected(entity, mention),
                None => named_by(mention, owner)?,
            };
            graphs.entities.insert(mention.entity_key.clone(), input);
        }
        graphs.add_relationships(held, wanted, share)?;
        Ok(graphs)
    }

    fn add_relationships(
        &mut self,
        held: &HeldMemory,
        wanted: Option<&Projection>,
        share: Share,
    ) -> Result<()> {
        let kept = if share == Share::Both {
            wanted.map(Projection::edges).unwrap_or_default()
        } else {
            BTreeMap::new()
        };
        for edge in &held.relationships {
            let Some(kind) = named(RelationshipType::ALL, &edge.kind, RelationshipType::name) else {
                return Err(Error::invalid("relationships", "a type is none of the known ones"));
            };
            if kept.contains_key(&(kind, edge.from_key.clone(), edge.to_key.clone())) {
                continue;
            }
            let input = self.relationship(kind, edge)?;
            self.relationships.push(input);
        }
        self.relationships.extend(kept.into_values().map(as_statement));
        Ok(())
    }

    fn relationship(&self, kind: RelationshipType, edge: &HeldRelationship) -> Result<RelationshipInput> {
        let end = |key: &str| {
            let entity = self.entities.get(key);
            entity.ok_or_else(|| Error::invalid("relationships", "an end is no entity of the memory"))
        };
        let (from, to) = (end(&edge.from_key)?, end(&edge.to_key)?);
        Ok(RelationshipInput {
            from_type: from.kind,
            from_value: from.value.clone(),
            to_type: to.kind,
            to_value: to.value.clone(),
            relationship_type: kind,
            confidence: edge.confidence,
            evidence: edge.evidence.clone(),
        })
    }

    fn checked(self, limits: &Limits) -> Result<(Vec<Entity>, Vec<Relationship>)> {
        let entities: Vec<EntityInput> = self.entities.into_values().collect();
        input::graph_input(&entities, &self.relationships, limits)
    }
}

fn as_input(entity: &Entity) -> EntityInput {
    EntityInput {
        kind: entity.kind,
        value: entity.value.clone(),
        normalized: Some(entity.normalized.clone()),
        confidence: Some(entity.confidence),
        source: Some(entity.source.clone()),
        context: entity.context.clone(),
        assignee: entity.assignee.clone(),
        deadline: entity.deadline.clone(),
        priority: entity.priority.clone(),
    }
}

/// An entity that the row knows, with the mention as the graph holds it. The graph's name of an entity may be another
/// memory's.
fn corrected(entity: &Entity, mention: &HeldMention) -> EntityInput {
    EntityInput {
        confidence: mention.confidence,
        source: mention.source.clone().map(EntitySource::from),
        context: mention.context.clone(),
        ..as_input(entity)
    }
}

/// An entity that only the graph knows of.
fn named_by(mention: &HeldMention, owner: &str) -> Result<EntityInput> {
    if mention.user_id != owner {
        return Err(Error::invalid("entities", "one belongs to another user"));
    }
    let kind = named(&EntityType::ALL, &mention.kind, EntityType::name)
        .ok_or_else(|| Error::invalid("entities", "a type is none of the known ones"))?;
    Ok(EntityInput {
        kind,
        value: mention.name.clone(),
        normalized: Some(mention.normalized.clone()),
        confidence: mention.confidence,
        source: mention.source.clone().map(EntitySource::from),
        context: mention.context.clone(),
        assignee: None,
        deadline: None,
        priority: None,
    })
}

fn as_statement(relationship: &Relationship) -> RelationshipInput {
    RelationshipInput {
        from_type: relationship.from_type,
        from_value: relationship.from_value.clone(),
        to_type: relationship.to_type,
        to_value: relationship.to_value.clone(),
        relationship_type: relationship.relationship_type,
        confidence: Some(relationship.confidence),
        evidence: Some(relationship.evidence.clone()),
    }
}

fn named<T: Copy>(all: &[T], name: &str, name_of: impl Fn(T) -> &'static str) -> Option<T> {
    all.iter().copied().find(|one| name_of(*one) == name)
}
