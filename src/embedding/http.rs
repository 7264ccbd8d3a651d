//! An embedder behind an OpenAI-compatible `POST {base}/embeddings`: OpenAI, OpenRouter, Ollama, vLLM and others.

mod answer;
mod batch;
mod long;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;

use super::{Embedder, Space, TASK, TextVector};
use crate::config::Secret;
use crate::error::{Error, Result};
use crate::http::{Bounds, Provider};
use crate::model::EmbeddingPieces;
use batch::batches;
use long::LongTexts;

pub const DEFAULT_MODEL: &str = "text-embedding-3-small";
pub const DEFAULT_DIMENSIONS: usize = 1536;

/// 128 vectors of 4,096 numbers are some 12 MB as JSON; more than this is no answer to our question.
const MAX_ANSWER_BYTES: usize = 64 << 20;

/// Models that shorten their vectors on request, with their full length. The others are never sent `dimensions`:
/// many servers refuse the parameter altogether.
const SHORTENABLE: &[(&str, usize)] = &[
    ("text-embedding-3-small", 1536),
    ("text-embedding-3-large", 3072),
    ("gemini-embedding-001", 3072),
    ("qwen3-embedding-8b", 4096),
    ("qwen3-embedding-4b", 2560),
];

/// Where and how to ask. [`HttpConfig::new`] fills in the defaults.
#[derive(Clone)]
pub struct HttpConfig {
    /// `https://host/v1` without `/embeddings`. Over plain `http` the key travels readable.
    pub base_url: String,
    pub api_key: Secret,
    pub model: String,
    pub dimensions: usize,
    /// For one request, from connecting to the last byte.
    pub timeout: Duration,
    /// For one batch with all its repetitions.
    pub deadline: Duration,
    /// Texts in one request.
    pub batch: usize,
}

impl HttpConfig {
    pub fn new(base_url: impl Into<String>, api_key: Secret) -> Self {
        Self {
            base_url: base_url.into(),
            api_key,
            model: DEFAULT_MODEL.to_owned(),
            dimensions: DEFAULT_DIMENSIONS,
            timeout: Duration::from_secs(10),
            deadline: Duration::from_secs(20),
            batch: 128,
        }
    }

    /// Another time limit for a request, with room for one repetition.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, deadline: timeout.saturating_mul(2), ..self }
    }
}

/// Asks the provider, in batches, one after the other. A text that is longer than the provider takes is embedded in pieces.
/// An empty text is the caller's mistake: providers refuse it.
///
/// Making one reads the system's root certificates, so keep it and share it; its connections are reused.
pub struct HttpEmbedder {
    provider: Provider,
    space: Space,
    wire_model: String,
    wire_dimensions: Option<usize>,
    batch: usize,
    long: LongTexts,
}

#[derive(Serialize)]
struct Question<'a> {
    model: &'a str,
    input: &'a [&'a str],
    encoding_format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<usize>,
}

impl HttpEmbedder {
    pub fn new(config: HttpConfig) -> Result<Self> {
        if config.dimensions == 0 {
            return Err(Error::invalid("embedder.dimensions", "0 is below 1"));
        }
        let bounds =
            Bounds { timeout: config.timeout, deadline: config.deadline, answer_bytes: MAX_ANSWER_BYTES };
        let provider = Provider::new(TASK, &config.base_url, &config.api_key, bounds)?;
        Ok(Self {
            wire_model: wire_model(provider.host(), &config.model),
            wire_dimensions: wire_dimensions(&config.model, config.dimensions),
            provider,
            space: Space { model: config.model, dimensions: config.dimensions },
            batch: config.batch,
            long: LongTexts::default(),
        })
    }

    async fn embed_batch(&self, texts: &[&str]) -> Result<Vec<TextVector>> {
        let question = Question {
            model: &self.wire_model,
            input: texts,
            encoding_format: "float",
            dimensions: self.wire_dimensions,
        };
        self.provider.ask(&question, |body| answer::vectors(body, &self.space, texts.len())).await
    }
}

#[async_trait]
impl Embedder for HttpEmbedder {
    fn space(&self) -> &Space {
        &self.space
    }

    fn is_paid(&self) -> bool {
        true
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<TextVector>> {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let mut vectors = Vec::with_capacity(texts.len());
        for batch in batches(&texts, self.batch) {
            vectors.append(&mut self.embed_any(batch).await?);
        }
        Ok(vectors)
    }

    fn pieces_of(&self, text: &str) -> Option<EmbeddingPieces> {
        self.long.pieces_of(text)
    }
}

/// Without the endpoint, whose query may hold a secret.
impl fmt::Debug for HttpEmbedder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("HttpEmbedder")
            .field("host", &self.provider.host())
            .field("space", &self.space)
            .finish_non_exhaustive()
    }
}

/// OpenRouter lists OpenAI's models as `openai/…`. The space keeps the plain name: it is the same model, so its
/// vectors stay comparable when the provider is changed.
fn wire_model(host: &str, model: &str) -> String {
    match host {
        "openrouter.ai" if model.starts_with("text-embedding-") => format!("openai/{model}"),
        _ => model.to_owned(),
    }
}

fn wire_dimensions(model: &str, dimensions: usize) -> Option<usize> {
    let name = model.rsplit('/').next().unwrap_or(model).to_ascii_lowercase();
    let (_, full) = SHORTENABLE.iter().find(|(known, _)| *known == name)?;
    (dimensions != *full).then_some(dimensions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openrouter_names_the_vendor() {
        let openrouter = "openrouter.ai";
        assert_eq!(wire_model(openrouter, "text-embedding-3-small"), "openai/text-embedding-3-small");
        assert_eq!(wire_model(openrouter, "google/gemini-embedding-001"), "google/gemini-embedding-001");
        assert_eq!(wire_model("api.openai.com", "text-embedding-3-small"), "text-embedding-3-small");
    }

    #[test]
    fn dimensions_are_sent_only_to_shorten() {
        assert_eq!(wire_dimensions("text-embedding-3-small", 1536), None);
        assert_eq!(wire_dimensions("text-embedding-3-small", 512), Some(512));
        assert_eq!(wire_dimensions("openai/text-embedding-3-large", 1536), Some(1536));
        assert_eq!(wire_dimensions("Qwen/Qwen3-Embedding-8B", 4096), None);
        assert_eq!(wire_dimensions("nomic-embed-text", 768), None);
    }
}
