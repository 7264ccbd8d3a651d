//! An embedder behind an OpenAI-compatible `POST {base}/embeddings`: OpenAI, OpenRouter, Ollama, vLLM and others.
//!
//! Whatever the provider answers, an error tells the host, the HTTP status and what went wrong in words of ours.
//! It never quotes the answer, because providers echo keys and texts.

mod answer;
mod batch;
mod client;
mod failure;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::{Client, Response, Url};
use serde::Serialize;
use tokio::time::{Instant, sleep, timeout};

use super::{Embedder, Space};
use crate::config::Secret;
use crate::error::{Error, Result};
use batch::batches;
use failure::{Attempt, Failure};

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
}

/// Asks the provider, in batches, one after the other.
///
/// 429, 5xx, lost connections and timeouts are tried up to three times with growing, jittered pauses and at least
/// the provider's `Retry-After`; an answer that is no JSON is asked for once more. Nothing is repeated that would
/// not end before the deadline. An empty text is the caller's mistake: providers refuse it.
///
/// Making one reads the system's root certificates, so keep it and share it; its connections are reused.
pub struct HttpEmbedder {
    client: Client,
    endpoint: Url,
    space: Space,
    wire_model: String,
    wire_dimensions: Option<usize>,
    timeout: Duration,
    deadline: Duration,
    batch: usize,
}

#[derive(Serialize)]
struct Question<'a> {
    model: &'a str,
    input: &'a [String],
    encoding_format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<usize>,
}

impl HttpEmbedder {
    pub fn new(config: HttpConfig) -> Result<Self> {
        if config.dimensions == 0 {
            return Err(Error::invalid("embedder.dimensions", "0 is below 1"));
        }
        let endpoint = client::endpoint(&config.base_url)?;
        Ok(Self {
            client: client::build(&endpoint, &config.api_key)?,
            wire_model: wire_model(&endpoint, &config.model),
            wire_dimensions: wire_dimensions(&config.model, config.dimensions),
            endpoint,
            space: Space { model: config.model, dimensions: config.dimensions },
            timeout: config.timeout,
            deadline: config.deadline,
            batch: config.batch,
        })
    }

    async fn embed_batch(&self, texts: &[String]) -> Result<Vec<Vec<f32>>> {
        let deadline = Instant::now() + self.deadline;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let left = deadline.saturating_duration_since(Instant::now());
            let failure = match self.attempt(texts, self.timeout.min(left)).await {
                Ok(vectors) => return Ok(vectors),
                Err(failure) => failure,
            };
            let left = deadline.saturating_duration_since(Instant::now());
            let Some(pause) = failure.pause(attempts).filter(|pause| *pause < left) else {
                return Err(failure.into_error(self.host(), attempts));
            };
            log::debug!("{failure}; attempt {attempts}, the next one in {pause:?}");
            sleep(pause).await;
        }
    }

    async fn attempt(&self, texts: &[String], limit: Duration) -> Attempt<Vec<Vec<f32>>> {
        match timeout(limit, self.request(texts)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::passing(format_args!("no whole answer within {} ms", limit.as_millis()))),
        }
    }

    async fn request(&self, texts: &[String]) -> Attempt<Vec<Vec<f32>>> {
        let question = Question {
            model: &self.wire_model,
            input: texts,
            encoding_format: "float",
            dimensions: self.wire_dimensions,
        };
        let response = self
            .client
            .post(self.endpoint.clone())
            .json(&question)
            .send()
            .await
            .map_err(Failure::transport)?;
        if !response.status().is_success() {
            return Err(Failure::status(response.status().as_u16(), response.headers()));
        }
        answer::vectors(&read_body(response).await?, &self.space, texts.len())
    }

    fn host(&self) -> &str {
        self.endpoint.host_str().unwrap_or_default()
    }
}

#[async_trait]
impl Embedder for HttpEmbedder {
    fn space(&self) -> &Space {
        &self.space
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>> {
        let mut vectors = Vec::with_capacity(texts.len());
        for batch in batches(texts, self.batch) {
            vectors.append(&mut self.embed_batch(batch).await?);
        }
        Ok(vectors)
    }
}

/// Without the endpoint, whose query may hold a secret.
impl fmt::Debug for HttpEmbedder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("HttpEmbedder")
            .field("host", &self.host())
            .field("space", &self.space)
            .finish_non_exhaustive()
    }
}

/// OpenRouter lists OpenAI's models as `openai/…`. The space keeps the plain name: it is the same model, so its
/// vectors stay comparable when the provider is changed.
fn wire_model(endpoint: &Url, model: &str) -> String {
    match endpoint.host_str() {
        Some("openrouter.ai") if model.starts_with("text-embedding-") => format!("openai/{model}"),
        _ => model.to_owned(),
    }
}

fn wire_dimensions(model: &str, dimensions: usize) -> Option<usize> {
    let name = model.rsplit('/').next().unwrap_or(model).to_ascii_lowercase();
    let (_, full) = SHORTENABLE.iter().find(|(known, _)| *known == name)?;
    (dimensions != *full).then_some(dimensions)
}

async fn read_body(mut response: Response) -> Attempt<Vec<u8>> {
    let too_large =
        || Failure::lasting(format_args!("the answer is larger than {} MiB", MAX_ANSWER_BYTES >> 20));
    if response.content_length().is_some_and(|length| length > MAX_ANSWER_BYTES as u64) {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(Failure::transport)? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed test may panic")]
mod tests {
    use super::*;

    #[test]
    fn openrouter_names_the_vendor() {
        let openrouter = Url::parse("https://openrouter.ai/api/v1/embeddings").unwrap();
        assert_eq!(wire_model(&openrouter, "text-embedding-3-small"), "openai/text-embedding-3-small");
        assert_eq!(wire_model(&openrouter, "google/gemini-embedding-001"), "google/gemini-embedding-001");
        let openai = Url::parse("https://api.openai.com/v1/embeddings").unwrap();
        assert_eq!(wire_model(&openai, "text-embedding-3-small"), "text-embedding-3-small");
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
