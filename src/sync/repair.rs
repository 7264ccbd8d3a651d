//! Mending drift: what differs is owed under a version the graph must accept, then drained.

use std::sync::Arc;
use std::time::Instant;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::check::{Difference, check, confirm};
use super::drain::{DrainScope, Drained, drain};
use super::seat::Seat;
use crate::config::PersistenceConfig;
use crate::error::Result;
use crate::model::{Inconsistency, SyncResult};
use crate::store::graph::GraphStore;
use crate::store::postgres::{Postgres, Target};

/// Mends the listed memories. What the list says of them is looked up again: it may be old, or have gone through JSON.
pub async fn repair(
    postgres: &Arc<Postgres>,
    seat: &Seat,
    list: Vec<Inconsistency>,
    config: &PersistenceConfig,
    cancel: &CancellationToken,
) -> Result<SyncResult> {
    let begun = Instant::now();
    let (graph, target) = seat.ours_now().await?;
    let mut ids: Vec<Uuid> = list.iter().map(|inconsistency| inconsistency.memory_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let differences = confirm(postgres, graph.as_ref(), target, &ids).await?;
    let drained = mend(postgres, graph.as_ref(), target, &differences, ids.clone(), config, cancel).await?;
    Ok(SyncResult {
        total_checked: count(ids.len()),
        inconsistencies: list,
        repaired: drained.paid,
        failed: count(drained.refused.len()),
        duration: milliseconds(begun),
        pending: pending(postgres, target, None).await?,
    })
}

/// Pays what is owed, checks everything (of a user), mends at most `limit` differences. A dry run only checks.
pub async fn full_sync(
    postgres: &Arc<Postgres>,
    seat: &Seat,
    user_id: Option<&str>,
    limit: Option<usize>,
    dry_run: bool,
    config: &PersistenceConfig,
    cancel: &CancellationToken,
) -> Result<SyncResult> {
    let begun = Instant::now();
    seat.flush().await;
    let (graph, target) = seat.ours_now().await?;
    let mut done = Drained::default();
    if !dry_run {
        let scope = DrainScope { user_id: user_id.map(str::to_owned), ..DrainScope::default() };
        done = drain(postgres, graph.as_ref(), target, &scope, config, cancel).await?;
    }
    let checked = check(postgres, graph.as_ref(), target, user_id, limit, cancel).await?;
    if !dry_run {
        // What the graph has just refused would be refused again.
        let open: Vec<Difference> =
            checked.differences.iter().filter(|d| !done.refused.contains(&d.memory_id)).cloned().collect();
        let ids = open.iter().map(|difference| difference.memory_id).collect();
        let mended = mend(postgres, graph.as_ref(), target, &open, ids, config, cancel).await?;
        done.paid += mended.paid;
        done.refused.extend(mended.refused);
    }
    done.refused.sort_unstable();
    done.refused.dedup();
    let left = pending(postgres, target, user_id).await?;
    let all = user_id.is_none() && limit.is_none_or(|limit| checked.differences.len() < limit);
    if all && !dry_run && left == 0 && done.refused.is_empty() && !cancel.is_cancelled() {
        postgres.mark_synced().await?;
    }
    Ok(SyncResult {
        total_checked: checked.compared,
        inconsistencies: checked.differences.iter().map(Inconsistency::from).collect(),
        repaired: done.paid,
        failed: count(done.refused.len()),
        duration: milliseconds(begun),
        pending: left,
    })
}

async fn mend(
    postgres: &Arc<Postgres>,
    graph: &dyn GraphStore,
    target: &Target,
    differences: &[Difference],
    ids: Vec<Uuid>,
    config: &PersistenceConfig,
    cancel: &CancellationToken,
) -> Result<Drained> {
    owe(postgres, target, differences).await?;
    let scope = DrainScope { ids: Some(ids), ..DrainScope::default() };
    drain(postgres, graph, target, &scope, config, cancel).await
}

/// A node that is ahead of its memory (or has none) needs a version above its own; any other difference is mended by
/// applying the present one.
async fn owe(postgres: &Arc<Postgres>, target: &Target, differences: &[Difference]) -> Result<()> {
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
        postgres.owe_all(&target.target, None, Some(&behind)).await?;
    }
    Ok(())
}

pub(super) async fn pending(postgres: &Arc<Postgres>, target: &Target, user_id: Option<&str>) -> Result<u64> {
    let counts = postgres.queue_counts(&target.target, user_id).await?;
    Ok(u64::try_from(counts.pending).unwrap_or_default())
}

pub(super) fn milliseconds(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1000.0
}

pub(super) fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
