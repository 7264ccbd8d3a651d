use std::time::Duration;

use chrono::{DateTime, Utc};
use pgvector::Vector;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use sqlx::types::Json;
use uuid::Uuid;

use super::connection::{Effect, Postgres, outcome_unknown};
use super::statement::Sql;
use crate::error::{Error, Reason, Result};
use crate::model::{Entity, Memory, Projection, Relationship};

/// How often a store whose connection was lost is sent again.
const STORE_REPETITIONS: u32 = 3;
const REPETITION_PAUSE: Duration = Duration::from_millis(50);

/// How the statement treats the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Put {
    /// The caller projects now: the graph inside Postgres is written by the statement itself, another one is owed with
    /// a head start.
    Inline,
    /// Owed from now on.
    Later,
    /// Not owed at all.
    None,
}

/// What `izzie_memory.store_memory` takes.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StoreRow {
    pub id: Uuid,
    /// Whether the id was drawn for this call.
    #[serde(skip)]
    pub fresh_id: bool,
    pub user_id: String,
    pub content: String,
    pub summary: Option<String>,
    pub metadata: Map<String, Value>,
    pub importance: i32,
    pub created_at: Option<DateTime<Utc>>,
    pub conversation_id: Option<String>,
    pub entities: Vec<Entity>,
    pub relationships: Vec<Relationship>,
    pub owe: Put,
    /// The embedding's space; none without an embedding.
    pub space: Option<i32>,
    pub owe_embedding: bool,
    pub owe_extraction: bool,
}

/// What `izzie_memory.update_memory` takes; a member that is `None` stays as it is.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateRow {
    pub id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// `Some(None)` clears it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata_patch: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub importance: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entities: Option<Vec<Entity>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relationships: Option<Vec<Relationship>>,
    pub owe: Put,
    pub space: Option<i32>,
    pub owe_embedding: bool,
    pub owe_extraction: bool,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeleteRow {
    pub id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    pub hard: bool,
    pub detached: bool,
    pub owe: Put,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Conflict {
    User,
    Content,
}

/// Where the projection of a write stands when the statement returns.
#[derive(Debug, Clone, Deserialize)]
pub struct Placed {
    pub projection: Projection,
    /// The current graph, if one is registered.
    pub target: Option<String>,
    /// Whether that graph is still owed this memory.
    pub owed: bool,
}

#[derive(Debug, Clone)]
pub struct Stored {
    pub created: bool,
    pub memory: Memory,
    pub placed: Placed,
}

#[derive(Debug, Clone)]
pub struct Updated {
    pub memory: Memory,
    pub placed: Placed,
    /// What `undo_write` puts back.
    pub previous: Box<RawValue>,
}

#[derive(Debug, Clone)]
pub struct Deleted {
    pub placed: Placed,
    pub previous: Box<RawValue>,
}

/// A write to undo while `revision` is still the memory's newest.
#[derive(Debug, Clone)]
pub struct Undo {
    pub id: Uuid,
    pub revision: i64,
    /// `None` undoes a store.
    pub previous: Option<Box<RawValue>>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserStats {
    pub total: i64,
    pub by_conversation: Map<String, Value>,
    pub avg_importance: f64,
    pub total_accesses: i64,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    created: bool,
    #[serde(default)]
    found: bool,
    conflict: Option<Conflict>,
    memory: Option<MemoryRow>,
    previous: Option<Box<RawValue>>,
    #[serde(flatten)]
    placed: Option<Placed>,
}

/// A row of the view `izzie_memory.memories`.
#[derive(Debug, Clone, Deserialize, sqlx::FromRow)]
pub(super) struct MemoryRow {
    id: Uuid,
    user_id: String,
    conversation_id: Option<String>,
    content: String,
    summary: Option<String>,
    metadata: Json<Box<RawValue>>,
    importance: i32,
    access_count: i32,
    last_accessed_at: Option<DateTime<Utc>>,
    is_deleted: bool,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    revision: i64,
    entities: Json<Vec<Entity>>,
    relationships: Json<Vec<Relationship>>,
}

impl From<MemoryRow> for Memory {
    fn from(row: MemoryRow) -> Self {
        Self {
            id: row.id,
            user_id: row.user_id,
            conversation_id: row.conversation_id,
            content: row.content,
            summary: row.summary,
            metadata: row.metadata.0,
            importance: row.importance,
            access_count: row.access_count,
            last_accessed_at: row.last_accessed_at,
            is_deleted: row.is_deleted,
            created_at: row.created_at,
            updated_at: row.updated_at,
            revision: row.revision,
            entities: row.entities.0,
            relationships: row.relationships.0,
            similarity: None,
            score: None,
        }
    }
}

impl Postgres {
    /// Stores a memory, or answers the one that is there under this id.
    ///
    /// Repeated when the connection is lost, because the id makes it safe. A failure after that is `OUTCOME_UNKNOWN`:
    /// the lost attempt may have been committed.
    pub async fn store(&self, row: &StoreRow, embedding: Option<&[f32]>) -> Result<Stored> {
        let vector = embedding.map(|values| Vector::from(values.to_vec()));
        let sql = Sql::new(include_str!("queries/store.sql")).bind(Json(row)).bind(&vector);
        let mut lost = 0;
        let answer: Json<Answer> = loop {
            match self.user().scalar(Effect::Once, sql.clone()).await {
                Ok(answer) => break answer,
                Err(error) if error.reason == Reason::OutcomeUnknown && lost < STORE_REPETITIONS => {
                    lost += 1;
                    tokio::time::sleep(REPETITION_PAUSE).await;
                }
                Err(_) if lost > 0 => return Err(outcome_unknown().with("id", row.id.to_string())),
                Err(error) => return Err(error.with("id", row.id.to_string())),
            }
        };
        let answer = answer.0;
        match (answer.conflict, answer.memory, answer.placed) {
            (None, Some(memory), Some(placed)) => {
                // Nobody else has an id that was drawn for this call: what is there is what the lost attempt wrote.
                let created = answer.created || (lost > 0 && row.fresh_id);
                Ok(Stored { created, memory: memory.into(), placed })
            }
            (Some(conflict), _, _) => Err(id_conflict(row.id, conflict)),
            _ => Err(incomplete("store_memory")),
        }
    }

    pub async fn update(&self, row: &UpdateRow, embedding: Option<&[f32]>) -> Result<Option<Updated>> {
        let vector = embedding.map(|values| Vector::from(values.to_vec()));
        let answer: Json<Answer> = self
            .user()
            .scalar(Effect::Once, Sql::new(include_str!("queries/update.sql")).bind(Json(row)).bind(&vector))
            .await?;
        let answer = answer.0;
        if !answer.found {
            return Ok(None);
        }
        match (answer.memory, answer.placed, answer.previous) {
            (Some(memory), Some(placed), Some(previous)) => {
                Ok(Some(Updated { memory: memory.into(), placed, previous }))
            }
            _ => Err(incomplete("update_memory")),
        }
    }

    /// `None`: there was nothing of this user to delete.
    pub async fn delete(&self, row: &DeleteRow) -> Result<Option<Deleted>> {
        let answer: Json<Answer> = self
            .user()
            .scalar(Effect::Once, Sql::new(include_str!("queries/delete.sql")).bind(Json(row)))
            .await?;
        let answer = answer.0;
        if !answer.found {
            return Ok(None);
        }
        match (answer.placed, answer.previous) {
            (Some(placed), Some(previous)) => Ok(Some(Deleted { placed, previous })),
            _ => Err(incomplete("delete_memory")),
        }
    }

    /// False: a newer write had come, nothing was undone.
    pub async fn undo(&self, undo: &Undo) -> Result<bool> {
        self.user()
            .scalar(
                Effect::Once,
                Sql::new(include_str!("queries/undo.sql"))
                    .bind(undo.id)
                    .bind(undo.revision)
                    .bind(undo.previous.as_ref().map(Json)),
            )
            .await
    }

    /// The live memory with this id, counted as accessed.
    pub async fn read(&self, id: Uuid, user_id: Option<&str>) -> Result<Option<Memory>> {
        let row: Option<MemoryRow> = self
            .user()
            .optional(Effect::Repeatable, Sql::new(include_str!("queries/read.sql")).bind(id).bind(user_id))
            .await?;
        Ok(row.map(Memory::from))
    }

    /// The live memories among these ids, in the order asked for.
    pub async fn get_many(&self, ids: &[Uuid], user_id: Option<&str>) -> Result<Vec<Memory>> {
        let rows: Vec<MemoryRow> = self
            .user()
            .all(Effect::Repeatable, Sql::new(include_str!("queries/get_many.sql")).bind(ids).bind(user_id))
            .await?;
        Ok(rows.into_iter().map(Memory::from).collect())
    }

    /// The user's newest live memories.
    pub async fn get_all(
        &self,
        user_id: &str,
        conversation_id: Option<&str>,
        limit: i64,
    ) -> Result<Vec<Memory>> {
        let rows: Vec<MemoryRow> = self
            .user()
            .all(
                Effect::Repeatable,
                Sql::new(include_str!("queries/get_all.sql")).bind(user_id).bind(conversation_id).bind(limit),
            )
            .await?;
        Ok(rows.into_iter().map(Memory::from).collect())
    }

    pub async fn user_stats(&self, user_id: &str) -> Result<UserStats> {
        let (total, avg_importance, total_accesses, by_conversation): (
            i64,
            f64,
            i64,
            Json<Map<String, Value>>,
        ) = self
            .user()
            .one(Effect::Repeatable, Sql::new(include_str!("queries/user_stats.sql")).bind(user_id))
            .await?;
        Ok(UserStats { total, by_conversation: by_conversation.0, avg_importance, total_accesses })
    }
}

fn id_conflict(id: Uuid, conflict: Conflict) -> Error {
    let message = match conflict {
        Conflict::User => "the id is taken",
        Conflict::Content => "a memory with this id or idempotency key has other content",
    };
    Error::persistence(Reason::IdConflict, message).with("id", id.to_string())
}

fn incomplete(function: &str) -> Error {
    Error::vector(
        Reason::SchemaOutdated,
        format!("izzie_memory.{function} answered in an unknown form; run migrate()"),
    )
}
