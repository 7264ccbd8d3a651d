//! Retrieval: reads what ranking needs, ranks, reads the best rows.

use std::mem::take;

use chrono::{DateTime, Utc};
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
use crate::retrieval::{
    Period, Question, Ranked, SearchMode, Times, focus, has_content, possible_names, rank,
};
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
        let search = Search::check(args, &self.config.limits)?;
        self.stores.ready().await?;
        let ranked = self.ranked(&search).await?;
        self.page(&search, &ranked).await
    }

    /// All results.
    async fn ranked(&self, search: &Search) -> Result<Vec<Ranked>> {
        let asked = Asked::of(search);
        let is_bare = asked.only_time && !asked.words.contains(char::is_alphanumeric);
        let found = self.ranked_by(search, asked).await?;
        // "Yesterday" may be the song.
        if found.is_empty() && is_bare {
            return self.ranked_by(search, Asked::literally(&search.query)).await;
        }
        Ok(found)
    }

    async fn ranked_by(&self, search: &Search, asked: Asked) -> Result<Vec<Ranked>> {
        let Search { mode, threshold, now, .. } = *search;
        let vector = if asked.only_time { None } else { self.query_vector(mode, asked.meaning()).await? };
        let names = if mode == SearchMode::Hybrid { possible_names(&asked.words) } else { Vec::new() };
        let corpus = CorpusQuery {
            user_id: &search.user_id,
            text: (mode != SearchMode::Vector).then_some(if asked.only_time { "" } else { &asked.words }),
            focus: asked.focus.as_deref(),
            dates: &asked.dates,
            names: &names,
            vector: vector.as_ref().map(|(space, values)| (*space, values.as_slice())),
            filters: &search.filters,
        };
        let corpus = self.stores.postgres.corpus(&corpus).await?;
        let Asked { periods, only_time, .. } = asked;
        Ok(rank(&corpus, &Question { mode, threshold, now: seconds(now), periods, only_time }))
    }

    /// The rows of the results of one page. Memories that were deleted in the meantime make room for the next.
    async fn page(&self, search: &Search, ranked: &[Ranked]) -> Result<Page<Memory>> {
        let mut given = search.cursor.as_ref().map_or(0, |cursor| cursor.place(ranked));
        let mut items = Vec::new();
        while items.len() < search.limit && given < ranked.len() {
            let next = &ranked[given..ranked.len().min(given + search.limit - items.len())];
            given += next.len();
            items.extend(self.rows(&search.user_id, next, search.explain).await?);
        }
        let last = ranked[..given].last().filter(|_| given < ranked.len());
        let next_cursor = last.map(|last| Cursor { now: search.now, given, last: last.id }.to_string());
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

/// What a query asks for.
struct Asked {
    /// The query without its times; in `vector` the whole.
    words: String,
    /// The words of its dates.
    dates: String,
    whole: String,
    /// The question within a long query, without its times.
    focus: Option<String>,
    periods: Vec<Period>,
    /// Nothing is left but times.
    only_time: bool,
}

impl Asked {
    fn of(search: &Search) -> Self {
        let Search { mode, query, now, .. } = search;
        if *mode == SearchMode::Vector {
            return Self::literally(query);
        }
        let whole = Times::of(query, *now);
        let (words, dates) = (whole.rest(query), whole.dates(query));
        let Some(question) = focus(query) else {
            let only_time = !whole.periods.is_empty() && !has_content(&words);
            return Self {
                words,
                dates,
                whole: query.clone(),
                focus: None,
                periods: whole.periods,
                only_time,
            };
        };
        let within = Times::of(&question, *now);
        let rest = within.rest(&question);
        // A question without words of its own ("What do I know of it?") asks for the text.
        let focus = has_content(&rest).then_some(rest);
        let periods = if within.periods.is_empty() { whole.periods } else { within.periods };
        Self { words, dates, whole: query.clone(), focus, periods, only_time: false }
    }

    /// With no time in it.
    fn literally(query: &str) -> Self {
        Self {
            words: query.to_owned(),
            whole: query.to_owned(),
            dates: String::new(),
            focus: None,
            periods: Vec::new(),
            only_time: false,
        }
    }

    /// What a vector is made of.
    fn meaning(&self) -> &str {
        self.focus.as_deref().unwrap_or(&self.whole)
    }
}

/// A search whose arguments are in order.
struct Search {
    user_id: String,
    query: String,
    mode: SearchMode,
    threshold: Option<f64>,
    filters: Filters,
    limit: usize,
    explain: bool,
    now: DateTime<Utc>,
    cursor: Option<Cursor>,
}

impl Search {
    fn check(mut args: RetrieveArgs, limits: &Limits) -> Result<Self> {
        validate::user_id(&args.user_id)?;
        validate::query(&args.query, limits)?;
        validate::threshold(args.threshold)?;
        let limit = validate::limit(args.limit, DEFAULT_RESULTS)?;
        let cursor = args.cursor.as_deref().map(Cursor::parse).transpose()?;
        Ok(Self {
            user_id: take(&mut args.user_id),
            query: take(&mut args.query),
            mode: args.mode.unwrap_or_default(),
            threshold: args.threshold,
            limit: usize::try_from(limit).unwrap_or_default(),
            explain: args.explain.unwrap_or(false),
            now: cursor.as_ref().map_or_else(Utc::now, |cursor| cursor.now),
            cursor,
            filters: filters(args, limits)?,
        })
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

/// For each entity wanted, what a memory's entities contain then: `[{type, normalized}]`, one for each type it may have.
fn entity_filter(entities: &[EntityFilter], limits: &Limits) -> Result<Vec<Value>> {
    validate::entity_filters(entities, limits)?;
    let wanted = |EntityFilter { kind, value }: &EntityFilter| {
        let kinds = kind.as_ref().map_or(EntityType::ALL.as_slice(), std::slice::from_ref);
        kinds.iter().map(|kind| json!([{ "type": kind, "normalized": normalize(*kind, value) }])).collect()
    };
    Ok(entities.iter().map(wanted).collect())
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of our time are far below 2^53")]
fn seconds(moment: DateTime<Utc>) -> f64 {
    moment.timestamp_micros() as f64 / 1e6
}

/// Where a page ended: how many results there were up to its end, the last of them, and the time that the first page
/// took for now, so that scores stay what they were.
struct Cursor {
    now: DateTime<Utc>,
    given: usize,
    last: Uuid,
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}", self.now.timestamp_micros(), self.given, self.last)
    }
}

impl Cursor {
    fn parse(text: &str) -> Result<Self> {
        let parse = || {
            let mut parts = text.split('/');
            let cursor = Self {
                now: DateTime::from_timestamp_micros(parts.next()?.parse().ok()?)?,
                given: parts.next()?.parse().ok()?,
                last: Uuid::try_parse(parts.next()?).ok()?,
            };
            parts.next().is_none().then_some(cursor)
        };
        parse().ok_or_else(|| Error::invalid("cursor", "the string is no cursor of this search"))
    }

    /// How many results lie before the next page. A last result that is gone has made room for one.
    fn place(&self, ranked: &[Ranked]) -> usize {
        match ranked.iter().position(|result| result.id == self.last) {
            Some(last) => last + 1,
            None => self.given.saturating_sub(1).min(ranked.len()),
        }
    }
}
