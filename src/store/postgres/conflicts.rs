//! The conflict log, and the statement that settles a conflict together with its entry.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::connection::{Effect, Postgres};
use super::memories::Put;
use super::statement::Sql;
use crate::error::Result;
use crate::model::{Entity, Relationship, Version};

/// Who won a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ConflictOutcome {
    Vector,
    Graph,
    Merged,
    /// Nobody has decided.
    Open,
}

/// What `izzie_memory.settle_conflict` takes.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Settlement {
    pub memory_id: Uuid,
    pub user_id: String,
    pub strategy: &'static str,
    pub outcome: ConflictOutcome,
    pub fields: Vec<&'static str>,
    pub vector: Value,
    pub graph: Value,
    /// Of the row that was compared; none: there was neither row nor tombstone.
    pub expected_revision: Option<i64>,
    pub node: Version,
    pub row: Option<AdoptedRow>,
}

/// What a row takes over from a node: an update's or an insert's members. What is `None` stays as it is, or is what a
/// new row has by default.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AdoptedRow {
    pub id: Uuid,
    pub user_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// `Some(None)` clears it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub importance: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<DateTime<Utc>>,
    /// Of a new row; an update leaves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
    pub entities: Vec<Entity>,
    pub relationships: Vec<Relationship>,
    pub owe: Put,
    pub owe_embedding: bool,
    pub owe_extraction: bool,
}

/// What came of a settlement.
#[derive(Debug, Clone, Deserialize)]
pub struct SettlementAnswer {
    /// False without an error: the memory was written meanwhile.
    pub settled: bool,
    pub error: Option<String>,
}

/// An entry of the conflict log.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct ConflictEntry {
    #[serde(serialize_with = "as_text")]
    pub id: i64,
    memory_id: Uuid,
    user_id: String,
    strategy: String,
    outcome: String,
    fields: Vec<String>,
    vector: Option<Json<Value>>,
    graph: Option<Json<Value>>,
    detected_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolved_at: Option<DateTime<Utc>>,
}

fn as_text<S: Serializer>(id: &i64, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

impl Postgres {
    /// Settles a conflict unless the memory was written since it was compared.
    pub async fn settle_conflict(&self, settlement: &Settlement) -> Result<SettlementAnswer> {
        let sql = Sql::new(include_str!("queries/settle_conflict.sql")).bind(Json(settlement));
        let answer: Json<SettlementAnswer> = self.background().scalar(Effect::Once, sql).await?;
        Ok(answer.0)
    }

    /// Entries in the order they were made, after one of them; open, resolved or (`None`) both.
    pub async fn list_conflicts(
        &self,
        open: Option<bool>,
        user_id: Option<&str>,
        after: Option<i64>,
        limit: i64,
    ) -> Result<Vec<ConflictEntry>> {
        let sql = Sql::new(include_str!("queries/list_conflicts.sql"))
            .bind(open)
            .bind(user_id)
            .bind(after)
            .bind(limit);
        self.user().all(Effect::Repeatable, sql).await
    }

    /// Deletes resolved entries (of a user, resolved before a moment). Answers how many.
    pub async fn purge_conflicts(
        &self,
        user_id: Option<&str>,
        older_than: Option<DateTime<Utc>>,
    ) -> Result<u64> {
        let sql = Sql::new(include_str!("queries/purge_conflicts.sql")).bind(user_id).bind(older_than);
        let purged: i64 = self.user().scalar(Effect::Repeatable, sql).await?;
        Ok(u64::try_from(purged).unwrap_or_default())
    }

    /// Conflicts that nobody has decided.
    pub async fn count_conflicts(&self) -> Result<u64> {
        let sql = Sql::new(include_str!("queries/count_conflicts.sql"));
        let count: i64 = self.user().scalar(Effect::Repeatable, sql).await?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// A page of memories whose conflict is open (of a user, among `ids`), in id order.
    pub async fn open_conflicts(
        &self,
        user_id: Option<&str>,
        ids: Option<&[Uuid]>,
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<Uuid>> {
        let sql = Sql::new(include_str!("queries/open_conflicts.sql"))
            .bind(user_id)
            .bind(ids)
            .bind(after)
            .bind(limit);
        self.background().scalars(Effect::Repeatable, sql).await
    }

    /// These memories are in no conflict any more: a later write has gone over the node.
    pub async fn close_conflicts(&self, ids: &[Uuid]) -> Result<()> {
        let sql = Sql::new(include_str!("queries/close_conflicts.sql")).bind(ids);
        self.background().execute(Effect::Repeatable, sql).await
    }

    /// When the memory got its revision.
    pub async fn changed_at(&self, id: Uuid) -> Result<Option<DateTime<Utc>>> {
        let sql = Sql::new(include_str!("queries/changed_at.sql")).bind(id);
        let row: Option<(DateTime<Utc>,)> = self.background().optional(Effect::Repeatable, sql).await?;
        Ok(row.map(|(moment,)| moment))
    }
}
