//! Bringing memories up to date: conflicts are decided, what differs is owed under a version the graph must accept, then
//! drained.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::confirm::{PAGE, Sides, confirm};
use super::conflict::{Arbiter, Arbitration};
use super::difference::Difference;
use super::drain::{DrainScope, Drained, drain_with};
use super::job::{Job, Meter, count};
use crate::config::ConflictStrategy;
use crate::error::Result;
use crate::model::Inconsistency;
use crate::store::postgres::{Postgres, Target};

/// How often a memory is mended within a call. Once is not enough where an entity carries a wrong label or a relationship
/// can only be found once its mention is back.
const ROUNDS: usize = 2;

/// What became of differences.
#[derive(Debug, Default)]
pub(super) struct Mended {
    pub repaired: u64,
    pub failed: BTreeSet<Uuid>,
    /// Conflicts that wait for somebody to decide.
    pub parked: BTreeSet<Uuid>,
    /// Why conflicts could not be decided.
    reasons: BTreeMap<Uuid, String>,
}

impl Mended {
    pub fn add(&mut self, other: Self) {
        self.repaired += other.repaired;
        self.failed.extend(other.failed);
        self.parked.extend(other.parked);
        self.reasons.extend(other.reasons);
    }

    /// Whether nothing is left that this call knows of.
    pub fn complete(&self) -> bool {
        self.failed.is_empty() && self.parked.is_empty()
    }

    /// Says with the differences why their conflicts could not be decided.
    pub fn explain(&self, list: &mut [Inconsistency]) {
        for inconsistency in list {
            if let Some(reason) = self.reasons.get(&inconsistency.memory_id) {
                inconsistency.details = format!("{}; left as it is: {reason}", inconsistency.details);
            }
        }
    }
}

impl From<Drained> for Mended {
    fn from(drained: Drained) -> Self {
        Self { repaired: drained.paid, failed: drained.refused.into_iter().collect(), ..Self::default() }
    }
}

/// Brings memories up to date: those that differ, and those among `ids` that are merely owed.
pub(super) async fn mend(
    job: Job<'_>,
    sides: Sides<'_>,
    strategy: ConflictStrategy,
    differences: Vec<Difference>,
    ids: &[Uuid],
) -> Result<Mended> {
    let Arbitration { mend, parked, failed, moved } =
        Arbiter { job, sides, strategy }.settle(differences).await?;
    let mut left: BTreeSet<Uuid> = ids.iter().copied().collect();
    for id in parked.iter().chain(&moved).chain(failed.iter().map(|(id, _)| id)) {
        left.remove(id);
    }
    let mut mended = mend_thoroughly(job, sides, mend, &left.into_iter().collect::<Vec<_>>()).await?;
    mended.parked.extend(parked);
    mended.failed.extend(failed.iter().map(|(id, _)| *id));
    mended.reasons.extend(failed);
    Ok(mended)
}

async fn mend_thoroughly(
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
