use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{Entity, Rejected, Relationship};

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
    /// What was left out of both when they were given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected: Option<Rejected>,
    /// How its content was embedded, where it was too long for the embedder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub embedding_pieces: Option<EmbeddingPieces>,
    /// Cosine similarity, only where one was computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub similarity: Option<f64>,
    /// What the results of a search are ordered by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// What the score is the sum of, only where the caller asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explain: Option<ScoreParts>,
}

/// How a text was embedded that was too long for the embedder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmbeddingPieces {
    pub count: usize,
    /// Bytes that were read; fewer than the text has where it was cut off.
    pub bytes: usize,
}

/// The parts of a result's score; a part that the mode does not look at is 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScoreParts {
    /// BM25 of the question's words: in `text` as it is, in `hybrid` with the neighbours' words, compared with the best.
    pub words: f64,
    /// The question names the speaker.
    pub speaker: f64,
    /// Cosine: in `vector` as it is, in `hybrid` between the user's least and most similar memory, weighted.
    pub similarity: f64,
    /// It mentions an entity that the question names.
    pub entities: f64,
    /// It was made when the question asks about.
    pub time: f64,
    /// How much is said.
    pub substance: f64,
    /// It does not end with a question.
    pub statement: f64,
    pub importance: f64,
    pub recency: f64,
}

impl ScoreParts {
    pub fn sum(&self) -> f64 {
        let Self { words, speaker, similarity, entities, time, substance, statement, importance, recency } =
            self;
        words + speaker + similarity + entities + time + substance + statement + importance + recency
    }
}

/// How a write went in both stores.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Write {
    /// False when the id was there already and nothing was written.
    pub created: bool,
    /// Whether it brought back what was there and marked deleted.
    pub restored: bool,
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

impl Write {
    #[must_use]
    pub fn with_restored(self, restored: bool) -> Self {
        Self { restored, ..self }
    }
}
