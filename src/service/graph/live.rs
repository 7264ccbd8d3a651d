//! What is left of a user's entities without detached memories.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use crate::error::Result;
use crate::model::{EntityType, GraphEntity};
use crate::store::graph_queries::{EntityNode, GraphQueries, PartlyDetached};

/// The graph counts every mention. Memories that were deleted with `cascadeGraph: false` keep theirs, but do not count
/// for readers; usually there are none.
pub(super) struct Live {
    detached: HashMap<String, PartlyDetached>,
}

impl Live {
    pub async fn of(graph: &(impl GraphQueries + ?Sized), user_id: &str) -> Result<Self> {
        let found = graph.partly_detached(user_id).await?;
        Ok(Self { detached: found.into_iter().map(|one| (one.entity.key.clone(), one)).collect() })
    }

    /// How many entities have fewer mentions than the graph counts: so many more of an ordered list hold all that
    /// belongs to its beginning.
    pub fn hidden(&self) -> usize {
        self.detached.len()
    }

    fn frequency(&self, node: &EntityNode) -> i64 {
        node.mentions - self.detached.get(&node.key).map_or(0, |one| one.detached)
    }

    fn counts(&self, node: &EntityNode) -> bool {
        self.frequency(node) > 0
    }

    /// The first that a live memory mentions.
    pub fn first(&self, nodes: Vec<EntityNode>) -> Option<EntityNode> {
        nodes.into_iter().find(|node| self.counts(node))
    }

    /// None: no live memory mentions it.
    pub fn entity(&self, node: EntityNode) -> Option<GraphEntity> {
        let frequency = self.frequency(&node);
        let seen = |micros| DateTime::<Utc>::from_timestamp_micros(micros);
        let (first_seen, last_seen) = (seen(node.first_seen)?, seen(node.last_seen)?);
        (frequency > 0).then_some(GraphEntity {
            kind: node.kind,
            name: node.name,
            normalized: node.normalized,
            frequency,
            confidence: node.confidence,
            first_seen,
            last_seen,
        })
    }

    /// Entities of a type that only detached memories mention.
    pub fn hidden_entirely(&self, kind: EntityType) -> i64 {
        let hidden = |one: &&PartlyDetached| one.entity.kind == kind && !self.counts(&one.entity);
        i64::try_from(self.detached.values().filter(hidden).count()).unwrap_or(i64::MAX)
    }

    pub fn hidden_mentions(&self) -> i64 {
        self.detached.values().map(|one| one.detached).sum()
    }
}
