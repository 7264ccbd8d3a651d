//! Rebuilding the graph from Postgres, and switching to another graph.

use std::time::Instant;

use super::confirm::Sides;
use super::drain::{DrainScope, Drained, drain_with};
use super::job::{Job, count, milliseconds};
use super::paged::{owe_all, owe_everything};
use super::repair::{mend_what_differs, pending};
use super::rows;
use super::sweep::sweep_entities;
use crate::error::Result;
use crate::model::SyncResult;
use crate::store::graph::GraphStore;
use crate::store::postgres::{PagedJob, Target};

/// What a rebuild is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Rebuild<'a> {
    pub user_id: Option<&'a str>,
    /// Pay at most so many before it returns; `pending` tells the rest.
    pub limit: Option<usize>,
    /// Delete this layer's nodes (of the user) first.
    pub clear_existing: bool,
}

// The phases of the job. Everything is owed before anything is cleared: a crash in between leaves debts, not gaps. It is
// owed again after: a write that was projected and struck off meanwhile may have been cleared.
const OWE: &str = "owe";
const CLEAR: &str = "clear";
const OWE_AGAIN: &str = "owe again";
const PAY: &str = "pay";

/// Owes every memory (of a user) to the graph, those that were deleted without it (`cascadeGraph: false`) as tombstones,
/// after clearing this layer's nodes there if asked to, and pays. A rebuild of the same scope that was interrupted is
/// gone on with where it stopped.
pub async fn rebuild(job: Job<'_>, wanted: Rebuild<'_>) -> Result<SyncResult> {
    let begun = Instant::now();
    job.seat.flush().await;
    let (graph, target) = job.seat.ours_now().await?;
    let strays = rows::compare(job, wanted.user_id).await?;
    rows::follow(job, &strays).await?;
    let steps = Steps { job, graph: graph.as_ref(), target: &target, wanted };
    let (paged, resumed) = steps.begin().await?;
    let Prepared { owed, foreign_edges } = steps.prepare(&paged).await?;
    let drained = steps.pay(owed).await?;
    let left = pending(job.postgres, &target, wanted.user_id).await?;
    let mut result = SyncResult {
        total_checked: owed,
        repaired: drained.paid,
        failed: count(drained.refused.len()),
        pending: left,
        resumed: resumed.then_some(true),
        foreign_edges,
        ..SyncResult::default()
    };
    if left == 0 && !job.cancelled() {
        steps.complete(&paged, &mut result).await?;
    }
    result.duration = milliseconds(begun);
    Ok(result)
}

/// What a rebuild did before it pays.
#[derive(Default)]
struct Prepared {
    /// Owed in this call.
    owed: u64,
    /// Edges of other programs that went with nodes of ours.
    foreign_edges: u64,
}

struct Steps<'a> {
    job: Job<'a>,
    graph: &'a dyn GraphStore,
    target: &'a Target,
    wanted: Rebuild<'a>,
}

impl Steps<'_> {
    /// The job, and whether it was there already with something left to do.
    async fn begin(&self) -> Result<(PagedJob, bool)> {
        let postgres = self.job.postgres;
        let name = format!("rebuild:{}", self.wanted.user_id.unwrap_or_default());
        if let Some(found) = postgres.find_job(&name).await? {
            let paid = pending(postgres, self.target, self.wanted.user_id).await? == 0;
            if found.phase != PAY || !paid {
                return Ok((found, true));
            }
            // Somebody else has paid the rest of it since: this is another rebuild.
            postgres.end_job(&found).await?;
        }
        Ok((postgres.begin_job(&name, OWE).await?, false))
    }

    /// Takes the job to the phase in which everything is owed.
    async fn prepare(&self, paged: &PagedJob) -> Result<Prepared> {
        let Job { postgres, seat, .. } = self.job;
        let Rebuild { user_id, clear_existing, .. } = self.wanted;
        let owe = || owe_all(postgres, &paged.name, &self.target.target, user_id, true);
        let mut phase = paged.phase.as_str();
        let mut done = Prepared::default();
        while phase != PAY && !self.job.cancelled() {
            fail::fail_point!("rebuild_phase");
            phase = match phase {
                OWE => {
                    done.owed = owe().await?;
                    if clear_existing { CLEAR } else { PAY }
                }
                CLEAR => {
                    done.foreign_edges += self.graph.clear(user_id).await?.foreign_edges;
                    OWE_AGAIN
                }
                _ => {
                    seat.flush().await;
                    done.owed = owe().await?;
                    PAY
                }
            };
            postgres.set_phase(paged, phase).await?;
        }
        Ok(done)
    }

    async fn pay(&self, owed: u64) -> Result<Drained> {
        let Rebuild { user_id, limit, .. } = self.wanted;
        let total = owed.max(pending(self.job.postgres, self.target, user_id).await?);
        let meter = self.job.meter(limit.map_or(total, |limit| total.min(count(limit))));
        let scope = DrainScope { user_id: user_id.map(str::to_owned), limit, ..DrainScope::default() };
        let drained = drain_with(self.job, self.graph, self.target, &scope, &meter).await?;
        meter.finish();
        Ok(drained)
    }

    /// A process that had projected something before it was cleared may have struck its debt off only after it was owed
    /// again: a look at the digests finds it.
    async fn complete(&self, paged: &PagedJob, result: &mut SyncResult) -> Result<()> {
        let postgres = self.job.postgres;
        postgres.end_job(paged).await?;
        let sides = Sides { postgres, graph: self.graph, target: self.target };
        let mended = mend_what_differs(self.job, sides, self.wanted.user_id).await?;
        result.repaired += mended.repaired;
        result.failed += count(mended.failed.len());
        sweep_entities(self.job, self.graph, None).await?;
        if self.wanted.user_id.is_none() && result.failed == 0 {
            postgres.mark_synced().await?;
        }
        Ok(())
    }
}

/// Makes the graph of this instance the database's own and brings it to equality. May be repeated until it is complete.
pub async fn switch(job: Job<'_>) -> Result<SyncResult> {
    let (graph, target) = job.seat.switch().await?;
    let name = format!("switch:{}", target.target);
    let mut foreign_edges = 0;
    if let Some(clearing) = job.postgres.find_job(&name).await? {
        // What it has from a former time may be of memories that nobody remembers.
        foreign_edges = graph.clear(None).await?.foreign_edges;
        owe_everything(job.postgres, &target.target).await?;
        job.postgres.end_job(&clearing).await?;
    }
    let wanted = Rebuild { user_id: None, limit: None, clear_existing: false };
    let (graph, target) = job.seat.ours_now().await?;
    let begun = Instant::now();
    let steps = Steps { job, graph: graph.as_ref(), target: &target, wanted };
    let drained = steps.pay(0).await?;
    let sides = Sides { postgres: job.postgres, graph: graph.as_ref(), target: &target };
    let mended = mend_what_differs(job, sides, None).await?;
    let failed = count(drained.refused.len() + mended.failed.len());
    let left = pending(job.postgres, &target, None).await?;
    if left == 0 && failed == 0 && !job.cancelled() {
        job.postgres.mark_synced().await?;
    }
    Ok(SyncResult {
        total_checked: job.postgres.count_live(None).await?,
        repaired: drained.paid + mended.repaired,
        failed,
        duration: milliseconds(begun),
        pending: left,
        foreign_edges,
        ..SyncResult::default()
    })
}
