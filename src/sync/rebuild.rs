//! Rebuilding the graph from Postgres.

use std::time::Instant;

use super::drain::{DrainScope, drain};
use super::job::Job;
use super::repair::{count, milliseconds, pending};
use crate::error::Result;
use crate::model::SyncResult;

/// Owes every memory (of a user) to the graph, those that were deleted without it (`cascadeGraph: false`) as tombstones, after clearing this layer's nodes there if asked to, and pays at most
/// `limit` before it returns; `pending` tells the rest.
pub async fn rebuild(
    job: Job<'_>,
    user_id: Option<&str>,
    limit: Option<usize>,
    clear_existing: bool,
) -> Result<SyncResult> {
    let Job { postgres, seat, .. } = job;
    let begun = Instant::now();
    seat.flush().await;
    let (graph, target) = seat.ours_now().await?;
    postgres.forget_detached(user_id).await?;
    // Owed before anything is cleared: a crash in between leaves debts, not gaps.
    let mut owed = postgres.owe_all(&target.target, user_id, None).await?;
    if clear_existing {
        graph.clear(user_id).await?;
        // Owed again: a write that was projected and struck off meanwhile may have been cleared.
        seat.flush().await;
        owed = postgres.owe_all(&target.target, user_id, None).await?;
    }
    let scope = DrainScope { user_id: user_id.map(str::to_owned), limit, ..DrainScope::default() };
    let drained = drain(job, graph.as_ref(), &target, &scope).await?;
    let left = pending(postgres, &target, user_id).await?;
    if user_id.is_none() && left == 0 && drained.refused.is_empty() && !job.cancelled() {
        postgres.mark_synced().await?;
    }
    Ok(SyncResult {
        total_checked: owed,
        inconsistencies: Vec::new(),
        repaired: drained.paid,
        failed: count(drained.refused.len()),
        duration: milliseconds(begun),
        pending: left,
    })
}
