//! What ranking reads of a user, in one statement.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use sqlx::types::Json;
use uuid::Uuid;

use super::connection::{Effect, Postgres};
use super::statement::Sql;
use crate::error::Result;
use crate::retrieval::{Candidate, Corpus, Hit, Term, frequency_of_rank};

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
    /// For each entity wanted a list of alternatives, each what the memory's entities contain then.
    pub entities: Option<Vec<Value>>,
}

#[derive(Debug)]
pub struct CorpusQuery<'a> {
    pub user_id: &'a str,
    /// None where words do not matter.
    pub text: Option<&'a str>,
    /// What is asked in a long text.
    pub focus: Option<&'a str>,
    /// The words of dates, which the text is without.
    pub dates: &'a str,
    /// What in the question may be an entity's name, in normal form.
    pub names: &'a [String],
    /// The question's vector and its space.
    pub vector: Option<(i32, &'a [f32])>,
    pub filters: &'a Filters,
}

/// So many words of a question are looked for. Of a longer one those that the fewest memories have, for they tell most.
const MOST_WORDS: i64 = 100;

/// Columns: arrays of one length for the memories, the similarities, the hits and the mentions.
#[derive(sqlx::FromRow)]
struct Columns {
    ids: Vec<Uuid>,
    conversations: Vec<Option<i64>>,
    created_at: Vec<f64>,
    arrivals: Vec<i64>,
    lengths: Vec<i32>,
    asks: Vec<bool>,
    importances: Vec<i32>,
    allowed: Vec<bool>,
    similar_ids: Vec<Uuid>,
    similarities: Vec<f64>,
    hit_words: Vec<i32>,
    hit_ids: Vec<Uuid>,
    hit_in_focus: Vec<bool>,
    hit_is_date: Vec<bool>,
    hit_ranks: Vec<f32>,
    hit_speakers: Vec<bool>,
    names: Vec<String>,
    name_ids: Vec<Uuid>,
}

impl Postgres {
    /// All live memories of the user with what is known of the question in each.
    pub async fn corpus(&self, query: &CorpusQuery<'_>) -> Result<Corpus> {
        let filters = query.filters;
        let names: Map<String, Value> = query.names.iter().map(|name| (name.clone(), Value::Null)).collect();
        let sql = Sql::new(include_str!("queries/corpus.sql"))
            .bind(query.user_id)
            .bind(query.text.unwrap_or_default())
            .bind(query.text.is_some())
            .bind(query.vector.map(|(_, values)| values))
            .bind(query.vector.map(|(space, _)| space))
            .bind(&filters.conversation_id)
            .bind(filters.min_importance)
            .bind(filters.since)
            .bind(filters.until)
            .bind(filters.metadata.as_ref().map(Json))
            .bind(filters.entities.as_ref().map(Json))
            .bind(Json(names))
            .bind(MOST_WORDS)
            .bind(query.focus.unwrap_or_default())
            .bind(query.dates);
        let columns: Columns = self.user().one(Effect::Repeatable, sql).await?;
        Ok(columns.into())
    }
}

impl From<Columns> for Corpus {
    fn from(columns: Columns) -> Self {
        let index_of: HashMap<Uuid, usize> = columns.ids.iter().copied().zip(0..).collect();
        let mut candidates: Vec<_> = (0..columns.ids.len()).map(|index| columns.candidate(index)).collect();
        for (id, &similarity) in columns.similar_ids.iter().zip(&columns.similarities) {
            // A deleted memory may still have a vector.
            if let Some(&index) = index_of.get(id) {
                candidates[index].similarity = Some(similarity);
            }
        }
        let mut terms: BTreeMap<i32, Term> = BTreeMap::new();
        for (place, word) in columns.hit_words.iter().enumerate() {
            if let Some(&candidate) = index_of.get(&columns.hit_ids[place]) {
                let term = terms.entry(*word).or_insert_with(|| columns.term(place));
                term.hits.push(columns.hit(place, candidate));
            }
        }
        let mut names: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (name, id) in columns.names.iter().zip(&columns.name_ids) {
            names.entry(name).or_default().extend(index_of.get(id));
        }
        // In the order of the keys: sums of floating-point numbers depend on it.
        Self::new(candidates, terms.into_values().collect(), names.into_values().collect())
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
            similarity: None,
            allowed: self.allowed[index],
        }
    }

    fn term(&self, place: usize) -> Term {
        Term { in_focus: self.hit_in_focus[place], is_date: self.hit_is_date[place], hits: Vec::new() }
    }

    fn hit(&self, place: usize, candidate: usize) -> Hit {
        let frequency = frequency_of_rank(self.hit_ranks[place]);
        Hit { candidate, frequency, names_speaker: self.hit_speakers[place] }
    }
}
