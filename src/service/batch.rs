//! Writes of many memories: one statement to Postgres and one transaction of the graph for a chunk.

use std::collections::HashSet;
use std::time::Instant;

use futures::StreamExt;
use futures::stream::iter;
use serde::Serialize;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::draft::Draft;
use super::graph_write::{PlacedWrite, owe};
use super::layer::{Layer, until_aborted};
use super::memory::Prepared;
use super::request::{DeleteManyArgs, StoreManyArgs, StoreManyItem};
use super::validate;
use crate::config::PersistenceConfig;
use crate::error::{Error, Reason, Result};
use crate::model::{Memory, Write};
use crate::store::postgres::{DeleteRow, StoreRow};
use crate::sync::Embedding;

/// Memories of a chunk whose entities are extracted at once.
const EXTRACTIONS: usize = 8;

#[derive(Serialize)]
pub(super) struct StoreManyAnswer {
    /// In the order of the items.
    results: Vec<ItemResult>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum ItemResult {
    Stored { memory: Box<Memory>, write: Write },
    Failed { error: Value },
}

#[derive(Serialize)]
pub(super) struct DeleteManyAnswer {
    deleted: Vec<Uuid>,
    failed: Vec<FailedDelete>,
}

#[derive(Serialize)]
struct FailedDelete {
    id: Uuid,
    error: Value,
}

impl Layer {
    /// Stores a chunk. An item that is refused is an error of its own.
    pub(super) async fn store_many(
        &self,
        args: StoreManyArgs,
        embeddings: Vec<f32>,
        config: &PersistenceConfig,
        cancel: &CancellationToken,
    ) -> Result<StoreManyAnswer> {
        let begun = Instant::now();
        self.check_batch("items", args.items.len())?;
        let reader = self.reader();
        let mut chunk = Chunk::default();
        for (item, embedding) in with_embeddings(args.items, &embeddings)? {
            chunk.add(Draft::of_item(&item, embedding, &reader));
        }
        until_aborted(cancel, self.ready()).await?;
        until_aborted(cancel, self.prepare_chunk(&mut chunk, config)).await?;
        if !chunk.rows.is_empty() {
            self.write_chunk(&mut chunk, config, begun).await?;
        }
        Ok(StoreManyAnswer { results: chunk.results.into_iter().flatten().collect() })
    }

    pub(super) fn check_batch(&self, field: &str, length: usize) -> Result<()> {
        let limit = self.config.limits.batch;
        if length <= limit {
            return Ok(());
        }
        let problem = format!("an array of {length} is over the limit of {limit}");
        Err(Error::invalid(field, problem).with("limit", limit).with("length", length))
    }

    /// Embeds and extracts side by side, the texts in one call of the embedder.
    async fn prepare_chunk(&self, chunk: &mut Chunk, config: &PersistenceConfig) -> Result<()> {
        let mut drafts = std::mem::take(&mut chunk.drafts);
        let mut given = Vec::with_capacity(drafts.len());
        for (_, draft) in &mut drafts {
            self.count_rejected(draft.given.as_ref());
            given.push((draft.embedding.take(), draft.given.take()));
        }
        let (brought, stated): (Vec<_>, Vec<_>) = given.into_iter().unzip();
        let extractions: Vec<_> = drafts
            .iter()
            .zip(stated)
            .map(|((_, draft), stated)| async move {
                self.extraction(&draft.input(), stated, draft.wanted(config)).await
            })
            .collect();
        let extractions = iter(extractions).buffered(EXTRACTIONS).collect::<Vec<_>>();
        let (embeddings, extractions) = tokio::join!(self.embeddings(&drafts, brought, config), extractions);
        for (((place, draft), embedding), extraction) in drafts.into_iter().zip(embeddings?).zip(extractions)
        {
            match embedding {
                Ok(embedding) => chunk.prepared(place, draft, Prepared { embedding, extraction }, config),
                Err(error) => chunk.fail(place, &error),
            }
        }
        Ok(())
    }

    async fn embeddings(
        &self,
        drafts: &[(usize, Draft)],
        brought: Vec<Option<Vec<f32>>>,
        config: &PersistenceConfig,
    ) -> Result<Vec<Result<Embedding>>> {
        let to_make = |draft: &Draft| {
            let wanted = draft.wanted(config);
            wanted.embed && !wanted.defer
        };
        let mut texts = Vec::new();
        for ((_, draft), brought) in drafts.iter().zip(&brought) {
            if brought.is_none() && to_make(draft) {
                texts.push(draft.content().to_owned());
            }
        }
        let mut made = self.models.made_many(&texts).await?.into_iter();
        let mut embeddings = Vec::with_capacity(drafts.len());
        for ((_, draft), brought) in drafts.iter().zip(brought) {
            embeddings.push(match brought {
                _ if !config.enable_vector_store => Ok(Embedding::default()),
                Some(values) => self.models.given(values).await,
                None if to_make(draft) => Ok(made.next().unwrap_or_default()),
                None => Ok(Embedding::owed()),
            });
        }
        Ok(embeddings)
    }

    /// From here on an abort comes too late: the statement may commit, so its outcome is told.
    async fn write_chunk(&self, chunk: &mut Chunk, config: &PersistenceConfig, begun: Instant) -> Result<()> {
        fail::fail_point!("before_commit");
        let vectors: Vec<Option<&[f32]>> = chunk.vectors.iter().map(Option::as_deref).collect();
        let stored = self.stores.postgres.store_many(&chunk.rows, &vectors).await?;
        fail::fail_point!("after_commit");
        let (mut kept, mut writes) = (Vec::new(), Vec::new());
        let rows = std::mem::take(&mut chunk.rows);
        let places = std::mem::take(&mut chunk.places);
        for ((place, row), stored) in places.into_iter().zip(rows).zip(stored) {
            match stored {
                Ok(stored) => {
                    let undo = stored.undo();
                    writes.push(PlacedWrite { placed: stored.placed, undo, put: row.owe });
                    kept.push((place, (stored.created, stored.restored), stored.memory));
                }
                Err(error) => chunk.fail(place, &error),
            }
        }
        let outcomes = self.finish_many(writes, config).await?;
        for ((place, (created, restored), memory), outcome) in kept.into_iter().zip(outcomes) {
            match outcome {
                Ok(graph) => {
                    let write = graph.into_write(created, begun).with_restored(restored);
                    chunk.results[place] = Some(ItemResult::Stored { memory: Box::new(memory), write });
                }
                Err(error) => chunk.fail(place, &error),
            }
        }
        Ok(())
    }

    /// Deletes memories in one statement. Ids that name no memory of the user are in neither list.
    pub(super) async fn delete_many(
        &self,
        args: DeleteManyArgs,
        config: &PersistenceConfig,
        cancel: &CancellationToken,
    ) -> Result<DeleteManyAnswer> {
        validate::optional_user_id(args.user_id.as_deref())?;
        self.check_batch("ids", args.ids.len())?;
        until_aborted(cancel, self.ready()).await?;
        let mut seen = HashSet::new();
        let ids = args.ids.iter().filter_map(|id| validate::parse_id(id)).filter(|id| seen.insert(*id));
        let row = |id| DeleteRow {
            id,
            user_id: args.user_id.clone(),
            hard: args.hard.unwrap_or(false),
            detached: !args.cascade_graph.unwrap_or(true),
            owe: owe(config, false),
            expected_revision: None,
            undo: config.rollback_on_partial_failure,
        };
        let rows: Vec<DeleteRow> = ids.map(row).collect();
        if rows.is_empty() {
            return Ok(DeleteManyAnswer { deleted: Vec::new(), failed: Vec::new() });
        }
        self.delete_rows(&rows, config).await
    }

    async fn delete_rows(&self, rows: &[DeleteRow], config: &PersistenceConfig) -> Result<DeleteManyAnswer> {
        let (mut ids, mut writes, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for (row, deleted) in rows.iter().zip(self.stores.postgres.delete_many(rows).await?) {
            match deleted {
                Ok(Some(deleted)) => {
                    ids.push(row.id);
                    let undo = deleted.undo();
                    writes.push(PlacedWrite { placed: deleted.placed, undo, put: row.owe });
                }
                Ok(None) => {}
                Err(error) => failed.push(FailedDelete { id: row.id, error: error.envelope() }),
            }
        }
        let mut deleted = Vec::with_capacity(ids.len());
        let mut is_applied = false;
        for (id, outcome) in ids.into_iter().zip(self.finish_many(writes, config).await?) {
            match outcome {
                Ok(graph) => {
                    is_applied |= graph.is_applied();
                    deleted.push(id);
                }
                Err(error) => failed.push(FailedDelete { id, error: error.envelope() }),
            }
        }
        if is_applied && rows.iter().any(|row| row.hard) {
            self.forget_names(config).await;
        }
        Ok(DeleteManyAnswer { deleted, failed })
    }
}

/// A chunk on its way: every item is a draft, then a row, then a result, or fails in between.
#[derive(Default)]
struct Chunk {
    /// Sound items with their places.
    drafts: Vec<(usize, Draft)>,
    rows: Vec<StoreRow>,
    /// For each row its place among the items, and its vector.
    places: Vec<usize>,
    vectors: Vec<Option<Vec<f32>>>,
    results: Vec<Option<ItemResult>>,
}

impl Chunk {
    fn add(&mut self, draft: Result<Draft>) {
        let place = self.results.len();
        self.results.push(None);
        match draft {
            Ok(draft) => self.drafts.push((place, draft)),
            Err(error) => self.fail(place, &error),
        }
    }

    fn prepared(&mut self, place: usize, draft: Draft, prepared: Prepared, config: &PersistenceConfig) {
        let (row, vector) = draft.into_row(prepared, config);
        self.rows.push(row);
        self.vectors.push(vector);
        self.places.push(place);
    }

    fn fail(&mut self, place: usize, error: &Error) {
        self.results[place] = Some(ItemResult::Failed { error: error.envelope() });
    }
}

/// Cuts the embeddings that crossed the boundary one behind the other.
fn with_embeddings(
    items: Vec<StoreManyItem>,
    mut embeddings: &[f32],
) -> Result<Vec<(StoreManyItem, Option<Vec<f32>>)>> {
    let wrong = || Error::persistence(Reason::Internal, "the embeddings of a batch do not fit its items");
    let mut cut = Vec::with_capacity(items.len());
    for item in items {
        let (own, rest) = embeddings.split_at_checked(item.embedding_length).ok_or_else(wrong)?;
        embeddings = rest;
        cut.push((item, (!own.is_empty()).then(|| own.to_vec())));
    }
    if embeddings.is_empty() { Ok(cut) } else { Err(wrong()) }
}
