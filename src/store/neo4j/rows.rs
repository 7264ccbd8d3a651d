//! From projections to the parameter of the projecting statement.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};

use chrono::DateTime;
use neo4rs::{BoltList, BoltMap, BoltType};

use crate::error::{Error, Reason, Result};
use crate::model::{Entity, Projection};

/// What one statement shall apply: one row per memory, sorted by key, for locks are taken in that order; and one per
/// entity that they mention.
pub(super) struct Rows {
    pub batch: BoltType,
    pub count: usize,
    pub any_relationships: bool,
}

impl Rows {
    pub fn of(batch: &[Projection]) -> Result<Self> {
        // Of several versions of one memory only the highest counts: the lower ones lose against it anyway.
        let mut latest = BTreeMap::new();
        for projection in batch {
            let held = latest.entry(projection.memory_id).or_insert(projection);
            if projection.version >= held.version {
                *held = projection;
            }
        }
        let any_relationships = latest.values().any(|projection| !projection.relationships.is_empty());
        let mut entities = BTreeMap::new();
        let rows = latest.into_values().map(|one| row(one, &mut entities)).collect::<Result<Vec<_>>>()?;
        let count = rows.len();
        let entities = entities.into_iter().map(|(key, seen)| seen.row(key)).collect();
        let batch = map([("memories", list(rows)), ("entities", list(entities))]);
        Ok(Self { batch, count, any_relationships })
    }
}

/// An entity as the memories of a batch speak of it.
struct Seen<'a> {
    user_id: &'a str,
    /// As the earliest of the memories names it, an address only where none gives a name.
    entity: &'a Entity,
    named: i64,
    confidence: f64,
    first: (i64, BoltType),
    last: (i64, BoltType),
}

impl<'a> Seen<'a> {
    fn new(projection: &'a Projection, entity: &'a Entity, at: &BoltType) -> Self {
        let when = (projection.created_at, at.clone());
        let first = when.clone();
        let named = projection.created_at;
        Self { user_id: &projection.user_id, entity, named, confidence: entity.confidence, first, last: when }
    }

    fn again(&mut self, other: Self) {
        self.confidence = self.confidence.max(other.confidence);
        let rank = |seen: &Self| (seen.entity.value.contains('@'), seen.named);
        if rank(&other) < rank(self) {
            (self.entity, self.named) = (other.entity, other.named);
        }
        if other.first.0 < self.first.0 {
            self.first = other.first;
        }
        if other.last.0 > self.last.0 {
            self.last = other.last;
        }
    }

    /// A list, because there are so many: the names of its places would be the greater part of the message.
    fn row(self, key: String) -> BoltType {
        list(vec![
            key.into(),
            self.entity.kind.label().name().into(),
            self.user_id.into(),
            self.entity.value.as_str().into(),
            self.entity.normalized.as_str().into(),
            self.entity.kind.name().into(),
            self.confidence.into(),
            self.first.1,
            self.last.1,
        ])
    }
}

fn row<'a>(projection: &'a Projection, seen: &mut BTreeMap<String, Seen<'a>>) -> Result<BoltType> {
    let created_at = created_at(projection)?;
    let entities = projection.mentions();
    let relationships = relationships(projection, &entities)?;
    let mut mentions = Vec::with_capacity(entities.len());
    for (key, entity) in entities {
        mentions.push(mention(&key, entity));
        let now = Seen::new(projection, entity, &created_at);
        match seen.entry(key) {
            Entry::Vacant(place) => drop(place.insert(now)),
            Entry::Occupied(mut place) => place.get_mut().again(now),
        }
    }
    Ok(map([
        ("key", projection.memory_id.to_string().into()),
        ("epoch", projection.version.epoch.into()),
        ("revision", projection.version.revision.into()),
        ("deleted", projection.deleted.into()),
        ("detached", projection.detached.into()),
        ("node", node_properties(projection, mentions.len(), relationships.len(), created_at)),
        ("mentions", list(mentions)),
        ("relationships", list(relationships)),
    ]))
}

/// To the microsecond. The range of the graph's type is smaller than that of the number.
fn created_at(projection: &Projection) -> Result<BoltType> {
    DateTime::from_timestamp_micros(projection.created_at).map(BoltType::from).ok_or_else(|| {
        rejected(
            projection,
            format!("createdAt: {} microseconds is beyond the graph's calendar", projection.created_at),
        )
    })
}

/// All a tombstone keeps is its place in the order of writes. A detached memory that the graph has keeps the rest.
fn node_properties(
    projection: &Projection,
    mentions: usize,
    relationships: usize,
    created_at: BoltType,
) -> BoltType {
    let length = |count: usize| BoltType::from(i64::try_from(count).unwrap_or(i64::MAX));
    let mut properties = vec![
        ("key", projection.memory_id.to_string().into()),
        ("userId", projection.user_id.as_str().into()),
        ("epoch", projection.version.epoch.into()),
        ("revision", projection.version.revision.into()),
        ("h1", projection.h1.into()),
        ("h2", projection.h2.into()),
        ("bucket", i64::from(projection.bucket).into()),
        ("deleted", projection.deleted.into()),
        ("detached", false.into()),
    ];
    if !projection.deleted {
        properties.extend([
            ("content", projection.content.as_str().into()),
            ("summary", projection.summary.clone().into()),
            ("importance", i64::from(projection.importance).into()),
            ("createdAt", created_at),
            ("mentions", length(mentions)),
            ("relationships", length(relationships)),
        ]);
    }
    map(properties)
}

/// A list, as an entity's row is. It was extracted when its memory was created.
fn mention(key: &str, entity: &Entity) -> BoltType {
    list(vec![
        key.into(),
        entity.confidence.into(),
        entity.source.name().into(),
        entity.context.clone().into(),
    ])
}

fn relationships(projection: &Projection, mentions: &BTreeMap<String, &Entity>) -> Result<Vec<BoltType>> {
    let edges = projection.edges();
    // Edges are found again through the memory's mentions.
    if edges.keys().any(|(_, from, to)| !mentions.contains_key(from) || !mentions.contains_key(to)) {
        return Err(rejected(projection, "a relationship's end is not among the memory's entities"));
    }
    let memory_id = projection.memory_id.to_string();
    Ok(edges
        .into_iter()
        .map(|((kind, from, to), relationship)| {
            let edge = map([
                ("memoryId", memory_id.as_str().into()),
                ("userId", projection.user_id.as_str().into()),
                ("confidence", relationship.confidence.into()),
                ("evidence", relationship.evidence.as_str().into()),
                // So that a check counts them by part.
                ("bucket", i64::from(projection.bucket).into()),
            ]);
            map([("type", kind.name().into()), ("from", from.into()), ("to", to.into()), ("edge", edge)])
        })
        .collect())
}

fn rejected(projection: &Projection, problem: impl Into<String>) -> Error {
    Error::graph(Reason::GraphRejected, problem).with("memoryId", projection.memory_id.to_string())
}

pub(super) fn map(entries: impl IntoIterator<Item = (&'static str, BoltType)>) -> BoltType {
    BoltType::Map(BoltMap {
        value: entries.into_iter().map(|(key, value)| (key.into(), value)).collect::<HashMap<_, _>>(),
    })
}

pub(super) fn list(value: Vec<BoltType>) -> BoltType {
    BoltType::List(BoltList { value })
}
