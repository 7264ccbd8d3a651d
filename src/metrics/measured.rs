//! Models whose calls are counted.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;

use super::{Metrics, outcome_of};
use crate::embedding::{Embedder, Space, TextVector};
use crate::error::Result;
use crate::extraction::{Extraction, ExtractionInput, Extractor};
use crate::model::EmbeddingPieces;

pub struct MeasuredEmbedder {
    inner: Arc<dyn Embedder>,
    metrics: Arc<Metrics>,
}

impl MeasuredEmbedder {
    pub fn new(inner: Arc<dyn Embedder>, metrics: Arc<Metrics>) -> Self {
        Self { inner, metrics }
    }
}

#[async_trait]
impl Embedder for MeasuredEmbedder {
    fn space(&self) -> &Space {
        self.inner.space()
    }

    fn is_paid(&self) -> bool {
        self.inner.is_paid()
    }

    fn pieces_of(&self, text: &str) -> Option<EmbeddingPieces> {
        self.inner.pieces_of(text)
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<TextVector>> {
        let begun = Instant::now();
        let outcome = self.inner.embed(texts).await;
        self.metrics.model_called("embedder", begun, outcome_of(&outcome));
        outcome
    }
}

pub struct MeasuredExtractor {
    inner: Arc<dyn Extractor>,
    metrics: Arc<Metrics>,
}

impl MeasuredExtractor {
    pub fn new(inner: Arc<dyn Extractor>, metrics: Arc<Metrics>) -> Self {
        Self { inner, metrics }
    }
}

#[async_trait]
impl Extractor for MeasuredExtractor {
    fn is_paid(&self) -> bool {
        self.inner.is_paid()
    }

    async fn extract(&self, input: &ExtractionInput<'_>) -> Result<Extraction> {
        let begun = Instant::now();
        let outcome = self.inner.extract(input).await;
        self.metrics.model_called("extractor", begun, outcome_of(&outcome));
        if let Ok(extraction) = &outcome {
            self.metrics.rejected(&extraction.rejected);
        }
        outcome
    }
}
