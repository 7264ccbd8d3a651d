//! What is owed to embedder and extractor: claimed with its content, paid together with what pays it.

use serde::Serialize;
use serde_json::{Map, Value};
use sqlx::types::Json;
use uuid::Uuid;

use super::connection::{Effect, Postgres};
use super::memories::Put;
use super::queue::Lease;
use super::statement::{Sql, vector_text};
use crate::error::Result;
use crate::extraction::Extraction;
use crate::model::{EmbeddingPieces, Entity, Rejected, Relationship};

/// The two kinds of debts that a model pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelTarget {
    Embedding,
    Extraction,
}

impl ModelTarget {
    /// As it stands in `memory_sync`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Embedding => "embedding",
            Self::Extraction => "extraction",
        }
    }
}

/// Which model debts to claim, of live memories only.
#[derive(Debug, Clone)]
pub struct ModelClaim<'a> {
    pub target: ModelTarget,
    /// Also those of rows that other code wrote.
    pub unasked: bool,
    /// Only what is due.
    pub due: bool,
    pub user_id: Option<&'a str>,
    pub except: &'a [Uuid],
}

/// What a model reads of a memory, and which content that was.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Content {
    pub id: Uuid,
    pub content: String,
    pub summary: Option<String>,
    #[sqlx(json)]
    pub metadata: Map<String, Value>,
    pub revision: i64,
    /// Hexadecimal.
    pub content_hash: String,
}

/// What is owed to one model, of live memories.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ModelCounts {
    /// By writes of this layer.
    pub asked: u64,
    /// By rows of other code.
    pub unasked: u64,
    pub dead: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExtractionRequest<'a> {
    id: Uuid,
    hash: &'a str,
    revision: i64,
    entities: &'a [Entity],
    relationships: &'a [Relationship],
    rejected: Option<Rejected>,
}

impl Postgres {
    /// Leases up to `limit` debts that nobody else holds. Answers the memories.
    pub async fn claim_model_debts(
        &self,
        claim: &ModelClaim<'_>,
        lease: Lease,
        limit: i64,
    ) -> Result<Vec<Uuid>> {
        let asked = if claim.unasked { vec![true, false] } else { vec![true] };
        let sql = Sql::new(include_str!("queries/claim_models.sql"))
            .bind(claim.target.name())
            .bind(asked)
            .bind(claim.due)
            .bind(claim.user_id)
            .bind(claim.except)
            .bind(lease.token)
            .bind(lease.duration_ms)
            .bind(limit);
        self.background().scalars(Effect::Repeatable, sql).await
    }

    /// What the live ones of these memories hold now.
    pub async fn contents(&self, ids: &[Uuid]) -> Result<Vec<Content>> {
        let sql = Sql::new(include_str!("queries/contents.sql")).bind(ids);
        self.background().all(Effect::Repeatable, sql).await
    }

    /// The next live memories after an id that have no vector in a space; without summary and metadata.
    pub async fn contents_without_vector(&self, space: i32, after: Uuid, limit: i32) -> Result<Vec<Content>> {
        let sql =
            Sql::new(include_str!("queries/contents_without_vector.sql")).bind(space).bind(after).bind(limit);
        self.background().all(Effect::Repeatable, sql).await
    }

    /// Writes vectors into a space, unless the contents have changed meanwhile or the space was retired. Answers the
    /// memories that have theirs now; what was owed for them is struck off in the same transaction.
    pub async fn put_vectors(
        &self,
        space: i32,
        contents: &[Content],
        vectors: Vec<Vec<f32>>,
        pieces: Vec<Option<EmbeddingPieces>>,
    ) -> Result<Vec<Uuid>> {
        let ids: Vec<Uuid> = contents.iter().map(|content| content.id).collect();
        let hashes: Vec<&str> = contents.iter().map(|content| content.content_hash.as_str()).collect();
        let vectors: Vec<String> = vectors.iter().map(|values| vector_text(values)).collect();
        let pieces: Vec<Option<Json<EmbeddingPieces>>> =
            pieces.into_iter().map(|pieces| pieces.map(Json)).collect();
        let sql = Sql::new(include_str!("queries/put_vectors.sql"))
            .bind(space)
            .bind(ids)
            .bind(hashes)
            .bind(vectors)
            .bind(pieces);
        self.background().scalar(Effect::Repeatable, sql).await
    }

    /// Strikes off the embedding debts of memories whose contents the current model has no vector for, unless they have
    /// changed meanwhile. Answers them.
    pub async fn strike_vectorless(&self, space: i32, contents: &[Content]) -> Result<Vec<Uuid>> {
        let ids: Vec<Uuid> = contents.iter().map(|content| content.id).collect();
        let hashes: Vec<&str> = contents.iter().map(|content| content.content_hash.as_str()).collect();
        let sql = Sql::new(include_str!("queries/strike_vectorless.sql")).bind(space).bind(ids).bind(hashes);
        self.background().scalar(Effect::Repeatable, sql).await
    }

    /// Strikes off the embedding debts of those of these memories that have their vector already. Answers them.
    pub async fn strike_embedded(&self, space: i32, ids: &[Uuid]) -> Result<Vec<Uuid>> {
        let sql = Sql::new(include_str!("queries/strike_embedded.sql")).bind(space).bind(ids);
        self.background().scalar(Effect::Repeatable, sql).await
    }

    /// Gives memories what was extracted from them, unless their content has changed or somebody gave them entities
    /// meanwhile. Answers those whose extraction is paid.
    pub async fn put_extractions(&self, found: &[(&Content, Extraction)], owe: Put) -> Result<Vec<Uuid>> {
        let requests: Vec<ExtractionRequest<'_>> = found
            .iter()
            .map(|(content, extraction)| ExtractionRequest {
                id: content.id,
                hash: &content.content_hash,
                revision: content.revision,
                entities: &extraction.entities,
                relationships: &extraction.relationships,
                rejected: extraction.rejected.kept(),
            })
            .collect();
        let sql = Sql::new(include_str!("queries/put_extractions.sql")).bind(Json(requests)).bind(owe.name());
        self.background().scalar(Effect::Repeatable, sql).await
    }

    /// What is owed (for a user) to embedder and extractor.
    pub async fn model_counts(&self, user_id: Option<&str>) -> Result<(ModelCounts, ModelCounts)> {
        let sql = Sql::new(include_str!("queries/model_counts.sql")).bind(user_id);
        let rows: Vec<(String, i64, i64, i64)> = self.user().all(Effect::Repeatable, sql).await?;
        let of = |target: ModelTarget| {
            let unsigned = |count: i64| u64::try_from(count).unwrap_or_default();
            rows.iter().find(|row| row.0 == target.name()).map_or_else(ModelCounts::default, |row| {
                ModelCounts { asked: unsigned(row.1), unasked: unsigned(row.2), dead: unsigned(row.3) }
            })
        };
        Ok((of(ModelTarget::Embedding), of(ModelTarget::Extraction)))
    }

    /// Live memories (of a user) without a vector in a space (`None`: the current one), save those that were given up.
    pub async fn count_without_vector(&self, space: Option<i32>, user_id: Option<&str>) -> Result<u64> {
        let sql = Sql::new(include_str!("queries/count_without_vector.sql")).bind(space).bind(user_id);
        let count: i64 = self.background().scalar(Effect::Repeatable, sql).await?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// Owes the next page of memories (of a user) after an id the vectors that they lack in the current space, to be paid
    /// by a backfill or a free model. Answers where the page ends; `None` after the last.
    pub async fn owe_missing_page(
        &self,
        user_id: Option<&str>,
        after: Option<Uuid>,
        page: i32,
    ) -> Result<Option<Uuid>> {
        let sql = Sql::new(include_str!("queries/owe_missing_page.sql")).bind(user_id).bind(after).bind(page);
        self.background().scalar(Effect::Repeatable, sql).await
    }
}
