//! Filling what rows of other code, adopted ones included, have never got from a model. The one call that may cost money
//! for them, so it counts first.

use std::time::Instant;

use serde::Serialize;
use uuid::Uuid;

use super::Models;
use super::debts::{ModelScope, ModelsPaid, pay_models};
use crate::error::Result;
use crate::sync::job::{Job, milliseconds};

const PAGE: i32 = 2000;

/// What a backfill is asked for. A model that is not said is used where there is one.
#[derive(Debug, Clone, Copy)]
pub struct Backfill<'a> {
    pub user_id: Option<&'a str>,
    pub embed: Option<bool>,
    pub extract: Option<bool>,
    /// Only count.
    pub dry_run: bool,
}

/// Memories that lack a vector or an extraction and that this instance's models can give it to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Found {
    pub embed: u64,
    pub extract: u64,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct Backfilled {
    pub embedded: u64,
    pub extracted: u64,
    /// Memories that a model refused.
    pub failed: u64,
    /// What is left.
    pub pending: u64,
    /// Milliseconds.
    pub duration: f64,
    pub found: Found,
}

/// Counts, tells the count, and pays. A model that does not answer is the error, and what was done stays done.
pub async fn backfill(job: Job<'_>, models: &Models, wanted: Backfill<'_>) -> Result<Backfilled> {
    let begun = Instant::now();
    let work = Work { job, models, wanted };
    let scope = work.scope().await?;
    let found = work.count(&scope).await?;
    let mut result = Backfilled { found, pending: found.embed + found.extract, ..Backfilled::default() };
    let meter = job.meter(result.pending);
    meter.advance(0);
    if !wanted.dry_run {
        if scope.embed {
            work.owe().await?;
        }
        let paid = pay_models(job, models, &scope, &meter).await?;
        meter.finish();
        result = Backfilled { pending: work.left(&scope).await?, ..counted(paid, result)? };
    }
    result.duration = milliseconds(begun);
    Ok(result)
}

fn counted(paid: ModelsPaid, result: Backfilled) -> Result<Backfilled> {
    let ModelsPaid { embedded, extracted, refused: failed, stopped } = paid;
    match stopped {
        Some(error) => Err(error.with("embedded", embedded).with("extracted", extracted)),
        None => Ok(Backfilled { embedded, extracted, failed, ..result }),
    }
}

struct Work<'a> {
    job: Job<'a>,
    models: &'a Models,
    wanted: Backfill<'a>,
}

impl Work<'_> {
    /// What is asked for and can be had. What is asked for by name and cannot be had is an error.
    async fn scope(&self) -> Result<ModelScope> {
        let Self { job, models, wanted } = self;
        if wanted.embed == Some(true) {
            models.usable_embedder().await?;
        }
        let embed =
            wanted.embed != Some(false) && models.embedding_payer(job.postgres, job.config).await?.is_some();
        let extract =
            wanted.extract != Some(false) && models.extraction_payer(job.postgres, job.config).is_some();
        let user_id = wanted.user_id.map(str::to_owned);
        Ok(ModelScope { user_id, embed, extract, consent: true, ..ModelScope::default() })
    }

    async fn count(&self, scope: &ModelScope) -> Result<Found> {
        let (postgres, user_id) = (self.job.postgres, self.wanted.user_id);
        let embed = if scope.embed { postgres.count_without_vector(None, user_id).await? } else { 0 };
        let (_, extraction) = postgres.model_counts(user_id).await?;
        Ok(Found { embed, extract: if scope.extract { extraction.asked + extraction.unasked } else { 0 } })
    }

    /// Memories that were there before this layer, or were stored without the vector store, are owed their vector.
    async fn owe(&self) -> Result<()> {
        let mut after: Option<Uuid> = None;
        while !self.job.cancelled() {
            after = self.job.postgres.owe_missing_page(self.wanted.user_id, after, PAGE).await?;
            if after.is_none() {
                break;
            }
        }
        Ok(())
    }

    async fn left(&self, scope: &ModelScope) -> Result<u64> {
        let (embedding, extraction) = self.job.postgres.model_counts(self.wanted.user_id).await?;
        let embedding = if scope.embed { embedding.asked + embedding.unasked } else { 0 };
        let extraction = if scope.extract { extraction.asked + extraction.unasked } else { 0 };
        Ok(embedding + extraction)
    }
}
