use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::health::HealthReason;

/// The three kinds of drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Issue {
    /// A live memory without a node.
    MissingInGraph,
    /// A node without a live memory.
    MissingInVector,
    /// Both are there, but the node holds another version.
    MetadataMismatch,
}

/// One difference between Postgres and the graph that is not merely owed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Inconsistency {
    pub memory_id: Uuid,
    pub issue: Issue,
    pub details: String,
    pub detected_at: DateTime<Utc>,
    /// Somebody edited the graph: the node has the memory's version but other properties, or has neither row nor
    /// tombstone. Anything else is lag.
    #[serde(default)]
    pub conflict: bool,
    /// What differs, as far as it was read back: see [`crate::sync::Field`].
    #[serde(default)]
    pub fields: Vec<String>,
}

/// What a sync operation did.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncResult {
    /// Memories compared or owed in this call.
    pub total_checked: u64,
    pub inconsistencies: Vec<Inconsistency>,
    /// Memories whose graph state this call brought up to date.
    pub repaired: u64,
    /// Memories that could not be mended in this call: refused by the graph, or in a conflict that could not be decided.
    pub failed: u64,
    /// Conflicts that wait for somebody to decide.
    pub conflicts: u64,
    /// Milliseconds.
    pub duration: f64,
    /// Memories still owed to the graph afterwards.
    pub pending: u64,
    /// A rebuild that went on with one that was interrupted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resumed: Option<bool>,
    /// Edges of other programs at nodes of this layer: those that a deep check met and left, or those that went with
    /// nodes that a rebuild removed. Only where there are any.
    #[serde(skip_serializing_if = "is_zero")]
    pub foreign_edges: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// How sure a verdict is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum VerdictState {
    /// Nothing differs and nothing is owed.
    Consistent,
    /// Something differs that is not merely owed, or was given up.
    Divergent,
    /// Nothing is known to differ, but something is still owed.
    Inconclusive,
}

/// What a verdict speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Depth {
    /// The digests that both stores keep of every memory.
    Digest,
    /// Every property, read back from the graph.
    Deep,
}

/// The answer of a check that only tells.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    pub state: VerdictState,
    pub depth: Depth,
    /// Memories compared.
    pub checked: u64,
    /// Memories still owed to the graph.
    pub pending: u64,
    /// Memories that differ or were given up.
    pub differences: u64,
    /// Edges of other programs at nodes of this layer, which a deep check meets and leaves. They are no difference.
    #[serde(skip_serializing_if = "is_zero")]
    pub foreign_edges: u64,
    /// Milliseconds.
    pub duration: f64,
}

/// Counts of both stores, of all users. `None`: the store that knows did not answer.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncStats {
    /// Live memories in Postgres.
    pub vector_store_count: Option<u64>,
    /// Live memory nodes in the graph.
    pub graph_store_count: Option<u64>,
    /// Share of live memories that the graph holds and that are not owed, 0–100, rounded down.
    pub sync_percentage: Option<u32>,
    pub last_sync: Option<DateTime<Utc>>,
    pub pending: Option<u64>,
    pub dead: Option<u64>,
    /// Conflicts that wait for somebody to decide.
    pub conflicts: Option<u64>,
    pub embedding: Option<Owed>,
    pub extraction: Option<Owed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unavailable: Option<Unavailable>,
}

/// The stores that did not answer, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Unavailable {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vector_store: Option<HealthReason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub graph_store: Option<HealthReason>,
}

impl Unavailable {
    pub fn any(&self) -> bool {
        self.vector_store.is_some() || self.graph_store.is_some()
    }
}

/// What live memories are owed by the models.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct OwedToModels {
    pub embedding: Owed,
    pub extraction: Owed,
}

/// What is owed by one model, as the instance that counts sees it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Owed {
    /// This instance pays it by itself.
    pub pending: u64,
    /// It does not: there is no model for it, or a paid one and the content comes from other code.
    pub waiting: u64,
    /// Refused for good.
    pub dead: u64,
}

/// A relation of the user's graph with its weight: the memories that support it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StrongRelation {
    pub from_type: String,
    pub from_name: String,
    pub to_type: String,
    pub to_name: String,
    /// A relationship type or `CO_OCCURS`.
    pub kind: String,
    pub weight: i64,
}
