//! The models of a configuration.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::config::{EmbedderKind, ExtractorKind};
use crate::embedding::{DEFAULT_DIMENSIONS, DEFAULT_MODEL, Embedder, HttpConfig, HttpEmbedder};
use crate::error::{Error, Reason, Result};
use crate::extraction::{Extraction, ExtractionInput, Extractor, LlmConfig, LlmExtractor};
use crate::http;
use crate::input::GraphReader;

/// The HTTP embedder of a configuration; `None` for the other kinds. A machine without root certificates counts as one
/// without an embedder: writes succeed and owe.
pub fn http_embedder(kind: &EmbedderKind) -> Result<Option<Arc<dyn Embedder>>> {
    let EmbedderKind::OpenAi { base_url, api_key, model, dimensions, batch_size, timeout_ms } = kind else {
        return Ok(None);
    };
    let base_url = base_url.as_deref().unwrap_or(http::default_base_url(api_key));
    let mut config = HttpConfig::new(base_url, api_key.clone());
    config.model = model.clone().unwrap_or_else(|| DEFAULT_MODEL.to_owned());
    config.dimensions = dimensions.unwrap_or(DEFAULT_DIMENSIONS);
    config.batch = batch_size.unwrap_or(config.batch);
    if let Some(timeout_ms) = timeout_ms {
        config = config.with_timeout(Duration::from_millis(*timeout_ms));
    }
    match HttpEmbedder::new(config) {
        Ok(embedder) => Ok(Some(Arc::new(embedder))),
        Err(error) if error.reason == Reason::EmbeddingFailed => {
            log::warn!("{error}");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The language model of a configuration; `None` for the other kinds. On a machine without root certificates every
/// extraction fails, and is owed.
pub fn llm_extractor(kind: &ExtractorKind, reader: &GraphReader) -> Result<Option<Arc<dyn Extractor>>> {
    let ExtractorKind::OpenAi { base_url, api_key, model, timeout_ms } = kind else { return Ok(None) };
    let base_url = base_url.as_deref().unwrap_or(http::default_base_url(api_key));
    let mut config = LlmConfig::new(base_url, api_key.clone());
    config.limits = reader.limits.clone();
    config.strict = reader.strict;
    if let Some(model) = model {
        config.model.clone_from(model);
    }
    if let Some(timeout_ms) = timeout_ms {
        config.timeout = Duration::from_millis(*timeout_ms);
    }
    match LlmExtractor::new(config) {
        Ok(extractor) => Ok(Some(Arc::new(extractor))),
        Err(error) if error.reason == Reason::ExtractionFailed => Ok(Some(Arc::new(Unreachable(error)))),
        Err(error) => Err(error),
    }
}

/// Stands for a model that this machine cannot ask.
struct Unreachable(Error);

#[async_trait]
impl Extractor for Unreachable {
    fn is_paid(&self) -> bool {
        true
    }

    async fn extract(&self, _: &ExtractionInput<'_>) -> Result<Extraction> {
        Err(self.0.clone())
    }
}
