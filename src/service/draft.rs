//! A store between its arguments and its row.

use serde_json::value::RawValue;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::graph_write::owe;
use super::memory::{Prepared, Wanted, given_graph};
use super::request::{ExportedLine, StoreArgs, StoreManyItem};
use super::validate;
use crate::config::{Limits, PersistenceConfig, parse_json};
use crate::error::Result;
use crate::extraction::{Extraction, ExtractionInput};
use crate::input::GraphReader;
use crate::store::postgres::{Metadata, StoreRow};

const DEFAULT_IMPORTANCE: i32 = 5;

/// A store whose arguments are sound.
pub(super) struct Draft {
    id: Uuid,
    args: StoreArgs,
    metadata: Map<String, Value>,
    /// The metadata as the row has it, where it had one before.
    exported: Option<Box<RawValue>>,
    /// What the caller brings, for whoever prepares the row to take.
    pub embedding: Option<Vec<f32>>,
    pub given: Option<Extraction>,
}

impl Draft {
    pub fn check(mut args: StoreArgs, embedding: Option<Vec<f32>>, reader: &GraphReader) -> Result<Self> {
        let limits = &reader.limits;
        validate::user_id(&args.user_id)?;
        validate::content(&args.content, limits)?;
        validate::conversation_id(args.conversation_id.as_deref())?;
        validate::summary(args.summary.as_deref())?;
        validate::importance(args.importance)?;
        validate::created_at(args.created_at.as_ref())?;
        let metadata = args.metadata.take().unwrap_or_default();
        validate::metadata("metadata", &metadata, limits)?;
        embedding.as_deref().map_or(Ok(()), validate::embedding)?;
        let id = validate::store_id(&args.user_id, args.id.as_deref(), args.idempotency_key.as_deref())?;
        let reader = reader.clone().with(args.strict_entities);
        let given = given_graph(args.entities.as_deref(), args.relationships.as_deref(), &reader)?;
        Ok(Self { id, args, metadata, exported: None, embedding, given })
    }

    /// A line of an export. The limits bound what a call may ask for; other code has put rows beyond them there, which must
    /// come in again from a backup. So only what no row can hold is refused.
    fn of_export(line: ExportedLine, reader: &GraphReader) -> Result<Self> {
        validate::user_id(&line.user_id)?;
        validate::storable_text("content", &line.content)?;
        validate::conversation_id(line.conversation_id.as_deref())?;
        line.summary.as_deref().map_or(Ok(()), |summary| validate::storable_text("summary", summary))?;
        validate::created_at(line.created_at.as_ref())?;
        line.metadata.as_deref().map_or(Ok(()), |value| validate::storable_json("metadata", value))?;
        let id = validate::store_id(&line.user_id, Some(&line.id), None)?;
        let reader =
            GraphReader { limits: Limits { entities: usize::MAX, ..reader.limits.clone() }, strict: false };
        let given = given_graph(line.entities.as_deref(), line.relationships.as_deref(), &reader)?;
        // Only extractors read it.
        let read = |raw: &RawValue| serde_json::from_str(raw.get()).unwrap_or_default();
        let metadata = line.metadata.as_deref().filter(|_| given.is_none()).map(read).unwrap_or_default();
        let args = StoreArgs {
            user_id: line.user_id,
            content: line.content,
            id: Some(line.id),
            conversation_id: line.conversation_id,
            importance: line.importance,
            summary: line.summary,
            created_at: line.created_at,
            restore: line.restore,
            ..StoreArgs::default()
        };
        Ok(Self { id, args, metadata, exported: line.metadata, embedding: None, given })
    }

    /// One of a batch.
    pub fn of_item(item: &StoreManyItem, embedding: Option<Vec<f32>>, reader: &GraphReader) -> Result<Self> {
        let memory = item.memory.get();
        if item.exported {
            return Self::of_export(parse_json(memory)?, reader);
        }
        Self::check(parse_json(memory)?, embedding, reader)
    }

    pub fn content(&self) -> &str {
        &self.args.content
    }

    /// Whether embedding, extraction and projection are left for later.
    fn deferred(&self) -> bool {
        self.args.defer.unwrap_or(false)
    }

    pub fn wanted(&self, config: &PersistenceConfig) -> Wanted {
        Wanted {
            embed: config.enable_vector_store,
            extract: self.args.extract_entities.unwrap_or(true),
            defer: self.deferred(),
        }
    }

    pub fn input(&self) -> ExtractionInput<'_> {
        ExtractionInput {
            content: &self.args.content,
            summary: self.args.summary.as_deref(),
            metadata: &self.metadata,
        }
    }

    /// The row, and the vector that goes with it.
    pub fn into_row(self, prepared: Prepared, config: &PersistenceConfig) -> (StoreRow, Option<Vec<f32>>) {
        let owe = owe(config, self.deferred());
        let Self { id, args, metadata, exported, .. } = self;
        let owe_extraction = prepared.extraction.is_none();
        let extraction = prepared.extraction.unwrap_or_default();
        let (space, vector) = prepared.embedding.vector.unzip();
        let row = StoreRow {
            id,
            fresh_id: args.id.is_none() && args.idempotency_key.is_none(),
            owe,
            space,
            embedding_pieces: prepared.embedding.pieces,
            owe_embedding: prepared.embedding.owed,
            owe_extraction,
            rejected: extraction.rejected.kept(),
            entities: extraction.entities,
            relationships: extraction.relationships,
            user_id: args.user_id,
            content: args.content,
            summary: args.summary,
            metadata: exported.map_or(Metadata::Given(metadata), Metadata::Exported),
            importance: args.importance.unwrap_or(DEFAULT_IMPORTANCE),
            created_at: args.created_at,
            conversation_id: args.conversation_id,
            restore: args.restore.unwrap_or(false),
            undo: config.rollback_on_partial_failure,
        };
        (row, vector)
    }
}
