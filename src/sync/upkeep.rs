//! What one process of all that share a database does: the beat, unfinished pages, the check on its interval, and
//! afterwards the collection of what nobody needs any more.

use std::time::Duration;

use super::job::Job;
use super::repair::{FullSync, full_sync};
use crate::error::Result;
use crate::store::graph::GraphStore;
use crate::store::postgres::Target;

/// How long a tombstone stands at least: longer than any write can be late.
const TOMBSTONE_AGE: Duration = Duration::from_secs(24 * 3600);
const TOMBSTONES_AT_ONCE: i64 = 1000;

/// One round.
pub(super) async fn upkeep(job: Job<'_>) -> Result<()> {
    let (graph, target) = job.seat.ours_now().await?;
    let interval = i64::try_from(job.config.sync_interval_ms).unwrap_or(i64::MAX);
    if !job.postgres.begin_check(interval).await? {
        return Ok(());
    }
    let began = job.postgres.now().await?;
    let result =
        full_sync(job, FullSync { spare_dead: true, some_rows: true, ..FullSync::default() }).await?;
    if job.cancelled() {
        return Ok(()); // What was not looked at is not clean.
    }
    log::debug!("checked {} memories, mended {}", result.total_checked, result.repaired);
    if result.pending > 0 {
        job.postgres.check_again_soon(interval).await?;
    }
    // What is owed pins its own tombstone only.
    if result.inconsistencies.is_empty() {
        job.postgres.mark_checked(began).await?;
        collect_tombstones(job, graph.as_ref(), &target).await?;
    }
    Ok(())
}

/// The horizon is raised before a tombstone goes: a late write meets the one or the other.
pub async fn collect_tombstones(job: Job<'_>, graph: &dyn GraphStore, target: &Target) -> Result<()> {
    let age = i64::try_from(TOMBSTONE_AGE.as_millis()).unwrap_or(i64::MAX);
    while !job.cancelled() {
        let tombstones = job.postgres.collectable(age, TOMBSTONES_AT_ONCE).await?;
        let Some(horizon) = tombstones.iter().map(|tombstone| tombstone.version()).max() else { break };
        job.postgres.raise_horizon(&target.target, horizon).await?;
        let ids: Vec<_> = tombstones.iter().map(|tombstone| tombstone.memory_id).collect();
        graph.collect_tombstones(&ids, horizon).await?;
        if job.postgres.forget_tombstones(&tombstones).await? == 0 {
            break; // All of them are being written again.
        }
    }
    Ok(())
}
