//! What ranking reads of a user, in one statement.

use chrono::{DateTime, Utc};
use pgvector::Vector;
use serde_json::{Map, Value};
use sqlx::types::Json;
use uuid::Uuid;

use super::connection::{Effect, Postgres};
use super::statement::Sql;
use crate::error::Result;
use crate::retrieval::{Candidate, Corpus, Hit, frequency_of_rank};

/// Which memories may be results.
#[derive(Debug, Clone, Default)]
pub struct Filters {
    pub conversation_id: Option<String>,
    pub min_importance: Option<i32>,
    /// Not before.
    pub since: Option<DateTime<Utc>>,
    /// Before.
    pub until: Option<DateTime<Utc>>,
    /// What the metadata contains.
    pub metadata: Option<Map<String, Value>>,
    /// What the entities contain: `[{type?, normalized}]`.
    pub entities: Option<Vec<Value>>,
}

#[derive(Debug)]
pub struct CorpusQuery<'a> {
    pub user_id: &'a str,
    /// None where words do not matter.
    pub text: Option<&'a str>,
    /// The question's vector and its space.
    pub vector: Option<(i32, &'a [f32])>,
    pub filters: &'a Filters,
}

/// Columns: one array each, as sent.
#[derive(sqlx::FromRow)]
struct Columns {
    places: Vec<i32>,
    ids: Vec<Uuid>,
    conversations: Vec<Option<i64>>,
    created_at: Vec<f64>,
    arrivals: Vec<i64>,
    lengths: Vec<i32>,
    asks: Vec<bool>,
    importances: Vec<i32>,
    allowed: Vec<bool>,
    similarities: Vec<Option<f32>>,
    hit_words: Vec<i32>,
    hit_places: Vec<i32>,
    hit_ranks: Vec<f32>,
    hit_speakers: Vec<bool>,
}

impl Postgres {
    /// All live memories of the user with what is known of the question in each.
    pub async fn corpus(&self, query: &CorpusQuery<'_>) -> Result<Corpus> {
        let filters = query.filters;
        let sql = Sql::new(include_str!("queries/corpus.sql"))
            .bind(query.user_id)
            .bind(query.text.unwrap_or_default())
            .bind(query.text.is_some())
            .bind(query.vector.map(|(_, values)| Vector::from(values.to_vec())))
            .bind(query.vector.map(|(space, _)| space))
            .bind(&filters.conversation_id)
            .bind(filters.min_importance)
            .bind(filters.since)
            .bind(filters.until)
            .bind(filters.metadata.as_ref().map(Json))
            .bind(filters.entities.as_ref().map(Json));
        let columns: Columns = self.user().one(Effect::Repeatable, sql).await?;
        Ok(columns.into())
    }
}

impl From<Columns> for Corpus {
    fn from(columns: Columns) -> Self {
        let mut index_of = vec![0; columns.places.len()];
        for (index, &place) in columns.places.iter().enumerate() {
            index_of[number(place)] = index;
        }
        let words = columns.hit_words.iter().copied().max().map_or(0, number);
        let mut terms = vec![Vec::new(); words];
        for (hit, &word) in columns.hit_words.iter().enumerate() {
            terms[number(word) - 1].push(Hit {
                candidate: index_of[number(columns.hit_places[hit])],
                frequency: frequency_of_rank(columns.hit_ranks[hit]),
                names_speaker: columns.hit_speakers[hit],
            });
        }
        Self::new((0..columns.ids.len()).map(|index| columns.candidate(index)).collect(), terms)
    }
}

impl Columns {
    fn candidate(&self, index: usize) -> Candidate {
        Candidate {
            id: self.ids[index],
            conversation: self.conversations[index],
            created_at: self.created_at[index],
            arrival: self.arrivals[index],
            length: f64::from(self.lengths[index]),
            asks: self.asks[index],
            importance: self.importances[index],
            similarity: self.similarities[index].map(f64::from),
            allowed: self.allowed[index],
        }
    }
}

/// A count or place, which Postgres never gives below 0.
fn number(value: i32) -> usize {
    usize::try_from(value).unwrap_or_default()
}
