//! Changing the embedder's model online: its space is filled beside the current one, which everybody goes on using, and
//! takes its place once it is complete. What is filled is seen from the vectors themselves, so a process that dies costs
//! no more than the batch it was at.

use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::time::sleep;
use uuid::Uuid;

use super::debts::{ModelScope, pay_models};
use super::embed::{BATCH, EmbeddingPayer};
use super::spaces::{SPACE_TTL, dimensions};
use super::{Models, no_embedder};
use crate::embedding::Embedder;
use crate::error::{Error, Reason, Result};
use crate::store::postgres::Content;
use crate::sync::job::{Job, Meter, count, milliseconds};

/// The job, and the lease on it: one process at a time.
const REEMBED: &str = "reembed";
const LEASE_MS: i64 = 15_000;
const RENEW: Duration = Duration::from_secs(5);
const ASK: Duration = Duration::from_secs(1);
/// A pass over all memories that found no more than this to do has caught up with the writers.
const FEW: u64 = BATCH;
/// Vectors of a retired space removed by one statement, and debts struck off.
const PAGE: i32 = 2000;
/// How long transactions that began before the switch are waited for here; afterwards the background goes on.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long after an abort a batch may go on.
const GRACE: Duration = Duration::from_millis(1500);

#[derive(Debug, Clone, Serialize)]
pub struct Reembedded {
    pub model: String,
    pub dimensions: usize,
    pub embedded: u64,
    /// Memories that the embedder refused; they are owed to the new space.
    pub failed: u64,
    /// Went on with one that was interrupted.
    pub resumed: bool,
    /// Milliseconds.
    pub duration: f64,
}

/// Makes vectors of the embedder's model for all memories, switches to them, and removes the former ones of this layer.
/// One of the same model that was interrupted is gone on with; one of another model is given up. An embedder that does
/// not answer is the error; the next call goes on.
pub async fn reembed(job: Job<'_>, models: &Models) -> Result<Reembedded> {
    let embedder = models.embedder.as_deref().ok_or_else(no_embedder)?;
    let holder = Uuid::new_v4();
    let begun = Instant::now();
    await_lease(job, holder).await?;
    let work = Work { job, models, embedder };
    let outcome = tokio::select! {
        outcome = work.run() => outcome,
        error = lose_lease(job, holder) => Err(error),
        () = patience(job) => Err(aborted()),
    };
    job.postgres.give_lease(REEMBED, holder).await?;
    Ok(Reembedded { duration: milliseconds(begun), ..outcome? })
}

/// Ends what a reembed left after its switch: owes what late writers missed and removes the vectors of retired spaces.
pub async fn go_on_with_reembed(job: Job<'_>) -> Result<()> {
    let postgres = job.postgres;
    let begun = Instant::now();
    while postgres.find_job(REEMBED).await?.is_some_and(|paged| paged.phase == "sweep") {
        if postgres.sweep_reembed(PAGE).await?.is_some() {
            continue;
        }
        if begun.elapsed() > PATIENCE || job.cancelled() {
            return Ok(());
        }
        sleep(ASK).await;
    }
    loop {
        let removal = postgres.remove_retired(grace_ms(), PAGE).await?;
        if removal.done.unwrap_or(false) || job.cancelled() {
            return Ok(());
        }
        // The database's clock may have been set back meanwhile.
        let wait_ms = removal.wait_ms.unwrap_or(0).clamp(0, grace_ms());
        sleep(Duration::from_millis(wait_ms.unsigned_abs())).await;
    }
}

/// Twice what an instance may take to notice that it searches a space that was retired.
fn grace_ms() -> i64 {
    i64::try_from(SPACE_TTL.as_millis()).unwrap_or(i64::MAX).saturating_mul(2)
}

struct Work<'a> {
    job: Job<'a>,
    models: &'a Models,
    embedder: &'a dyn Embedder,
}

impl Work<'_> {
    async fn run(&self) -> Result<Reembedded> {
        let space = self.embedder.space();
        let filling = self.job.postgres.begin_reembed(&space.model, dimensions(space)?).await?;
        self.models.spaces.forget().await;
        let mut embedded = 0;
        if let Some(space) = filling.space {
            embedded = self.fill(space).await?;
            self.switch(space).await?;
        }
        // What was written meanwhile.
        let scope = ModelScope { embed: true, ..ModelScope::default() };
        let paid = pay_models(self.job, self.models, &scope, &Meter::silent()).await?;
        go_on_with_reembed(self.job).await?;
        Ok(Reembedded {
            model: space.model.clone(),
            dimensions: space.dimensions,
            embedded: embedded + paid.embedded,
            failed: paid.refused,
            resumed: filling.resumed,
            duration: 0.0,
        })
    }

    /// Passes over all memories until one has caught up with the writers.
    async fn fill(&self, space: i32) -> Result<u64> {
        let postgres = self.job.postgres;
        let total = postgres.count_live(None).await?;
        let meter = self.job.meter(total);
        meter.advance(total.saturating_sub(postgres.count_without_vector(Some(space), None).await?));
        let mut embedded = 0;
        loop {
            let made = self.pass(space, &meter).await?;
            embedded += made;
            if made <= FEW || self.job.cancelled() {
                break;
            }
        }
        meter.finish();
        Ok(embedded)
    }

    async fn pass(&self, space: i32, meter: &Meter) -> Result<u64> {
        let postgres = self.job.postgres;
        let payer = EmbeddingPayer { models: self.models, embedder: self.embedder, postgres, space };
        let limit = i32::try_from(BATCH).unwrap_or(i32::MAX);
        let mut embedded = 0;
        let mut after = Uuid::nil();
        while !self.job.cancelled() {
            fail::fail_point!("reembed_page");
            let contents: Vec<Content> = postgres.contents_without_vector(space, after, limit).await?;
            let Some(last) = contents.last() else { break };
            after = last.id;
            let settled = payer.fill(contents).await?;
            embedded += count(settled.paid.len());
            meter.advance(count(settled.paid.len()));
            if let Some(error) = settled.stopped {
                return Err(error.with("embedded", embedded));
            }
            if settled.paid.is_empty() && settled.refused.is_empty() {
                self.still_filling(space).await?;
            }
        }
        Ok(embedded)
    }

    /// A batch of which nothing was written may mean that the space is wanted no more; asking on would cost for nothing.
    async fn still_filling(&self, space: i32) -> Result<()> {
        let own = self.embedder.space();
        let filling = self.job.postgres.begin_reembed(&own.model, dimensions(own)?).await?;
        if filling.space == Some(space) { Ok(()) } else { Err(replaced()) }
    }

    async fn switch(&self, space: i32) -> Result<()> {
        if self.job.cancelled() {
            return Err(aborted());
        }
        fail::fail_point!("before_switch");
        let switched = self.job.postgres.finish_reembed(space).await?;
        self.models.spaces.forget().await;
        if switched { Ok(()) } else { Err(replaced()) }
    }
}

/// Waits until no other process does it.
async fn await_lease(job: Job<'_>, holder: Uuid) -> Result<()> {
    while !job.postgres.take_lease(REEMBED, holder, LEASE_MS).await? {
        if job.cancelled() {
            return Err(aborted());
        }
        sleep(ASK).await;
    }
    Ok(())
}

/// Renews the lease; ends when it is lost.
async fn lose_lease(job: Job<'_>, holder: Uuid) -> Error {
    loop {
        sleep(RENEW).await;
        match job.postgres.take_lease(REEMBED, holder, LEASE_MS).await {
            Ok(true) => {}
            Ok(false) => return replaced(),
            Err(error) => log::info!("the lease on the reembed could not be renewed: {error}"),
        }
    }
}

async fn patience(job: Job<'_>) {
    job.context.cancel.cancelled().await;
    sleep(GRACE).await;
}

fn replaced() -> Error {
    Error::sync(
        Reason::Unavailable,
        "another process has gone on with this reembed, or begun one to another model",
    )
}

fn aborted() -> Error {
    Error::persistence(Reason::Aborted, "the reembed was aborted; the next one goes on where it stopped")
}
