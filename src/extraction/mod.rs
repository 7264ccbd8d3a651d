//! Finding entities and relationships in a memory.

mod canonical_name;
mod llm;
mod offline;
mod rules;

use std::fmt;

use async_trait::async_trait;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::{Error, Reason, Result};
use crate::http::Task;
use crate::model::{Entity, Rejected, Relationship};

pub(crate) use canonical_name::NAME_CHARS;
pub use canonical_name::canonical_name;
pub use llm::{DEFAULT_MODEL, LlmConfig, LlmExtractor};
pub use offline::{RulesExtractor, folded_name, normalize, plain_name};

const TASK: Task = Task {
    name: "extraction",
    reason: Reason::ExtractionFailed,
    option: "extractor",
    path: &["chat", "completions"],
};

/// The error of every extractor. `problem` must quote neither a text nor a key.
pub(crate) fn extraction_failed(problem: impl fmt::Display) -> Error {
    TASK.failed(problem)
}

/// What an extractor reads.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExtractionInput<'a> {
    pub content: &'a str,
    pub summary: Option<&'a str>,
    pub metadata: &'a Map<String, Value>,
}

/// What it found, in canonical form.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Extraction {
    pub entities: Vec<Entity>,
    pub relationships: Vec<Relationship>,
    /// What it said and nobody understands.
    pub rejected: Rejected,
}

/// A source of entities. Dropping the future of [`extract`](Self::extract) stops the work.
#[async_trait]
pub trait Extractor: Send + Sync {
    /// Whether a call may cost somebody money. Such an extractor is not asked about rows of other code unless told to.
    fn is_paid(&self) -> bool;

    /// What a memory names. An error's detail `retryable` tells whether a later call may succeed; its message quotes
    /// neither the memory nor a key.
    async fn extract(&self, input: &ExtractionInput<'_>) -> Result<Extraction>;
}
