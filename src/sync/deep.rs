//! The deep comparison: what the graph really holds of a memory against what it shall hold, field by field.
//!
//! An entity's name, type, confidence and first and last mention are the first or the extreme of all its mentions, past
//! ones included, and so cannot be told from what is there now; they are not compared. Nor is a copy of what is compared
//! elsewhere (the user of an edge, the moment of a mention).

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::{EdgeKey, RelationshipType};
use crate::model::{Entity, HeldMemory, HeldMention, HeldRelationship, Label, Projection, Relationship};

/// What can differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Field {
    UserId,
    Content,
    Summary,
    Importance,
    CreatedAt,
    /// Which entities are mentioned, or a mention's confidence, source or context.
    Mentions,
    /// Which relationships the memory states, or a relationship's confidence or evidence.
    Relationships,
    /// An entity's user or normalized name, which its key is made of.
    Entities,
    /// A label of the memory or of an entity that is not its own.
    Labels,
    /// What an entity says to be its number of mentions.
    Frequency,
    Digest,
    Bucket,
    /// The node's epoch or revision is no number of ours.
    Version,
}

impl Field {
    pub fn name(self) -> &'static str {
        match self {
            Self::UserId => "userId",
            Self::Content => "content",
            Self::Summary => "summary",
            Self::Importance => "importance",
            Self::CreatedAt => "createdAt",
            Self::Mentions => "mentions",
            Self::Relationships => "relationships",
            Self::Entities => "entities",
            Self::Labels => "labels",
            Self::Frequency => "frequency",
            Self::Digest => "digest",
            Self::Bucket => "bucket",
            Self::Version => "version",
        }
    }

    /// Whether a row could take it over from a node.
    pub fn adoptable(self) -> bool {
        matches!(
            self,
            Self::Content | Self::Summary | Self::Importance | Self::Mentions | Self::Relationships
        )
    }

    /// Whether it says something of its own, so that it is kept in the log when it is overwritten. All else follows
    /// from the row.
    pub fn telling(self) -> bool {
        self.adoptable() || matches!(self, Self::UserId | Self::CreatedAt)
    }
}

/// In what a node deviates from its memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deviation {
    /// What is wrong with the memory's own node, mentions and relationships; sorted.
    pub fields: Vec<Field>,
    /// What is wrong with entities that it mentions, by key: every other memory that mentions them sees the same.
    pub entities: Vec<(String, Field)>,
    /// Entities whose mention is missing or too many, so that their count is wrong elsewhere too.
    pub misplaced: Vec<String>,
}

impl Deviation {
    pub fn is_none(&self) -> bool {
        self.fields.is_empty() && self.entities.is_empty()
    }

    /// All fields that differ, each once, sorted.
    pub fn all_fields(&self) -> Vec<Field> {
        let mut fields = self.fields.clone();
        fields.extend(self.entities.iter().map(|(_, field)| *field));
        fields.sort_unstable();
        fields.dedup();
        fields
    }
}

/// Compares a live memory with its node of the same version. `with_row`: the graph is a store of its own, so that its
/// nodes hold the row's columns too.
pub fn compare(wanted: &Projection, held: &HeldMemory, with_row: bool) -> Deviation {
    let mut deviation = Deviation::default();
    let mut note = |differs: bool, field: Field| {
        if differs {
            deviation.fields.push(field);
        }
    };
    note(held.user_id != wanted.user_id, Field::UserId);
    if with_row {
        note(held.content.as_ref() != Some(&wanted.content), Field::Content);
        note(held.summary != wanted.summary, Field::Summary);
        note(held.importance != Some(i64::from(wanted.importance)), Field::Importance);
        note(held.created_at != Some(wanted.created_at), Field::CreatedAt);
    }
    note(held.version.is_none(), Field::Version);
    note(!held.labelled, Field::Labels);
    note((held.h1, held.h2) != (wanted.h1, wanted.h2), Field::Digest);
    note(held.bucket != wanted.bucket, Field::Bucket);
    note(!same_relationships(wanted, held), Field::Relationships);
    compare_mentions(wanted, held, &mut deviation);
    deviation.fields.sort_unstable();
    deviation.fields.dedup();
    deviation
}

fn compare_mentions(wanted: &Projection, held: &HeldMemory, deviation: &mut Deviation) {
    let mut missing = wanted.mentions();
    let count = i64::try_from(missing.len()).unwrap_or(i64::MAX);
    let mut intact = held.mention_count.is_none_or(|stated| stated == count);
    for mention in &held.mentions {
        match missing.remove(&mention.entity_key) {
            Some(entity) => {
                intact &= same_mention(entity, mention);
                compare_entity(wanted, entity, mention, &mut deviation.entities);
            }
            None => deviation.misplaced.push(mention.entity_key.clone()),
        }
    }
    deviation.misplaced.extend(missing.into_keys());
    if !intact || !deviation.misplaced.is_empty() {
        deviation.fields.push(Field::Mentions);
    }
}

fn same_mention(wanted: &Entity, held: &HeldMention) -> bool {
    held.confidence == Some(wanted.confidence)
        && held.source.as_deref() == Some(wanted.source.name())
        && held.context == wanted.context
}

fn compare_entity(
    wanted: &Projection,
    entity: &Entity,
    held: &HeldMention,
    faults: &mut Vec<(String, Field)>,
) {
    let label: Label = entity.kind.label();
    let differences = [
        (held.user_id != wanted.user_id || held.normalized != entity.normalized, Field::Entities),
        (held.label != label.name(), Field::Labels),
        (held.frequency != held.mentions, Field::Frequency),
    ];
    for (_, field) in differences.into_iter().filter(|(differs, _)| *differs) {
        faults.push((held.entity_key.clone(), field));
    }
}

fn same_relationships(wanted: &Projection, held: &HeldMemory) -> bool {
    let mut missing: BTreeMap<EdgeKey, &Relationship> = wanted.edges();
    let count = i64::try_from(missing.len()).unwrap_or(i64::MAX);
    held.relationships.iter().all(|relationship| {
        edge_key(relationship)
            .and_then(|key| missing.remove(&key))
            .is_some_and(|wanted| same_relationship(wanted, relationship))
    }) && missing.is_empty()
        && held.relationship_count.is_none_or(|stated| stated == count)
}

fn edge_key(held: &HeldRelationship) -> Option<EdgeKey> {
    let kind = RelationshipType::ALL.iter().copied().find(|kind| kind.name() == held.kind)?;
    Some((kind, held.from_key.clone(), held.to_key.clone()))
}

fn same_relationship(wanted: &Relationship, held: &HeldRelationship) -> bool {
    held.confidence == Some(wanted.confidence) && held.evidence.as_ref() == Some(&wanted.evidence)
}
