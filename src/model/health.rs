use chrono::{DateTime, Utc};
use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HealthStatus {
    /// Both stores answer and the graph belongs to this database.
    Healthy,
    /// Postgres answers; the graph is away or not ours.
    Degraded,
    /// Postgres does not answer.
    Unhealthy,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StoreStatus {
    pub available: bool,
    pub healthy: bool,
    pub last_check: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stores {
    pub vector_store: StoreStatus,
    pub graph_store: StoreStatus,
}

/// `None`: the store that knows did not answer.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HealthMetrics {
    pub total_memories: Option<u64>,
    pub vector_store_count: Option<u64>,
    pub graph_store_count: Option<u64>,
    pub sync_percentage: Option<u32>,
}

/// Something that limits the service without making it fail, for example lexical search for want of an embedder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HealthReason {
    pub code: &'static str,
    pub message: String,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HealthCheck {
    pub status: HealthStatus,
    pub stores: Stores,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_sync: Option<DateTime<Utc>>,
    pub metrics: HealthMetrics,
    pub reasons: Vec<HealthReason>,
}
