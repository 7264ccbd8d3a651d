//! Finding entities and relationships in a memory.

mod offline;
mod rules;

use async_trait::async_trait;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::Result;
use crate::model::{Entity, Relationship};

pub use offline::{RulesExtractor, normalize, plain_name};

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
}

#[async_trait]
pub trait Extractor: Send + Sync {
    async fn extract(&self, input: &ExtractionInput<'_>) -> Result<Extraction>;
}
