//! A store between its arguments and its row.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::graph_write::owe;
use super::memory::{Prepared, Wanted, given_graph};
use super::request::StoreArgs;
use super::validate;
use crate::config::{Limits, PersistenceConfig};
use crate::error::Result;
use crate::extraction::{Extraction, ExtractionInput};
use crate::input::GraphReader;
use crate::store::postgres::StoreRow;

const DEFAULT_IMPORTANCE: i32 = 5;

/// Where a memory comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Caller,
    /// A line of an export: what the database held it takes again, whatever the limits for callers are.
    Export,
}

impl Origin {
    fn reader(self, reader: &GraphReader) -> GraphReader {
        match self {
            Self::Caller => reader.clone(),
            Self::Export => GraphReader { limits: Limits::none(), strict: false },
        }
    }
}

/// A store whose arguments are sound.
pub(super) struct Draft {
    id: Uuid,
    args: StoreArgs,
    metadata: Map<String, Value>,
    /// What the caller brings, for whoever prepares the row to take.
    pub embedding: Option<Vec<f32>>,
    pub given: Option<Extraction>,
}

impl Draft {
    pub fn check(
        mut args: StoreArgs,
        embedding: Option<Vec<f32>>,
        reader: &GraphReader,
        origin: Origin,
    ) -> Result<Self> {
        let reader = origin.reader(reader);
        validate::user_id(&args.user_id)?;
        validate::conversation_id(args.conversation_id.as_deref())?;
        validate::created_at(args.created_at.as_ref())?;
        if origin == Origin::Caller {
            validate::content(&args.content, &reader.limits)?;
            validate::summary(args.summary.as_deref())?;
            validate::importance(args.importance)?;
        }
        let metadata = args.metadata.take().unwrap_or_default();
        validate::metadata("metadata", &metadata, &reader.limits)?;
        embedding.as_deref().map_or(Ok(()), validate::embedding)?;
        let id = validate::store_id(&args.user_id, args.id.as_deref(), args.idempotency_key.as_deref())?;
        let reader = reader.with(args.strict_entities);
        let given = given_graph(args.entities.as_deref(), args.relationships.as_deref(), &reader)?;
        Ok(Self { id, args, metadata, embedding, given })
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
        let Self { id, args, metadata, .. } = self;
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
            metadata,
            importance: args.importance.unwrap_or(DEFAULT_IMPORTANCE),
            created_at: args.created_at,
            conversation_id: args.conversation_id,
            restore: args.restore.unwrap_or(false),
            undo: config.rollback_on_partial_failure,
        };
        (row, vector)
    }
}
