use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

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
    /// Memories the graph refused in this call.
    pub failed: u64,
    /// Milliseconds.
    pub duration: f64,
    /// Memories still owed to the graph afterwards.
    pub pending: u64,
    /// A rebuild that went on with one that was interrupted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resumed: Option<bool>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncStats {
    /// Live memories in Postgres.
    pub vector_store_count: u64,
    /// Live memory nodes in the graph.
    pub graph_store_count: u64,
    /// Share of live memories that the graph holds and that are not owed, 0–100, rounded down.
    pub sync_percentage: u32,
    pub last_sync: Option<DateTime<Utc>>,
    pub pending: u64,
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
