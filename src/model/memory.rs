use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{Entity, Relationship};

/// One memory as Postgres holds it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Memory {
    pub id: Uuid,
    pub user_id: String,
    pub conversation_id: Option<String>,
    pub content: String,
    pub summary: Option<String>,
    /// An object, passed through as it is: other code may have put numbers and depths there that no type of ours holds.
    pub metadata: Box<RawValue>,
    pub importance: i32,
    pub access_count: i32,
    pub last_accessed_at: Option<DateTime<Utc>>,
    pub is_deleted: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub revision: i64,
    pub entities: Vec<Entity>,
    pub relationships: Vec<Relationship>,
    /// Cosine similarity, only where one was computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub similarity: Option<f64>,
    /// What the results of a search are ordered by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
}

/// How a write went in both stores.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Write {
    /// False when the id was there already and nothing was written.
    pub created: bool,
    pub vector_write_success: bool,
    /// `Some(true)` applied, `Some(false)` owed, `None` no graph configured.
    pub graph_write_success: Option<bool>,
    pub timestamp: DateTime<Utc>,
    /// Milliseconds.
    pub duration: f64,
    /// Why the graph write is still owed, as an error envelope.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub graph_error: Option<Value>,
}
