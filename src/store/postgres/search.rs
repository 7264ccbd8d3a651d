//! Retrieval: BM25 over the full-text index, exact cosine, and their fusion, all per user in one statement.

use pgvector::Vector;
use serde::Deserialize;

use super::connection::{Effect, Postgres};
use super::memories::MemoryRow;
use super::statement::Sql;
use crate::error::Result;
use crate::model::Memory;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SearchMode {
    #[default]
    Hybrid,
    Vector,
    Text,
}

/// Okapi BM25 (Robertson & Zaragoza, 2009): term saturation and length normalisation.
const K1: f64 = 1.2;
const B: f64 = 0.75;
/// The share of the vector side in a fused score. Measured on conversations, windowed BM25 with about a third of
/// normalised dense scores beat both alone and rank fusion.
const VECTOR_WEIGHT: f64 = 0.35;
/// How many results each side offers to the fusion, at least and per result asked for.
const MIN_CANDIDATES: i64 = 100;
const CANDIDATES_PER_RESULT: i64 = 5;

#[derive(Debug, Clone)]
pub struct SearchQuery<'a> {
    pub user_id: &'a str,
    pub text: &'a str,
    pub mode: SearchMode,
    pub vector: Option<(i32, &'a [f32])>,
    pub threshold: Option<f64>,
    pub conversation_id: Option<&'a str>,
    pub min_importance: Option<i32>,
    pub limit: i64,
}

#[derive(sqlx::FromRow)]
struct HitRow {
    #[sqlx(flatten)]
    memory: MemoryRow,
    similarity: Option<f64>,
    score: f64,
}

impl From<HitRow> for Memory {
    fn from(row: HitRow) -> Self {
        Self { similarity: row.similarity, score: Some(row.score), ..row.memory.into() }
    }
}

impl Postgres {
    /// The best memories of the user, best first. Fewer than `limit` only when fewer pass the filters.
    pub async fn search(&self, query: &SearchQuery<'_>) -> Result<Vec<Memory>> {
        let space = query.vector.map(|(space, _)| space);
        let vector = query.vector.map(|(_, values)| Vector::from(values.to_vec()));
        let (with_text, weight) = match (query.mode, vector.is_some()) {
            (SearchMode::Vector, _) => (false, 1.0),
            (SearchMode::Hybrid, true) => (true, VECTOR_WEIGHT),
            (SearchMode::Text, _) | (SearchMode::Hybrid, false) => (true, 0.0),
        };
        let vector = if query.mode == SearchMode::Text { None } else { vector };
        let candidates = MIN_CANDIDATES.max(query.limit.saturating_mul(CANDIDATES_PER_RESULT));
        let rows: Vec<HitRow> = self
            .user()
            .all(
                Effect::Repeatable,
                Sql::new(include_str!("queries/search.sql"))
                    .bind(query.user_id)
                    .bind(query.text)
                    .bind(with_text)
                    .bind(&vector)
                    .bind(space)
                    .bind(query.threshold)
                    .bind(query.conversation_id)
                    .bind(query.min_importance)
                    .bind(query.limit)
                    .bind(candidates)
                    .bind(weight)
                    .bind(K1)
                    .bind(B),
            )
            .await?;
        Ok(rows.into_iter().map(Memory::from).collect())
    }
}
