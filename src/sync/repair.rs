//! Repair: mends what a list names, or what a check finds.

use std::time::Instant;

use uuid::Uuid;

use super::check::{Check, CheckScope, ours_with_digests};
use super::confirm::{PAGE, Sides, confirm};
use super::drain::{DrainScope, drain_with};
use super::job::{Job, Meter, count, milliseconds};
use super::mend::{Mended, mend};
use super::rows;
use super::sweep::sweep_entities;
use crate::config::ConflictStrategy;
use crate::error::Result;
use crate::model::{Inconsistency, SyncResult};
use crate::store::postgres::{DebtState, Postgres, Target};

/// Open conflicts looked at once.
const CONFLICTS: i64 = 1000;

/// Mends the listed memories. What the list says of them is looked up again: it may be old, or have gone through JSON.
/// Without a strategy conflicts are decided by the configured one.
pub async fn repair(
    job: Job<'_>,
    mut list: Vec<Inconsistency>,
    strategy: Option<ConflictStrategy>,
) -> Result<SyncResult> {
    let begun = Instant::now();
    let strategy = strategy.unwrap_or(job.config.conflict_strategy);
    let (graph, target) = job.seat.ours_now().await?;
    let sides = Sides { postgres: job.postgres, graph: graph.as_ref(), target: &target };
    let mut ids: Vec<Uuid> = list.iter().map(|inconsistency| inconsistency.memory_id).collect();
    ids.sort_unstable();
    ids.dedup();
    job.postgres.follow_rows(&ids).await?;
    let mut mended = Mended::default();
    let meter = job.meter(count(ids.len()));
    for page in ids.chunks(PAGE) {
        if job.cancelled() {
            break;
        }
        let confirmed = confirm(sides, page).await?;
        mended.add(mend(job, sides, strategy, confirmed.differences, page).await?);
        close_settled(job, sides, None, Some(page)).await?;
        meter.advance(count(page.len()));
    }
    meter.finish();
    mended.explain(&mut list);
    Ok(SyncResult {
        total_checked: count(ids.len()),
        inconsistencies: list,
        repaired: mended.repaired,
        failed: count(mended.failed.len()),
        conflicts: count(mended.parked.len()),
        duration: milliseconds(begun),
        pending: pending(job.postgres, &target, None).await?,
        ..SyncResult::default()
    })
}

/// What a full sync does.
#[derive(Debug, Clone, Copy, Default)]
pub struct FullSync<'a> {
    pub check: CheckScope<'a>,
    /// Mend at most so many differences.
    pub limit: Option<usize>,
    /// Only check.
    pub dry_run: bool,
    /// None: the configured one.
    pub strategy: Option<ConflictStrategy>,
    /// Leave alone what the graph has refused for good: the background would try it for ever.
    pub spare_dead: bool,
    /// Compare only some rows with their states, those that come next: all of them take time.
    pub some_rows: bool,
}

/// Pays what is owed, checks everything (of a user), mends what differs.
pub async fn full_sync(job: Job<'_>, wanted: FullSync<'_>) -> Result<SyncResult> {
    let begun = Instant::now();
    job.seat.flush().await;
    let user_id = wanted.check.user_id;
    let (graph, target, digests) = if wanted.dry_run {
        let (graph, target, digests) = ours_with_digests(job, user_id).await?;
        (graph, target, Some(digests))
    } else {
        let (graph, target) = job.seat.ours_now().await?;
        (graph, target, None)
    };
    let sides = Sides { postgres: job.postgres, graph: graph.as_ref(), target: &target };
    let mut strays =
        if wanted.some_rows { rows::compare_some(job).await? } else { rows::compare(job, user_id).await? };
    strays.truncate(wanted.limit.unwrap_or(usize::MAX));
    if !wanted.dry_run {
        rows::follow(job, &strays).await?;
    }
    let mut found: Vec<Inconsistency> = strays.iter().map(rows::inconsistency).collect();
    let mut mended = Mended::default();
    let mut check = match digests {
        Some(digests) => Check::of(job, sides, wanted.check, &digests),
        None => {
            let owed = DrainScope { user_id: user_id.map(str::to_owned), ..DrainScope::default() };
            mended = drain_with(job, sides.graph, &target, &owed, &Meter::silent()).await?.into();
            Check::begin(job, sides, wanted.check).await?
        }
    };
    walk(job, sides, &wanted, &mut check, &mut mended, &mut found).await?;
    let left = pending(job.postgres, &target, user_id).await?;
    let through = !wanted.dry_run && !wanted.full(&found) && !job.cancelled();
    if through {
        close_settled(job, sides, user_id, None).await?;
        sweep_entities(job, sides.graph, None).await?;
    }
    if through && user_id.is_none() && left == 0 && mended.complete() {
        job.postgres.mark_synced().await?;
    }
    mended.explain(&mut found);
    Ok(SyncResult {
        total_checked: check.compared,
        inconsistencies: found,
        repaired: mended.repaired,
        failed: count(mended.failed.len()),
        conflicts: count(mended.parked.len()),
        duration: milliseconds(begun),
        pending: left,
        foreign_edges: check.foreign_edges,
        ..SyncResult::default()
    })
}

impl FullSync<'_> {
    fn full(&self, found: &[Inconsistency]) -> bool {
        self.limit.is_some_and(|limit| found.len() >= limit)
    }
}

/// Checks group by group, mends as it goes, and adds to what was found.
async fn walk(
    job: Job<'_>,
    sides: Sides<'_>,
    wanted: &FullSync<'_>,
    check: &mut Check<'_>,
    mended: &mut Mended,
    found: &mut Vec<Inconsistency>,
) -> Result<()> {
    let strategy = wanted.strategy.unwrap_or(job.config.conflict_strategy);
    while !wanted.full(found)
        && let Some(mut group) = check.next().await?
    {
        // A row that was changed past the triggers is told once.
        group.retain(|difference| {
            found.iter().all(|known| known.memory_id != difference.memory_id) || !wanted.dry_run
        });
        group.truncate(wanted.limit.map_or(usize::MAX, |limit| limit.saturating_sub(found.len())));
        found.extend(group.iter().map(Inconsistency::from));
        if !wanted.dry_run {
            // What the graph has just refused would be refused again.
            group.retain(|difference| !mended.failed.contains(&difference.memory_id));
            let mut ids: Vec<Uuid> = group.iter().map(|difference| difference.memory_id).collect();
            if wanted.spare_dead {
                let dead = job.postgres.owed_among(&sides.target.target, &ids, DebtState::Dead).await?;
                ids.retain(|id| !dead.contains(id));
                group.retain(|difference| ids.contains(&difference.memory_id));
            }
            mended.add(mend(job, sides, strategy, group, &ids).await?);
        }
    }
    Ok(())
}

/// Checks everything (of a user) by its digests and mends what differs from Postgres.
pub(super) async fn mend_what_differs(
    job: Job<'_>,
    sides: Sides<'_>,
    user_id: Option<&str>,
) -> Result<Mended> {
    let mut mended = Mended::default();
    let mut check = Check::begin(job, sides, CheckScope { user_id, deep: false }).await?;
    while let Some(group) = check.next().await? {
        let ids: Vec<Uuid> = group.iter().map(|difference| difference.memory_id).collect();
        mended.add(mend(job, sides, ConflictStrategy::VectorWins, group, &ids).await?);
    }
    Ok(mended)
}

/// Closes open conflicts (of a user, among these) of memories that differ no more: a later write has gone over the node.
async fn close_settled(
    job: Job<'_>,
    sides: Sides<'_>,
    user_id: Option<&str>,
    ids: Option<&[Uuid]>,
) -> Result<()> {
    let mut after = None;
    while !job.cancelled() {
        let open = sides.postgres.open_conflicts(user_id, ids, after, CONFLICTS).await?;
        let Some(last) = open.last() else { break };
        after = Some(*last);
        let differing = confirm(sides, &open).await?.differences;
        let settled: Vec<Uuid> = open
            .into_iter()
            .filter(|id| differing.iter().all(|difference| difference.memory_id != *id))
            .collect();
        sides.postgres.close_conflicts(&settled).await?;
    }
    Ok(())
}

/// Debts to the graph (of a user) that somebody will pay.
pub async fn pending(postgres: &Postgres, target: &Target, user_id: Option<&str>) -> Result<u64> {
    let counts = postgres.queue_counts(&target.target, user_id).await?;
    Ok(u64::try_from(counts.pending).unwrap_or_default())
}
