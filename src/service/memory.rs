//! Writes: validate, embed and extract, one statement; then the graph's half (`graph_write`).

use std::time::Instant;

use serde_json::Value;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::draft::Draft;
use super::graph_write::{GraphOutcome, owe};
use super::layer::{Layer, until_aborted};
use super::request::{DeleteArgs, GetByIdArgs, StoreArgs, UpdateArgs};
use super::validate;
use crate::config::PersistenceConfig;
use crate::error::{Error, Result};
use crate::extraction::{Extraction, ExtractionInput};
use crate::input::GraphReader;
use crate::model::{Memory, Write};
use crate::store::postgres::{DeleteRow, RestoreRow, UpdateRow};
use crate::sync::Embedding;

impl Layer {
    pub(super) async fn store(
        &self,
        args: StoreArgs,
        embedding: Option<Vec<f32>>,
        config: &PersistenceConfig,
        cancel: &CancellationToken,
    ) -> Result<(Memory, Write)> {
        let begun = Instant::now();
        let mut draft = Draft::check(args, embedding, &self.reader())?;
        until_aborted(cancel, self.ready()).await?;
        let (embedding, given) = (draft.embedding.take(), draft.given.take());
        self.count_rejected(given.as_ref());
        let wanted = draft.wanted(config);
        let prepared = until_aborted(cancel, self.prepare(&draft.input(), embedding, given, wanted)).await?;
        let (row, vector) = draft.into_row(prepared, config);
        // From here on an abort comes too late: the statement may commit, so its outcome is told.
        fail::fail_point!("before_commit");
        let stored = self.stores.postgres.store(&row, vector.as_deref()).await?;
        fail::fail_point!("after_commit");
        let (undo, placed) = (stored.undo(), stored.placed);
        let graph = self.finish(placed, undo, row.owe, config).await?;
        Ok((stored.memory, graph.into_write(stored.created, begun).with_restored(stored.restored)))
    }

    pub(super) async fn update(
        &self,
        args: UpdateArgs,
        embedding: Option<Vec<f32>>,
        config: &PersistenceConfig,
        cancel: &CancellationToken,
    ) -> Result<(Option<Memory>, Write)> {
        let begun = Instant::now();
        self.check_update(&args, embedding.as_deref())?;
        let reader = self.reader().with(args.strict_entities);
        let mut given = given_graph(args.entities.as_deref(), args.relationships.as_deref(), &reader)?;
        self.count_rejected(given.as_ref());
        until_aborted(cancel, self.ready()).await?;
        let Some(id) = validate::parse_id(&args.id) else {
            return Ok((None, GraphOutcome::none().into_write(false, begun)));
        };
        if args.entities.is_none()
            && let Some(extraction) = &mut given
        {
            self.add_known_entities(id, args.user_id.as_deref(), extraction).await?;
        }
        let prepared = match &args.content {
            Some(content) => {
                let metadata = args.metadata.clone().unwrap_or_default();
                let summary = args.summary.as_ref().and_then(Option::as_deref);
                let input = ExtractionInput { content, summary, metadata: &metadata };
                let extract = args.extract_entities.unwrap_or(true);
                let wanted = Wanted { embed: config.enable_vector_store, extract, defer: false };
                let keep = given.is_none() && !extract;
                let prepared = until_aborted(cancel, self.prepare(&input, embedding, given, wanted)).await?;
                Changed {
                    owe_extraction: prepared.extraction.is_none(),
                    graph: prepared.extraction.filter(|_| !keep),
                    embedding: prepared.embedding,
                }
            }
            None => Changed {
                embedding: match embedding {
                    Some(values) if config.enable_vector_store => self.models.given(values).await?,
                    _ => Embedding::default(),
                },
                graph: given,
                owe_extraction: false,
            },
        };
        let row = UpdateRow {
            id,
            user_id: args.user_id,
            content: args.content,
            summary: args.summary,
            metadata: args.metadata,
            metadata_patch: args.metadata_patch,
            importance: args.importance,
            rejected: prepared.graph.as_ref().and_then(|graph| graph.rejected.kept()),
            entities: prepared.graph.as_ref().map(|graph| graph.entities.clone()),
            relationships: prepared.graph.map(|graph| graph.relationships),
            owe: owe(config, false),
            space: prepared.embedding.vector.as_ref().map(|(space, _)| *space),
            embedding_pieces: prepared.embedding.pieces,
            owe_embedding: prepared.embedding.owed,
            owe_extraction: prepared.owe_extraction,
            expected_revision: args.expected_revision,
            undo: config.rollback_on_partial_failure,
        };
        let vector = prepared.embedding.vector.as_ref().map(|(_, values)| values.as_slice());
        let Some(updated) = self.stores.postgres.update(&row, vector).await? else {
            return Ok((None, GraphOutcome::none().into_write(false, begun)));
        };
        let (undo, placed) = (updated.undo(), updated.placed);
        let graph = self.finish(placed, undo, row.owe, config).await?;
        Ok((Some(updated.memory), graph.into_write(false, begun)))
    }

    /// What extractors leave out is counted where they are called.
    pub(super) fn count_rejected(&self, given: Option<&Extraction>) {
        if let Some(given) = given {
            self.stores.postgres.metrics().rejected(&given.rejected);
        }
    }

    fn check_update(&self, args: &UpdateArgs, embedding: Option<&[f32]>) -> Result<()> {
        let limits = &self.config.limits;
        validate::optional_user_id(args.user_id.as_deref())?;
        if let Some(content) = &args.content {
            validate::content(content, limits)?;
        }
        validate::summary(args.summary.as_ref().and_then(Option::as_deref))?;
        validate::importance(args.importance)?;
        if args.metadata.is_some() && args.metadata_patch.is_some() {
            return Err(Error::invalid("metadataPatch", "cannot be given together with metadata"));
        }
        for (field, value) in [("metadata", &args.metadata), ("metadataPatch", &args.metadata_patch)] {
            if let Some(value) = value {
                validate::metadata(field, value, limits)?;
            }
        }
        embedding.map_or(Ok(()), validate::embedding)
    }

    /// Relationships that come without entities join those that the memory has.
    async fn add_known_entities(
        &self,
        id: Uuid,
        user_id: Option<&str>,
        graph: &mut Extraction,
    ) -> Result<()> {
        let known = self.stores.postgres.get_many(&[id], user_id).await?;
        let Some(known) = known.into_iter().next() else { return Ok(()) };
        graph.entities = validate::join(known.entities, std::mem::take(&mut graph.entities));
        graph.rejected.entities = known.rejected.unwrap_or_default().entities;
        Ok(())
    }

    pub(super) async fn delete(
        &self,
        args: DeleteArgs,
        config: &PersistenceConfig,
        cancel: &CancellationToken,
    ) -> Result<Write> {
        let begun = Instant::now();
        validate::optional_user_id(args.user_id.as_deref())?;
        until_aborted(cancel, self.ready()).await?;
        let Some(id) = validate::parse_id(&args.id) else {
            return Ok(GraphOutcome::none().into_write(false, begun));
        };
        let row = DeleteRow {
            id,
            user_id: args.user_id,
            hard: args.hard.unwrap_or(false),
            detached: !args.cascade_graph.unwrap_or(true),
            owe: owe(config, false),
            expected_revision: args.expected_revision,
            undo: config.rollback_on_partial_failure,
        };
        let Some(deleted) = self.stores.postgres.delete(&row).await? else {
            return Ok(GraphOutcome::none().into_write(false, begun));
        };
        let undo = deleted.undo();
        let graph = self.finish(deleted.placed, undo, row.owe, config).await?;
        if row.hard && graph.is_applied() {
            self.forget_names(config).await;
        }
        Ok(graph.into_write(false, begun))
    }

    /// `None`: there is no soft-deleted memory of that id.
    pub(super) async fn restore(
        &self,
        args: GetByIdArgs,
        config: &PersistenceConfig,
        cancel: &CancellationToken,
    ) -> Result<(Option<Memory>, Write)> {
        let begun = Instant::now();
        validate::optional_user_id(args.user_id.as_deref())?;
        until_aborted(cancel, self.ready()).await?;
        let restored = match validate::parse_id(&args.id) {
            Some(id) => {
                let undo = config.rollback_on_partial_failure;
                let row = RestoreRow { id, user_id: args.user_id, owe: owe(config, false), undo };
                self.stores.postgres.restore(&row).await?
            }
            None => None,
        };
        let Some(restored) = restored else {
            return Ok((None, GraphOutcome::none().into_write(false, begun)));
        };
        let (undo, placed) = (restored.undo(), restored.placed);
        let graph = self.finish(placed, undo, owe(config, false), config).await?;
        Ok((Some(restored.memory), graph.into_write(false, begun).with_restored(true)))
    }

    /// Embeds and extracts side by side. A failure of either is owed, never an error of the write.
    async fn prepare(
        &self,
        input: &ExtractionInput<'_>,
        embedding: Option<Vec<f32>>,
        given: Option<Extraction>,
        wanted: Wanted,
    ) -> Result<Prepared> {
        let embed = async {
            match embedding {
                _ if !wanted.embed => Ok(Embedding::default()),
                Some(values) => self.models.given(values).await,
                None if wanted.defer => Ok(Embedding::owed()),
                None => self.models.made(input.content).await,
            }
        };
        let (embedding, extraction) = tokio::join!(embed, self.extraction(input, given, wanted));
        Ok(Prepared { embedding: embedding?, extraction })
    }

    /// `None`: owed.
    pub(super) async fn extraction(
        &self,
        input: &ExtractionInput<'_>,
        given: Option<Extraction>,
        wanted: Wanted,
    ) -> Option<Extraction> {
        match given {
            Some(given) => Some(given),
            None if !wanted.extract => Some(Extraction::default()),
            None if wanted.defer => None,
            None => self.models.extract(input).await,
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub embed: bool,
    pub extract: bool,
    pub defer: bool,
}

/// What the models gave for a memory.
pub(super) struct Prepared {
    pub embedding: Embedding,
    /// `None`: owed.
    pub extraction: Option<Extraction>,
}

struct Changed {
    embedding: Embedding,
    /// `None`: entities stay as they are.
    graph: Option<Extraction>,
    owe_extraction: bool,
}

/// What the caller says of entities; `None` when nothing is said.
pub(super) fn given_graph(
    entities: Option<&[Value]>,
    relationships: Option<&[Value]>,
    reader: &GraphReader,
) -> Result<Option<Extraction>> {
    if entities.is_none() && relationships.is_none() {
        return Ok(None);
    }
    reader.given(entities.unwrap_or_default(), relationships.unwrap_or_default()).map(Some)
}
