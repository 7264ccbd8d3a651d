//! Extraction debts: what the extractor finds becomes a new revision of the memory, which owes the graph like any write.

use std::time::Instant;

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::iter;

use super::Models;
use super::debts::{Payer, Settled};
use super::provider::{Blame, Provider};
use crate::config::PersistenceConfig;
use crate::error::Result;
use crate::extraction::{Extraction, ExtractionInput, Extractor};
use crate::store::postgres::{Content, ModelTarget, Postgres, Put};

/// Memories claimed at once.
const BATCH: u64 = 32;
/// Calls of the extractor under way at once.
const CALLS: usize = 4;

pub(super) struct ExtractionPayer<'a> {
    models: &'a Models,
    extractor: &'a dyn Extractor,
    postgres: &'a Postgres,
    owe: Put,
}

impl Models {
    /// Who pays extraction debts here; nobody without an extractor.
    pub(super) fn extraction_payer<'a>(
        &'a self,
        postgres: &'a Postgres,
        config: &PersistenceConfig,
    ) -> Option<ExtractionPayer<'a>> {
        let owe = if config.enable_graph_store { Put::Paged } else { Put::None };
        let extractor = self.extractor.as_deref()?;
        Some(ExtractionPayer { models: self, extractor, postgres, owe })
    }
}

#[async_trait]
impl Payer for ExtractionPayer<'_> {
    fn target(&self) -> ModelTarget {
        ModelTarget::Extraction
    }

    fn batch(&self) -> u64 {
        BATCH
    }

    fn is_paid(&self) -> bool {
        self.extractor.is_paid()
    }

    fn provider(&self) -> &Provider {
        &self.models.extraction
    }

    async fn pay(&self, contents: Vec<Content>) -> Result<Settled> {
        let begun = Instant::now();
        let mut settled = Settled::default();
        let (mut found, mut doubtful) = (Vec::new(), Vec::new());
        let calls: Vec<_> = contents.iter().map(|content| self.ask(content)).collect();
        let mut answers = iter(calls).buffer_unordered(CALLS);
        while let Some((content, outcome)) = answers.next().await {
            match outcome {
                Ok(extraction) => found.push((content, extraction)),
                Err(error) => match Blame::of(&error) {
                    Blame::Provider => {
                        settled.stopped = Some(error);
                        break;
                    }
                    Blame::Memory => settled.refused.push((content.id, error)),
                    Blame::Unknown => doubtful.push((content.id, error)),
                },
            }
        }
        drop(answers);
        if self.models.extraction.worked_since(begun) {
            settled.refused.append(&mut doubtful);
        } else if settled.stopped.is_none() {
            settled.stopped = doubtful.pop().map(|(_, error)| error);
        }
        if !found.is_empty() {
            settled.paid = self.postgres.put_extractions(&found, self.owe).await?;
        }
        Ok(settled)
    }
}

impl ExtractionPayer<'_> {
    async fn ask<'c>(&self, content: &'c Content) -> (&'c Content, Result<Extraction>) {
        let input = ExtractionInput {
            content: &content.content,
            summary: content.summary.as_deref(),
            metadata: &content.metadata,
        };
        let outcome = self.extractor.extract(&input).await;
        if outcome.is_ok() {
            self.models.extraction.worked();
        }
        (content, outcome)
    }
}
