//! Mending drift: what differs is owed under a version the graph must accept, then drained.

use std::collections::BTreeSet;
use std::time::Instant;

use uuid::Uuid;

use super::check::{Check, CheckScope};
use super::confirm::{PAGE, Sides, confirm};
use super::difference::Difference;
use super::drain::{DrainScope, Drained, drain_with};
use super::job::{Job, Meter};
use crate::error::Result;
use crate::model::{Inconsistency, SyncResult};
use crate::store::postgres::{Postgres, Target};

/// How often a memory is mended within a call. Once is not enough where an entity carries a wrong label or a relationship
/// can only be found once its mention is back.
const ROUNDS: usize = 2;

/// Mends the listed memories. What the list says of them is looked up again: it may be old, or have gone through JSON.
pub async fn repair(job: Job<'_>, list: Vec<Inconsistency>) -> Result<SyncResult> {
    let begun = Instant::now();
    let (graph, target) = job.seat.ours_now().await?;
    let sides = Sides { postgres: job.postgres, graph: graph.as_ref(), target: &target };
    let mut ids: Vec<Uuid> = list.iter().map(|inconsistency| inconsistency.memory_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut mended = Mended::default();
    let meter = job.meter(count(ids.len()));
    for page in ids.chunks(PAGE) {
        if job.cancelled() {
            break;
        }
        let confirmed = confirm(sides, page).await?;
        mended.add(mend(job, sides, confirmed.differences, page).await?);
        meter.advance(count(page.len()));
    }
    meter.finish();
    Ok(SyncResult {
        total_checked: count(ids.len()),
        inconsistencies: list,
        repaired: mended.repaired,
        failed: mended.failed(),
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
}

/// Pays what is owed, checks everything (of a user), mends what differs.
pub async fn full_sync(job: Job<'_>, wanted: FullSync<'_>) -> Result<SyncResult> {
    let FullSync { check: scope, limit, dry_run } = wanted;
    let begun = Instant::now();
    job.seat.flush().await;
    let (graph, target) = job.seat.ours_now().await?;
    let sides = Sides { postgres: job.postgres, graph: graph.as_ref(), target: &target };
    let mut mended = Mended::default();
    if !dry_run {
        let owed = DrainScope { user_id: scope.user_id.map(str::to_owned), ..DrainScope::default() };
        mended = drain_with(job, sides.graph, &target, &owed, &Meter::silent()).await?.into();
    }
    let mut check = Check::begin(job, sides, scope).await?;
    let mut found: Vec<Inconsistency> = Vec::new();
    let full = |found: &[Inconsistency]| limit.is_some_and(|limit| found.len() >= limit);
    while !full(&found)
        && let Some(mut group) = check.next().await?
    {
        group.truncate(limit.map_or(usize::MAX, |limit| limit - found.len()));
        found.extend(group.iter().map(Inconsistency::from));
        if !dry_run {
            // What the graph has just refused would be refused again.
            group.retain(|difference| !mended.failed.contains(&difference.memory_id));
            let ids: Vec<Uuid> = group.iter().map(|difference| difference.memory_id).collect();
            mended.add(mend(job, sides, group, &ids).await?);
        }
    }
    let left = pending(job.postgres, &target, scope.user_id).await?;
    let all = scope.user_id.is_none() && !full(&found) && !job.cancelled();
    if all && !dry_run && left == 0 && mended.failed.is_empty() {
        job.postgres.mark_synced().await?;
    }
    Ok(SyncResult {
        total_checked: check.compared,
        inconsistencies: found,
        repaired: mended.repaired,
        failed: mended.failed(),
        duration: milliseconds(begun),
        pending: left,
        ..SyncResult::default()
    })
}

/// Checks everything (of a user) by its digests and mends what differs.
pub(super) async fn mend_what_differs(
    job: Job<'_>,
    sides: Sides<'_>,
    user_id: Option<&str>,
) -> Result<Mended> {
    let mut mended = Mended::default();
    let mut check = Check::begin(job, sides, CheckScope { user_id, deep: false }).await?;
    while let Some(group) = check.next().await? {
        let ids: Vec<Uuid> = group.iter().map(|difference| difference.memory_id).collect();
        mended.add(mend(job, sides, group, &ids).await?);
    }
    Ok(mended)
}

/// What became of differences.
#[derive(Debug, Default)]
pub(super) struct Mended {
    pub repaired: u64,
    pub failed: BTreeSet<Uuid>,
}

impl Mended {
    fn add(&mut self, other: Self) {
        self.repaired += other.repaired;
        self.failed.extend(other.failed);
    }

    fn failed(&self) -> u64 {
        count(self.failed.len())
    }
}

impl From<Drained> for Mended {
    fn from(drained: Drained) -> Self {
        Self { repaired: drained.paid, failed: drained.refused.into_iter().collect() }
    }
}

/// Brings memories up to date: those that differ, and those among `ids` that are merely owed.
async fn mend(
    job: Job<'_>,
    sides: Sides<'_>,
    mut differences: Vec<Difference>,
    ids: &[Uuid],
) -> Result<Mended> {
    let mut mended = mend_once(job, sides, &differences, ids).await?;
    for round in 1..=ROUNDS {
        let thorough: Vec<Uuid> = differences
            .iter()
            .filter(|difference| difference.thorough())
            .map(|difference| difference.memory_id)
            .filter(|id| !mended.failed.contains(id))
            .collect();
        if thorough.is_empty() || job.cancelled() {
            break;
        }
        differences = confirm(sides, &thorough).await?.differences;
        let left: Vec<Uuid> = differences.iter().map(|difference| difference.memory_id).collect();
        if round == ROUNDS {
            mended.repaired = mended.repaired.saturating_sub(count(left.len()));
            mended.failed.extend(left);
        } else if !left.is_empty() {
            // Counted in the first round.
            let again = mend_once(job, sides, &differences, &left).await?;
            mended.failed.extend(again.failed);
        }
    }
    Ok(mended)
}

async fn mend_once(
    job: Job<'_>,
    sides: Sides<'_>,
    differences: &[Difference],
    ids: &[Uuid],
) -> Result<Mended> {
    let edited: Vec<Uuid> = differences
        .iter()
        .filter(|difference| difference.node.is_some())
        .map(|difference| difference.memory_id)
        .collect();
    for page in edited.chunks(PAGE) {
        sides.graph.distrust(page).await?;
    }
    fail::fail_point!("after_distrust");
    owe(sides.postgres, sides.target, differences).await?;
    let scope = DrainScope { ids: Some(ids.to_vec()), ..DrainScope::default() };
    // The check tells how far it is.
    let silent = Meter::silent();
    Ok(drain_with(job, sides.graph, sides.target, &scope, &silent).await?.into())
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
