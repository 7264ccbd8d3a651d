//! Embedder and extractor of a layer: what they give, what they owe when they fail, and how that is paid.

mod backfill;
mod debts;
mod embed;
mod extract;
mod provider;
mod reembed;
mod spaces;

use std::sync::Arc;

use tokio::sync::RwLock;

use crate::embedding::{Embedder, Space, TextVector};
use crate::error::{Error, Reason, Result};
use crate::extraction::{Extraction, ExtractionInput, Extractor};
use crate::model::EmbeddingPieces;
use crate::store::postgres::{APP_DIMENSIONS, APP_SPACE, CurrentSpace, Postgres, SpaceMatch};
use provider::Provider;
use spaces::Spaces;

pub use backfill::{Backfill, Backfilled, backfill};
pub use debts::{ModelScope, ModelsPaid, owed_to_models, pay_models};
pub use reembed::{Reembedded, go_on_with_reembed, reembed};

/// A memory's vector, if there is one, and whether the current space is still owed one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Embedding {
    pub vector: Option<(i32, Vec<f32>)>,
    /// How it was made, where the text was too long.
    pub pieces: Option<EmbeddingPieces>,
    pub owed: bool,
}

impl Embedding {
    pub fn owed() -> Self {
        Self { owed: true, ..Self::default() }
    }
}

pub struct Models {
    embedder: Option<Arc<dyn Embedder>>,
    extractor: Option<Arc<dyn Extractor>>,
    spaces: Spaces,
    /// What the embedder said when it last failed; none since it last worked.
    failure: RwLock<Option<String>>,
    embedding: Provider,
    extraction: Provider,
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
            spaces: Spaces::new(postgres),
            failure: RwLock::default(),
            embedding: Provider::default(),
            extraction: Provider::default(),
        }
    }

    /// The space of the embedder, if there is one.
    pub fn embedder_space(&self) -> Option<&Space> {
        self.embedder.as_ref().map(|embedder| embedder.space())
    }

    /// How the embedder's space relates to the database's; `None` without an embedder.
    async fn space_match(&self) -> Result<Option<SpaceMatch>> {
        let Some(embedder) = &self.embedder else { return Ok(None) };
        self.spaces.matched(embedder.space()).await.map(Some)
    }

    /// Finds the spaces out once, so that a write on a warm layer needs no trip for them.
    pub async fn ready(&self) -> Result<()> {
        // An embedder makes its own space current first, where that is possible.
        self.space_match().await?;
        self.current_space().await.map(drop)
    }

    async fn current_space(&self) -> Result<CurrentSpace> {
        self.spaces.current().await
    }

    /// Where a vector that the caller brings belongs.
    pub async fn given(&self, values: Vec<f32>) -> Result<Embedding> {
        let current = self.current_space().await?;
        if usize::try_from(current.dimensions) == Ok(values.len()) {
            return Ok(Embedding { vector: Some((current.space_id, values)), ..Embedding::default() });
        }
        if values.len() == APP_DIMENSIONS {
            return Ok(Embedding { vector: Some((APP_SPACE, values)), ..Embedding::owed() });
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
            Ok((space, vectors)) => Ok(texts
                .iter()
                .zip(vectors)
                .map(|(text, vector)| Embedding {
                    vector: vector.map(|values| (space, values)),
                    pieces: self.embedder.as_ref().and_then(|embedder| embedder.pieces_of(text)),
                    owed: false,
                })
                .collect()),
            Err(error) if can_wait(&error) => {
                log::warn!("stored without an embedding ({}): {error}", texts.len());
                Ok(vec![Embedding::owed(); texts.len()])
            }
            Err(error) => Err(error),
        }
    }

    /// The vector of a query, for the current space only; none where the model has none for this text.
    pub async fn query(&self, text: &str) -> Result<Option<(i32, Vec<f32>)>> {
        let (space, vectors) = self.embed(&[text.to_owned()]).await?;
        Ok(vectors.into_iter().next().flatten().map(|values| (space, values)))
    }

    async fn embed(&self, texts: &[String]) -> Result<(i32, Vec<TextVector>)> {
        let (embedder, space) = self.usable_embedder().await?;
        Ok((space, self.ask(embedder, texts).await?))
    }

    /// The embedder and its space, which is the current one.
    async fn usable_embedder(&self) -> Result<(&dyn Embedder, i32)> {
        let (Some(embedder), Some(matched)) = (&self.embedder, self.space_match().await?) else {
            return Err(no_embedder());
        };
        match matched {
            SpaceMatch::Current { space } => Ok((embedder.as_ref(), space)),
            SpaceMatch::Mismatch { model, dimensions } => Err(mismatch(embedder.space(), &model, dimensions)),
        }
    }

    /// Asks the embedder, whatever the space, and keeps in mind how it went.
    async fn ask(&self, embedder: &dyn Embedder, texts: &[String]) -> Result<Vec<TextVector>> {
        let outcome = embedder.embed(texts).await.and_then(|vectors| {
            embedder.space().check(&vectors, texts.len())?;
            Ok(vectors)
        });
        *self.failure.write().await = outcome.as_ref().err().map(|error| error.message.clone());
        if outcome.is_ok() {
            self.embedding.worked();
        }
        outcome
    }

    /// What a memory mentions; `None` when the extractor failed, so that it is owed.
    pub async fn extract(&self, input: &ExtractionInput<'_>) -> Option<Extraction> {
        let Some(extractor) = &self.extractor else { return Some(Extraction::default()) };
        match extractor.extract(input).await {
            Ok(extraction) => {
                self.extraction.worked();
                Some(extraction)
            }
            Err(error) => {
                log::warn!("the memory is stored without entities: {error}");
                None
            }
        }
    }

    /// Why vector search is not to be had now, for health.
    pub async fn limitation(&self) -> Result<Option<(&'static str, String)>> {
        let Some(embedder) = &self.embedder else {
            let message = "there is no embedder ('none' is configured, or nothing is and the weights of @izzie-memory/minilm-static are missing, as deployments leave them): search is lexical, embeddings are owed; set OPENROUTER_API_KEY or OPENAI_API_KEY, or bring the weights".to_owned();
            return Ok(Some(("NO_EMBEDDER", message)));
        };
        Ok(match self.space_match().await? {
            Some(SpaceMatch::Mismatch { model, dimensions }) => {
                let error = mismatch(embedder.space(), &model, dimensions);
                Some((error.reason.name(), error.message))
            }
            _ => self.failure.read().await.as_ref().map(|failure| {
                ("EMBEDDING_FAILED", format!("{failure}: search is lexical, embeddings are owed"))
            }),
        })
    }
}

/// Whether what an embedder did not give can be owed, or a search do without it.
pub fn can_wait(error: &Error) -> bool {
    matches!(error.reason, Reason::NotConfigured | Reason::EmbeddingFailed | Reason::EmbeddingSpaceMismatch)
}

fn no_embedder() -> Error {
    Error::persistence(Reason::NotConfigured, "no embedder is configured")
}

fn mismatch(own: &Space, model: &str, dimensions: i32) -> Error {
    let message = format!(
        "the embedder gives {} ({} dimensions), but the stored vectors are of {model} ({dimensions}): search is lexical and embeddings are owed until syncService.reembed() has made vectors of {}",
        own.model, own.dimensions, own.model
    );
    Error::persistence(Reason::EmbeddingSpaceMismatch, message)
        .with("model", own.model.clone())
        .with("dimensions", own.dimensions)
        .with("currentModel", model)
        .with("currentDimensions", dimensions)
}
