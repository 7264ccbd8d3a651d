//! Embedding debts: one call of the embedder for a batch, and smaller ones where a text is refused.

use std::collections::VecDeque;
use std::time::Instant;

use async_trait::async_trait;
use uuid::Uuid;

use super::debts::{Payer, Settled};
use super::provider::{Blame, Provider};
use super::{Models, can_wait};
use crate::config::PersistenceConfig;
use crate::embedding::{Embedder, TextVector};
use crate::error::{Error, Result};
use crate::store::postgres::{Content, ModelTarget, Postgres};

/// Memories per call of the embedder.
pub(super) const BATCH: u64 = 128;
/// Calls that fail without a word about whom to blame before the embedder itself is held to be in trouble: a batch and
/// both its halves.
const DOUBTS: u32 = 3;

/// Makes vectors for one space.
pub(super) struct EmbeddingPayer<'a> {
    pub models: &'a Models,
    pub embedder: &'a dyn Embedder,
    pub postgres: &'a Postgres,
    pub space: i32,
}

impl Models {
    /// Who pays embedding debts here; nobody where there is no embedder, its model is not the one in use, or the vector
    /// store is off.
    pub(super) async fn embedding_payer<'a>(
        &'a self,
        postgres: &'a Postgres,
        config: &PersistenceConfig,
    ) -> Result<Option<EmbeddingPayer<'a>>> {
        if !config.enable_vector_store {
            return Ok(None);
        }
        match self.usable_embedder().await {
            Ok((embedder, space)) => Ok(Some(EmbeddingPayer { models: self, embedder, postgres, space })),
            Err(error) if can_wait(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[async_trait]
impl Payer for EmbeddingPayer<'_> {
    fn target(&self) -> ModelTarget {
        ModelTarget::Embedding
    }

    fn batch(&self) -> u64 {
        BATCH
    }

    fn is_paid(&self) -> bool {
        self.embedder.is_paid()
    }

    fn provider(&self) -> &Provider {
        &self.models.embedding
    }

    async fn pay(&self, contents: Vec<Content>) -> Result<Settled> {
        let ids: Vec<_> = contents.iter().map(|content| content.id).collect();
        // The application, or a former attempt, may have filled some.
        let there = self.postgres.strike_embedded(self.space, &ids).await?;
        let missing = contents.into_iter().filter(|content| !there.contains(&content.id)).collect();
        let mut settled = self.fill(missing).await?;
        settled.paid.extend(there);
        Ok(settled)
    }
}

impl EmbeddingPayer<'_> {
    /// Makes and writes the vectors of these contents. A batch that is refused is halved, breadth first, until the culprit
    /// stands alone.
    pub async fn fill(&self, contents: Vec<Content>) -> Result<Settled> {
        let mut settled = Settled::default();
        let begun = Instant::now();
        let (mut doubts, mut doubtful) = (0, Vec::new());
        let mut batches = VecDeque::from([contents]);
        while let Some(mut batch) = batches.pop_front() {
            if batch.is_empty() {
                continue;
            }
            let texts: Vec<String> = batch.iter().map(|content| content.content.clone()).collect();
            let error = match self.models.ask(self.embedder, &texts).await {
                Ok(vectors) => {
                    settled.paid.extend(self.write(batch, vectors).await?);
                    continue;
                }
                Err(error) => error,
            };
            doubts += 1;
            match self.verdict(&error, batch.len(), doubts, begun) {
                Verdict::Stop => {
                    settled.stopped = Some(error);
                    break;
                }
                Verdict::Charge => settled.refused.extend(batch.pop().map(|content| (content.id, error))),
                Verdict::Doubt => doubtful.extend(batch.pop().map(|content| (content.id, error))),
                Verdict::Halve => {
                    let right = batch.split_off(batch.len() / 2);
                    batches.extend([batch, right]);
                }
            }
        }
        if self.models.embedding.worked_since(begun) {
            settled.refused.append(&mut doubtful);
        } else if settled.stopped.is_none() {
            settled.stopped = doubtful.pop().map(|(_, error)| error);
        }
        Ok(settled)
    }

    /// Writes what was made, and strikes off the debts of contents that the model has no vector for.
    async fn write(&self, contents: Vec<Content>, vectors: Vec<TextVector>) -> Result<Vec<Uuid>> {
        let (mut filled, mut values, mut pieces) = (Vec::new(), Vec::new(), Vec::new());
        let mut without = Vec::new();
        for (content, vector) in contents.into_iter().zip(vectors) {
            match vector {
                Some(vector) => {
                    pieces.push(self.embedder.pieces_of(&content.content));
                    filled.push(content);
                    values.push(vector);
                }
                None => without.push(content),
            }
        }
        let mut paid = self.postgres.put_vectors(self.space, &filled, values, pieces).await?;
        if !without.is_empty() {
            paid.extend(self.postgres.strike_vectorless(self.space, &without).await?);
        }
        Ok(paid)
    }

    fn verdict(&self, error: &Error, batch: usize, doubts: u32, begun: Instant) -> Verdict {
        let trusted = self.models.embedding.worked_since(begun);
        match Blame::of(error) {
            Blame::Provider => Verdict::Stop,
            Blame::Unknown if !trusted && doubts >= DOUBTS => Verdict::Stop,
            Blame::Unknown if !trusted && batch == 1 => Verdict::Doubt,
            Blame::Memory | Blame::Unknown if batch == 1 => Verdict::Charge,
            Blame::Memory | Blame::Unknown => Verdict::Halve,
        }
    }
}

/// What a failure means for a batch.
enum Verdict {
    Stop,
    Charge,
    /// Charge it if others go through.
    Doubt,
    Halve,
}
