use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use sqlx::types::Json;
use uuid::Uuid;

use super::connection::{Effect, Postgres, outcome_unknown};
use super::error::Refusal;
use super::statement::Sql;
use crate::error::{Error, Reason, Result};
use crate::model::{EmbeddingPieces, Entity, Memory, Projection, Rejected, Relationship};

/// How often a store whose connection was lost is sent again.
const STORE_REPETITIONS: u32 = 3;
const REPETITION_PAUSE: Duration = Duration::from_millis(50);

/// How the statement treats the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// The caller projects now: the graph inside Postgres is written by the statement itself, another one is owed with
    /// a head start.
    Inline,
    /// Owed from now on.
    Later,
    /// As `Inline` in the graph inside Postgres, as `Later` in another one: for pages of many memories.
    Paged,
    /// Not owed at all.
    None,
}

impl Serialize for Put {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl Put {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Inline => "inline",
            Self::Later => "later",
            Self::Paged => "paged",
            Self::None => "none",
        }
    }
}

/// The metadata of a new row.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Metadata {
    Given(Map<String, Value>),
    /// As a row had it.
    Exported(Box<RawValue>),
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
    pub metadata: Metadata,
    pub importance: i32,
    pub created_at: Option<DateTime<Utc>>,
    pub conversation_id: Option<String>,
    pub entities: Vec<Entity>,
    pub relationships: Vec<Relationship>,
    /// What was left out of both.
    pub rejected: Option<Rejected>,
    /// Whether a memory of this id that is marked deleted lives again.
    pub restore: bool,
    /// Whether the answer shall say what an undo of that puts back.
    pub undo: bool,
    pub owe: Put,
    /// The embedding's space; none without an embedding.
    pub space: Option<i32>,
    pub embedding_pieces: Option<EmbeddingPieces>,
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
    /// What was left out of both, where they are set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected: Option<Rejected>,
    pub owe: Put,
    pub space: Option<i32>,
    pub embedding_pieces: Option<EmbeddingPieces>,
    pub owe_embedding: bool,
    pub owe_extraction: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_revision: Option<i64>,
    /// Whether the answer shall say what an undo puts back.
    pub undo: bool,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_revision: Option<i64>,
    pub undo: bool,
}

/// What `izzie_memory.restore_memory` takes.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RestoreRow {
    pub id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    pub owe: Put,
    pub undo: bool,
}

/// Which memories a list has.
#[derive(Debug, Clone, Copy)]
pub struct ListFilter<'a> {
    pub user_id: &'a str,
    pub conversation_id: Option<&'a str>,
    /// Not before.
    pub since: Option<DateTime<Utc>>,
    /// Before.
    pub until: Option<DateTime<Utc>>,
    /// The last memory of the page before: when it was created, and its id.
    pub after: Option<(DateTime<Utc>, Uuid)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Conflict {
    User,
    Content,
    Revision,
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
    /// Whether it was there and marked deleted, and lives again.
    pub restored: bool,
    /// What `undo_write` puts back, where a deleted memory was restored and it was asked for.
    pub previous: Option<Box<RawValue>>,
    pub memory: Memory,
    pub placed: Placed,
}

#[derive(Debug, Clone)]
pub struct Updated {
    pub memory: Memory,
    pub placed: Placed,
    /// What `undo_write` puts back, if it was asked for.
    pub previous: Option<Box<RawValue>>,
}

#[derive(Debug, Clone)]
pub struct Deleted {
    pub placed: Placed,
    pub previous: Option<Box<RawValue>>,
}

impl Stored {
    /// What takes the write back; `None` for a row that was there before this call and stayed as it was.
    pub fn undo(&self) -> Option<Undo> {
        match &self.previous {
            Some(previous) => Some(undo(&self.placed, Some(previous.clone()))),
            None => self.created.then(|| undo(&self.placed, None)),
        }
    }
}

impl Updated {
    /// What takes the write back, if that was asked for.
    pub fn undo(&self) -> Option<Undo> {
        self.previous.as_ref().map(|previous| undo(&self.placed, Some(previous.clone())))
    }
}

impl Deleted {
    /// What takes the write back, if that was asked for.
    pub fn undo(&self) -> Option<Undo> {
        self.previous.as_ref().map(|previous| undo(&self.placed, Some(previous.clone())))
    }
}

fn undo(placed: &Placed, previous: Option<Box<RawValue>>) -> Undo {
    let Projection { memory_id, version, .. } = &placed.projection;
    Undo { id: *memory_id, revision: version.revision, previous }
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

/// The answer of a write's SQL function.
#[derive(Deserialize)]
pub(super) struct Answer {
    #[serde(default)]
    created: bool,
    #[serde(default)]
    found: bool,
    conflict: Option<Conflict>,
    /// In a batch: why this one was refused.
    error: Option<Refusal>,
    memory: Option<MemoryRow>,
    previous: Option<Box<RawValue>>,
    #[serde(flatten)]
    placed: Option<Placed>,
}

impl Answer {
    /// What a store came to. `lost`: an attempt whose answer was lost went before.
    pub(super) fn stored(self, row: &StoreRow, lost: bool) -> Result<Stored> {
        self.check(row.id, None)?;
        match (self.memory, self.placed) {
            (Some(memory), Some(placed)) => {
                // Nobody else has an id that was drawn for this call: what is there is what the lost attempt wrote.
                let created = self.created || (lost && row.fresh_id);
                let restored = self.found;
                Ok(Stored { created, restored, previous: self.previous, memory: memory.into(), placed })
            }
            _ => Err(incomplete("store_memory")),
        }
    }

    fn updated(self, function: &str, id: Uuid, expected: Option<i64>) -> Result<Option<Updated>> {
        if !self.found {
            return Ok(None);
        }
        self.check(id, expected)?;
        match (self.memory, self.placed) {
            (Some(memory), Some(placed)) => {
                Ok(Some(Updated { memory: memory.into(), placed, previous: self.previous }))
            }
            _ => Err(incomplete(function)),
        }
    }

    pub(super) fn deleted(self, row: &DeleteRow) -> Result<Option<Deleted>> {
        self.check(row.id, row.expected_revision)?;
        match self.placed {
            _ if !self.found => Ok(None),
            Some(placed) => Ok(Some(Deleted { placed, previous: self.previous })),
            None => Err(incomplete("delete_memory")),
        }
    }

    fn check(&self, id: Uuid, expected: Option<i64>) -> Result<()> {
        match (&self.error, self.conflict, &self.memory) {
            (Some(refusal), ..) => Err(refusal.to_error().with("id", id.to_string())),
            (None, Some(Conflict::Revision), Some(current)) => Err(revision_conflict(id, expected, current)),
            (None, Some(conflict), _) => Err(id_conflict(id, conflict)),
            _ => Ok(()),
        }
    }
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
    #[serde(default)]
    rejected: Option<Json<Rejected>>,
    #[serde(default)]
    embedding_pieces: Option<Json<EmbeddingPieces>>,
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
            rejected: row.rejected.map(|rejected| rejected.0),
            embedding_pieces: row.embedding_pieces.map(|pieces| pieces.0),
            similarity: None,
            score: None,
            explain: None,
        }
    }
}

impl Postgres {
    /// Stores a memory, or answers the one that is there under this id.
    ///
    /// Repeated when the connection is lost, because the id makes it safe. A failure after that is `OUTCOME_UNKNOWN`:
    /// the lost attempt may have been committed.
    pub async fn store(&self, row: &StoreRow, embedding: Option<&[f32]>) -> Result<Stored> {
        let sql = Sql::new(include_str!("queries/store.sql")).bind(Json(row)).bind(embedding);
        let with_id = |error: Error| error.with("id", row.id.to_string());
        let (answer, lost) = self.repeated::<Answer>(sql).await.map_err(with_id)?;
        answer.stored(row, lost)
    }

    /// Sends a write that its ids make safe to repeat, again where the connection is lost. Answers also whether an
    /// attempt was.
    pub(super) async fn repeated<T>(&self, sql: Sql) -> Result<(T, bool)>
    where
        T: DeserializeOwned + Send + Unpin + 'static,
    {
        let mut lost = 0;
        loop {
            match self.user().scalar::<Json<T>>(Effect::Once, sql.clone()).await {
                Ok(answer) => return Ok((answer.0, lost > 0)),
                Err(error) if error.reason == Reason::OutcomeUnknown && lost < STORE_REPETITIONS => {
                    lost += 1;
                    tokio::time::sleep(REPETITION_PAUSE).await;
                }
                Err(_) if lost > 0 => return Err(outcome_unknown()),
                Err(error) => return Err(error),
            }
        }
    }

    pub async fn update(&self, row: &UpdateRow, embedding: Option<&[f32]>) -> Result<Option<Updated>> {
        let answer: Json<Answer> = self
            .user()
            .scalar(
                Effect::Once,
                Sql::new(include_str!("queries/update.sql")).bind(Json(row)).bind(embedding),
            )
            .await?;
        answer.0.updated("update_memory", row.id, row.expected_revision)
    }

    /// `None`: there was nothing of this user to delete.
    pub async fn delete(&self, row: &DeleteRow) -> Result<Option<Deleted>> {
        let answer: Json<Answer> = self
            .user()
            .scalar(Effect::Once, Sql::new(include_str!("queries/delete.sql")).bind(Json(row)))
            .await?;
        answer.0.deleted(row)
    }

    /// `None`: there was no soft-deleted memory of this user to restore.
    pub async fn restore(&self, row: &RestoreRow) -> Result<Option<Updated>> {
        let answer: Json<Answer> = self
            .user()
            .scalar(Effect::Once, Sql::new(include_str!("queries/restore.sql")).bind(Json(row)))
            .await?;
        answer.0.updated("restore_memory", row.id, None)
    }

    /// Undoes these writes. Answers those that were undone; a newer write had come for the others.
    pub async fn undo(&self, writes: &[Undo]) -> Result<HashSet<Uuid>> {
        let ids: Vec<Uuid> = writes.iter().map(|undo| undo.id).collect();
        let revisions: Vec<i64> = writes.iter().map(|undo| undo.revision).collect();
        let previous: Vec<Option<Json<&RawValue>>> =
            writes.iter().map(|undo| undo.previous.as_deref().map(Json)).collect();
        let sql = Sql::new(include_str!("queries/undo.sql")).bind(ids).bind(revisions).bind(previous);
        let rows: Vec<(Uuid, bool)> = self.user().all(Effect::Once, sql).await?;
        Ok(rows.into_iter().filter_map(|(id, undone)| undone.then_some(id)).collect())
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

    /// The user's live memories, the newest first.
    pub async fn list(&self, filter: &ListFilter<'_>, limit: i64) -> Result<Vec<Memory>> {
        let sql = Sql::new(include_str!("queries/list.sql"))
            .bind(filter.user_id)
            .bind(filter.conversation_id)
            .bind(filter.since)
            .bind(filter.until)
            .bind(filter.after.map(|(created_at, _)| created_at))
            .bind(filter.after.map(|(_, id)| id))
            .bind(limit);
        let rows: Vec<MemoryRow> = self.user().all(Effect::Repeatable, sql).await?;
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
        _ => "a memory with this id or idempotency key has other content",
    };
    Error::persistence(Reason::IdConflict, message).with("id", id.to_string())
}

fn revision_conflict(id: Uuid, expected: Option<i64>, current: &MemoryRow) -> Error {
    let message = "the memory is at another revision than expected; details.current holds it";
    Error::persistence(Reason::RevisionConflict, message)
        .with("id", id.to_string())
        .with("expected", expected)
        .with("actual", current.revision)
        // Null where metadata of other code holds what no JSON value of ours can.
        .with("current", serde_json::to_value(Memory::from(current.clone())).unwrap_or_default())
}

fn incomplete(function: &str) -> Error {
    Error::vector(
        Reason::SchemaOutdated,
        format!("izzie_memory.{function} answered in an unknown form; run migrate()"),
    )
}
