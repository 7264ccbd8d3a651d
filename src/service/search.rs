//! Retrieval: reads what ranking needs, ranks, reads the best rows.

use chrono::Utc;
use serde_json::{Value, json};
use uuid::Uuid;

use super::layer::Layer;
use super::queue::Page;
use super::request::{EntityFilter, RetrieveArgs};
use super::validate;
use crate::config::Limits;
use crate::error::{Error, Reason, Result};
use crate::extraction::normalize;
use crate::model::{EntityType, Memory};
use crate::retrieval::{Question, Ranked, SearchMode, rank};
use crate::store::postgres::{CorpusQuery, Filters};
use crate::sync::can_wait;

const DEFAULT_RESULTS: i64 = 10;

impl Layer {
    pub(super) async fn retrieve(&self, args: RetrieveArgs) -> Result<Vec<Memory>> {
        if args.cursor.is_some() {
            return Err(Error::invalid("options.cursor", "is not an option here"));
        }
        Ok(self.search(args).await?.items)
    }

    /// The best memories of the user, best first. Fewer than `limit` only when fewer are results.
    pub(super) async fn search(&self, args: RetrieveArgs) -> Result<Page<Memory>> {
        validate::user_id(&args.user_id)?;
        validate::query(&args.query, &self.config.limits)?;
        validate::threshold(args.threshold)?;
        let limit = validate::limit(args.limit, DEFAULT_RESULTS)?;
        let cursor = args.cursor.as_deref().map(Cursor::parse).transpose()?;
        let (explain, mode) = (args.explain.unwrap_or(false), args.mode.unwrap_or_default());
        let now = cursor.as_ref().map_or_else(|| Utc::now().timestamp_micros(), |cursor| cursor.now);
        let (user_id, query, threshold) = (args.user_id.clone(), args.query.clone(), args.threshold);
        let filters = filters(args, &self.config.limits)?;
        self.stores.ready().await?;
        let vector = self.query_vector(mode, &query).await?;
        let corpus = CorpusQuery {
            user_id: &user_id,
            text: (mode != SearchMode::Vector).then_some(query.as_str()),
            vector: vector.as_ref().map(|(space, values)| (*space, values.as_slice())),
            filters: &filters,
        };
        let corpus = self.stores.postgres.corpus(&corpus).await?;
        let ranked = rank(&corpus, &Question { mode, threshold, now: seconds(now) });
        let rest = cursor.map_or(0, |cursor| cursor.place(&ranked));
        self.page(&user_id, &ranked[rest..], limit, now, explain).await
    }

    /// The rows of the first of these results. Memories that were deleted in the meantime make room for the next.
    async fn page(
        &self,
        user_id: &str,
        ranked: &[Ranked],
        limit: i64,
        now: i64,
        explain: bool,
    ) -> Result<Page<Memory>> {
        let limit = usize::try_from(limit).unwrap_or_default();
        let (mut items, mut taken) = (Vec::new(), 0);
        while items.len() < limit && taken < ranked.len() {
            let next = &ranked[taken..ranked.len().min(taken + limit - items.len())];
            taken += next.len();
            items.extend(self.rows(user_id, next, explain).await?);
        }
        let last = ranked[..taken].last().filter(|_| taken < ranked.len());
        let next_cursor = last.map(|last| Cursor { now, score: last.score, id: last.id }.to_string());
        Ok(Page::new(items, next_cursor))
    }

    async fn rows(&self, user_id: &str, ranked: &[Ranked], explain: bool) -> Result<Vec<Memory>> {
        let ids: Vec<Uuid> = ranked.iter().map(|result| result.id).collect();
        let rows = self.stores.postgres.get_many(&ids, Some(user_id)).await?;
        let mut results = ranked.iter();
        Ok(rows
            .into_iter()
            .filter_map(|memory| {
                let result = results.find(|result| result.id == memory.id)?;
                let explain = explain.then_some(result.parts);
                Some(Memory { similarity: result.similarity, score: Some(result.score), explain, ..memory })
            })
            .collect())
    }

    /// Without an embedder that works, hybrid search does without; only `vector` has nothing to fall back to.
    async fn query_vector(&self, mode: SearchMode, text: &str) -> Result<Option<(i32, Vec<f32>)>> {
        if mode == SearchMode::Text {
            return Ok(None);
        }
        match self.models.query(text).await {
            Ok(vector) => Ok(vector),
            Err(error) if mode == SearchMode::Hybrid && can_wait(&error) => {
                if error.reason == Reason::EmbeddingFailed {
                    log::warn!("search is lexical: {error}");
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

fn filters(args: RetrieveArgs, limits: &Limits) -> Result<Filters> {
    validate::period(args.since.as_ref(), args.until.as_ref())?;
    if let Some(metadata) = &args.metadata {
        validate::metadata("metadata", metadata, limits)?;
    }
    Ok(Filters {
        conversation_id: validate::conversation_filter(args.conversation_id)?,
        min_importance: args.min_importance,
        since: args.since,
        until: args.until,
        metadata: args.metadata,
        entities: args.entities.map(|entities| entity_filter(&entities, limits)).transpose()?,
    })
}

/// What a memory's entities contain: of any type where none is named, normalised as that type is.
fn entity_filter(entities: &[EntityFilter], limits: &Limits) -> Result<Vec<Value>> {
    validate::entity_filters(entities, limits)?;
    Ok(entities
        .iter()
        .map(|EntityFilter { kind, value }| match kind {
            Some(kind) => json!({ "type": kind, "normalized": normalize(*kind, value) }),
            None => json!({ "normalized": normalize(EntityType::Topic, value) }),
        })
        .collect())
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of our time are far below 2^53")]
fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

/// Where a page ended: the last result, and the time that the first page took for now, so that scores stay what they
/// were.
struct Cursor {
    now: i64,
    score: f64,
    id: Uuid,
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{:x}/{}", self.now, self.score.to_bits(), self.id)
    }
}

impl Cursor {
    fn parse(text: &str) -> Result<Self> {
        let parse = || {
            let mut parts = text.split('/');
            let cursor = Self {
                now: parts.next()?.parse().ok()?,
                score: f64::from_bits(u64::from_str_radix(parts.next()?, 16).ok()?),
                id: Uuid::try_parse(parts.next()?).ok()?,
            };
            parts.next().is_none().then_some(cursor)
        };
        parse().ok_or_else(|| Error::invalid("cursor", "the string is no cursor of this search"))
    }

    /// How many results lie before it: up to the last one, or where its score would be if it is gone.
    fn place(&self, ranked: &[Ranked]) -> usize {
        match ranked.iter().position(|result| result.id == self.id) {
            Some(last) => last + 1,
            None => ranked.partition_point(|result| result.score >= self.score),
        }
    }
}
