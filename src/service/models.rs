//! Embedder and extractor of a layer: what they give, what they owe when they fail.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::sync::{OnceCell, RwLock};

use crate::config::{EmbedderKind, ExtractorKind, Limits};
use crate::embedding::{DEFAULT_DIMENSIONS, DEFAULT_MODEL, Embedder, HttpConfig, HttpEmbedder};
use crate::error::{Error, Reason, Result};
use crate::extraction::{Extraction, ExtractionInput, Extractor, LlmConfig, LlmExtractor};
use crate::http;
use crate::store::postgres::{APP_DIMENSIONS, APP_SPACE, CurrentSpace, Postgres, SpaceMatch};

/// How long a space that fits is believed to be the current one.
const SPACE_TTL: Duration = Duration::from_secs(60);
/// How soon one that does not is looked at again.
const MISMATCH_TTL: Duration = Duration::from_secs(5);

/// A memory's vector, if there is one, and whether the current space is still owed one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Embedding {
    pub vector: Option<(i32, Vec<f32>)>,
    pub owed: bool,
}

pub struct Models {
    embedder: Option<Arc<dyn Embedder>>,
    extractor: Option<Arc<dyn Extractor>>,
    postgres: Arc<Postgres>,
    matched: RwLock<Option<(Instant, SpaceMatch)>>,
    current: OnceCell<CurrentSpace>,
    /// What the embedder said when it last failed; none since it last worked.
    failure: RwLock<Option<String>>,
}

impl Models {
    pub fn new(
        embedder: Option<Arc<dyn Embedder>>,
        extractor: Option<Arc<dyn Extractor>>,
        postgres: Arc<Postgres>,
    ) -> Self {
        Self {
            embedder,
            extractor,
            postgres,
            matched: RwLock::default(),
            current: OnceCell::new(),
            failure: RwLock::default(),
        }
    }

    pub fn has_embedder(&self) -> bool {
        self.embedder.is_some()
    }

    /// How the embedder's space relates to the database's; `None` without an embedder.
    pub async fn space_match(&self) -> Result<Option<SpaceMatch>> {
        let Some(embedder) = &self.embedder else { return Ok(None) };
        if let Some((since, matched)) = &*self.matched.read().await {
            let ttl = if matches!(matched, SpaceMatch::Current { .. }) { SPACE_TTL } else { MISMATCH_TTL };
            if since.elapsed() < ttl {
                return Ok(Some(matched.clone()));
            }
        }
        let space = embedder.space();
        let dimensions = i32::try_from(space.dimensions)
            .map_err(|_| Error::invalid("embedder.dimensions", "is over the limit of 16000"))?;
        let matched = self.postgres.match_space(&space.model, dimensions).await?;
        *self.matched.write().await = Some((Instant::now(), matched.clone()));
        Ok(Some(matched))
    }

    /// Finds the spaces out once, so that a write on a warm layer needs no trip for them.
    pub async fn ready(&self) -> Result<()> {
        // An embedder makes its own space current first, where that is possible.
        self.space_match().await?;
        self.current_space().await.map(drop)
    }

    async fn current_space(&self) -> Result<&CurrentSpace> {
        self.current.get_or_try_init(|| self.postgres.current_space()).await
    }

    /// Where a vector that the caller brings belongs.
    pub async fn given(&self, values: Vec<f32>) -> Result<Embedding> {
        let current = self.current_space().await?;
        if usize::try_from(current.dimensions) == Ok(values.len()) {
            return Ok(Embedding { vector: Some((current.space_id, values)), owed: false });
        }
        if values.len() == APP_DIMENSIONS {
            return Ok(Embedding { vector: Some((APP_SPACE, values)), owed: true });
        }
        let message = format!(
            "embedding: an array of {} numbers fits neither the current space ({} dimensions, {}) nor the application's ({APP_DIMENSIONS})",
            values.len(),
            current.dimensions,
            current.model
        );
        Err(Error::persistence(Reason::DimensionMismatch, message)
            .with("field", "embedding")
            .with("actual", values.len())
            .with("expected", current.dimensions))
    }

    /// The vector of a text; owed when there is no embedder, its space is not the current one, or it fails.
    pub async fn made(&self, text: &str) -> Result<Embedding> {
        Ok(self.made_many(&[text.to_owned()]).await?.pop().unwrap_or_default())
    }

    /// The vectors of these texts from one call of the embedder, or all of them owed.
    pub async fn made_many(&self, texts: &[String]) -> Result<Vec<Embedding>> {
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        match self.embed(texts).await {
            Ok((space, vectors)) => Ok(vectors
                .into_iter()
                .map(|vector| Embedding { vector: Some((space, vector)), owed: false })
                .collect()),
            Err(error) if matches!(error.reason, Reason::NotConfigured | Reason::EmbeddingFailed) => {
                log::warn!("stored without an embedding ({}): {error}", texts.len());
                Ok(vec![Embedding { vector: None, owed: true }; texts.len()])
            }
            Err(error) => Err(error),
        }
    }

    /// The vector of a query, for the current space only.
    pub async fn query(&self, text: &str) -> Result<(i32, Vec<f32>)> {
        let (space, vectors) = self.embed(&[text.to_owned()]).await?;
        Ok((space, vectors.into_iter().next().unwrap_or_default()))
    }

    async fn embed(&self, texts: &[String]) -> Result<(i32, Vec<Vec<f32>>)> {
        let (Some(embedder), Some(matched)) = (&self.embedder, self.space_match().await?) else {
            return Err(Error::persistence(Reason::NotConfigured, "no embedder is configured"));
        };
        let SpaceMatch::Current { space } = matched else {
            return Err(Error::persistence(
                Reason::EmbeddingFailed,
                mismatch_message(&matched, embedder.as_ref()),
            ));
        };
        let outcome = embedder.embed(texts).await.and_then(|vectors| {
            embedder.space().check(&vectors, texts.len())?;
            Ok(vectors)
        });
        *self.failure.write().await = outcome.as_ref().err().map(|error| error.message.clone());
        Ok((space, outcome?))
    }

    /// What a memory mentions; `None` when the extractor failed, so that it is owed.
    pub async fn extract(&self, input: &ExtractionInput<'_>) -> Option<Extraction> {
        let Some(extractor) = &self.extractor else { return Some(Extraction::default()) };
        match extractor.extract(input).await {
            Ok(extraction) => Some(extraction),
            Err(error) => {
                log::warn!("the memory is stored without entities: {error}");
                None
            }
        }
    }

    /// Why vector search is not to be had now, for health.
    pub async fn limitation(&self) -> Result<Option<(&'static str, String)>> {
        let Some(embedder) = &self.embedder else {
            let message = "no embedder is configured: search is lexical, embeddings are owed".to_owned();
            return Ok(Some(("NO_EMBEDDER", message)));
        };
        Ok(match self.space_match().await? {
            Some(matched @ SpaceMatch::Mismatch { .. }) => {
                Some(("EMBEDDING_SPACE_MISMATCH", mismatch_message(&matched, embedder.as_ref())))
            }
            _ => self.failure.read().await.as_ref().map(|failure| {
                ("EMBEDDING_FAILED", format!("{failure}: search is lexical, embeddings are owed"))
            }),
        })
    }
}

fn mismatch_message(matched: &SpaceMatch, embedder: &dyn Embedder) -> String {
    match matched {
        SpaceMatch::Mismatch { model, dimensions } => format!(
            "the embedder gives {} ({} dimensions), but the stored vectors are of {model} ({dimensions}): search is lexical, embeddings are owed",
            embedder.space().model,
            embedder.space().dimensions
        ),
        SpaceMatch::Current { .. } => String::new(),
    }
}

/// The HTTP embedder of a configuration; `None` for the other kinds. A machine without root certificates counts as one
/// without an embedder: writes succeed and owe.
pub fn http_embedder(kind: &EmbedderKind) -> Result<Option<Arc<dyn Embedder>>> {
    let EmbedderKind::OpenAi { base_url, api_key, model, dimensions } = kind else { return Ok(None) };
    let base_url = base_url.as_deref().unwrap_or(http::default_base_url(api_key));
    let mut config = HttpConfig::new(base_url, api_key.clone());
    config.model = model.clone().unwrap_or_else(|| DEFAULT_MODEL.to_owned());
    config.dimensions = dimensions.unwrap_or(DEFAULT_DIMENSIONS);
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
pub fn llm_extractor(kind: &ExtractorKind, limits: &Limits) -> Result<Option<Arc<dyn Extractor>>> {
    let ExtractorKind::OpenAi { base_url, api_key, model, timeout_ms } = kind else { return Ok(None) };
    let base_url = base_url.as_deref().unwrap_or(http::default_base_url(api_key));
    let mut config = LlmConfig::new(base_url, api_key.clone());
    config.limits = limits.clone();
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
