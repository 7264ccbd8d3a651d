//! Mending drift: what differs is owed under a version the graph must accept, then drained.

use std::time::Instant;

use uuid::Uuid;

use super::check::{Check, Difference, confirm};
use super::drain::{DrainScope, Drained, drain};
use super::job::Job;
use crate::error::Result;
use crate::model::{Inconsistency, SyncResult};
use crate::store::graph::GraphStore;
use crate::store::postgres::{Postgres, Target};

/// Mends the listed memories. What the list says of them is looked up again: it may be old, or have gone through JSON.
pub async fn repair(job: Job<'_>, list: Vec<Inconsistency>) -> Result<SyncResult> {
    let begun = Instant::now();
    let (graph, target) = job.seat.ours_now().await?;
    let mut ids: Vec<Uuid> = list.iter().map(|inconsistency| inconsistency.memory_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let confirmed = confirm(job.postgres, graph.as_ref(), &target, &ids).await?;
    let drained = mend(job, graph.as_ref(), &target, &confirmed.differences, ids.clone()).await?;
    Ok(SyncResult {
        total_checked: count(ids.len()),
        inconsistencies: list,
        repaired: drained.paid,
        failed: count(drained.refused.len()),
        duration: milliseconds(begun),
        pending: pending(job.postgres, &target, None).await?,
        ..SyncResult::default()
    })
}

/// Pays what is owed, checks everything (of a user), mends at most `limit` differences. A dry run only checks.
pub async fn full_sync(
    job: Job<'_>,
    user_id: Option<&str>,
    limit: Option<usize>,
    dry_run: bool,
) -> Result<SyncResult> {
    let begun = Instant::now();
    job.seat.flush().await;
    let (graph, target) = job.seat.ours_now().await?;
    let mut done = Drained::default();
    if !dry_run {
        let scope = DrainScope { user_id: user_id.map(str::to_owned), ..DrainScope::default() };
        done = drain(job, graph.as_ref(), &target, &scope).await?;
    }
    let mut check = Check::begin(job.postgres, graph.as_ref(), &target, user_id).await?;
    let mut found: Vec<Difference> = Vec::new();
    while let Some(group) = check.next().await? {
        let room = limit.map_or(usize::MAX, |limit| limit - found.len());
        let group: Vec<Difference> = group.into_iter().take(room).collect();
        if !dry_run {
            // What the graph has just refused would be refused again.
            let open: Vec<Difference> =
                group.iter().filter(|d| !done.refused.contains(&d.memory_id)).cloned().collect();
            let ids = open.iter().map(|difference| difference.memory_id).collect();
            let mended = mend(job, graph.as_ref(), &target, &open, ids).await?;
            done.paid += mended.paid;
            done.refused.extend(mended.refused);
        }
        found.extend(group);
        if job.cancelled() || limit.is_some_and(|limit| found.len() >= limit) {
            break;
        }
    }
    done.refused.sort_unstable();
    done.refused.dedup();
    let left = pending(job.postgres, &target, user_id).await?;
    let all = user_id.is_none() && limit.is_none_or(|limit| found.len() < limit);
    if all && !dry_run && left == 0 && done.refused.is_empty() && !job.cancelled() {
        job.postgres.mark_synced().await?;
    }
    Ok(SyncResult {
        total_checked: check.compared,
        inconsistencies: found.iter().map(Inconsistency::from).collect(),
        repaired: done.paid,
        failed: count(done.refused.len()),
        duration: milliseconds(begun),
        pending: left,
        ..SyncResult::default()
    })
}

/// Checks everything (of a user) and mends what differs.
pub(super) async fn mend_what_differs(
    job: Job<'_>,
    graph: &dyn GraphStore,
    target: &Target,
    user_id: Option<&str>,
) -> Result<Drained> {
    let mut done = Drained::default();
    let mut check = Check::begin(job.postgres, graph, target, user_id).await?;
    while let Some(group) = check.next().await? {
        let ids = group.iter().map(|difference| difference.memory_id).collect();
        let mended = mend(job, graph, target, &group, ids).await?;
        done.paid += mended.paid;
        done.refused.extend(mended.refused);
        if job.cancelled() {
            break;
        }
    }
    Ok(done)
}

async fn mend(
    job: Job<'_>,
    graph: &dyn GraphStore,
    target: &Target,
    differences: &[Difference],
    ids: Vec<Uuid>,
) -> Result<Drained> {
    owe(job.postgres, target, differences).await?;
    let scope = DrainScope { ids: Some(ids), ..DrainScope::default() };
    drain(job, graph, target, &scope).await
}

/// A node that is ahead of its memory (or has none) needs a version above its own; any other difference is mended by
/// applying the present one.
async fn owe(postgres: &Postgres, target: &Target, differences: &[Difference]) -> Result<()> {
    let mut ahead = Vec::new();
    let mut behind = Vec::new();
    for difference in differences {
        let known = difference.state.as_ref().map(|state| state.version);
        match &difference.node {
            Some(node) if known.is_none_or(|known| known < node.version) => ahead.push(node.clone()),
            _ => behind.push(difference.memory_id),
        }
    }
    if !ahead.is_empty() {
        postgres.supersede(&ahead).await?;
    }
    if !behind.is_empty() {
        postgres.owe_many(&target.target, &behind).await?;
    }
    Ok(())
}

/// Debts to the graph (of a user) that somebody will pay.
pub async fn pending(postgres: &Postgres, target: &Target, user_id: Option<&str>) -> Result<u64> {
    let counts = postgres.queue_counts(&target.target, user_id).await?;
    Ok(u64::try_from(counts.pending).unwrap_or_default())
}

pub(super) fn milliseconds(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1000.0
}

pub(super) fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
