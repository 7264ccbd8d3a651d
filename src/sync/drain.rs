//! Paying debts: claim, read the current row, apply, acknowledge by revision.

use uuid::Uuid;

use super::job::Job;
use crate::config::PersistenceConfig;
use crate::error::{Error, Reason, Result};
use crate::model::Projection;
use crate::store::graph::GraphStore;
use crate::store::postgres::{ClaimScope, Postgres, Release, Target};

/// Memories per graph transaction.
const BATCH: i64 = 50;
/// Three times what a graph transaction may take.
const LEASE_MS: i64 = 30_000;

/// Which debts to pay.
#[derive(Debug, Clone, Default)]
pub struct DrainScope {
    pub user_id: Option<String>,
    pub ids: Option<Vec<Uuid>>,
    /// Pay at most so many; none: until nothing is left that can be paid.
    pub limit: Option<usize>,
}

/// What a drain did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drained {
    pub paid: u64,
    /// Memories the graph refused for good.
    pub refused: Vec<Uuid>,
}

/// Pays debts until none is left in scope, the limit is reached or the graph cannot be reached (an error, with all
/// leases given back and no attempt counted).
pub async fn drain(
    job: Job<'_>,
    graph: &dyn GraphStore,
    target: &Target,
    scope: &DrainScope,
) -> Result<Drained> {
    let Job { postgres, config, .. } = job;
    let mut drained = Drained::default();
    let claims = ClaimScope { user_id: scope.user_id.clone(), ids: scope.ids.clone() };
    let mut left = scope.limit.map_or(i64::MAX, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
    // This call takes debts whether they are due or not, so it must leave alone what was just refused.
    while left > 0 && !job.cancelled() {
        let token = Uuid::new_v4();
        let ids = postgres
            .claim(&target.target, &claims, &drained.refused, token, LEASE_MS, left.min(BATCH))
            .await?;
        if ids.is_empty() {
            break;
        }
        left -= i64::try_from(ids.len()).unwrap_or(left);
        let lease = Lease { postgres, target, token };
        let projections = postgres.projections(&ids).await?;
        lease.strike_unknown(&ids, &projections).await?;
        pay(&lease, graph, projections, config, &mut drained).await?;
    }
    Ok(drained)
}

struct Lease<'a> {
    postgres: &'a Postgres,
    target: &'a Target,
    token: Uuid,
}

impl Lease<'_> {
    /// A debt for a memory without state speaks of nothing.
    async fn strike_unknown(&self, ids: &[Uuid], known: &[Projection]) -> Result<()> {
        let unknown: Vec<(Uuid, i64)> = ids
            .iter()
            .filter(|id| !known.iter().any(|projection| projection.memory_id == **id))
            .map(|id| (*id, i64::MAX))
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        self.postgres.acknowledge(&self.target.target, &unknown).await.map(drop)
    }

    async fn give_back(
        &self,
        batch: &[Projection],
        error: &Error,
        config: &PersistenceConfig,
        refused: bool,
    ) -> Result<()> {
        let ids: Vec<Uuid> = batch.iter().map(|projection| projection.memory_id).collect();
        let release = Release {
            max_attempts: refused.then(|| i32::try_from(config.retry_attempts.max(1)).unwrap_or(i32::MAX)),
            delay_ms: i64::try_from(config.retry_delay_ms).unwrap_or(i64::MAX),
            error: format!("{}: {}", error.reason.name(), error.message),
        };
        self.postgres.release(&self.target.target, self.token, &ids, &release).await
    }
}

/// Applies a batch. What the graph refuses for good is halved until the culprit stands alone; its neighbours go
/// through.
async fn pay(
    lease: &Lease<'_>,
    graph: &dyn GraphStore,
    batch: Vec<Projection>,
    config: &PersistenceConfig,
    drained: &mut Drained,
) -> Result<()> {
    let mut stack = vec![batch];
    while let Some(batch) = stack.pop() {
        if batch.is_empty() {
            continue;
        }
        match graph.project(&batch).await {
            Ok(applied) if applied.len() == batch.len() => {
                let paid: Vec<(Uuid, i64)> = batch
                    .iter()
                    .map(|projection| (projection.memory_id, projection.version.revision))
                    .collect();
                lease.postgres.acknowledge(&lease.target.target, &paid).await?;
                drained.paid += u64::try_from(paid.len()).unwrap_or_default();
            }
            Ok(_) => {
                let error = Error::graph(
                    Reason::Internal,
                    "the graph answered for another number of memories than were sent",
                );
                give_all_back(lease, &batch, &stack, &error, config).await?;
                return Err(error);
            }
            Err(error) if error.reason.retryable() || error.reason == Reason::GraphStoreMismatch => {
                give_all_back(lease, &batch, &stack, &error, config).await?;
                return Err(error);
            }
            Err(error) if batch.len() == 1 => {
                lease.give_back(&batch, &error, config, true).await?;
                drained.refused.extend(batch.iter().map(|projection| projection.memory_id));
            }
            Err(_) => {
                let mut left = batch;
                let right = left.split_off(left.len() / 2);
                stack.push(right);
                stack.push(left);
            }
        }
    }
    Ok(())
}

async fn give_all_back(
    lease: &Lease<'_>,
    batch: &[Projection],
    rest: &[Vec<Projection>],
    error: &Error,
    config: &PersistenceConfig,
) -> Result<()> {
    lease.give_back(batch, error, config, false).await?;
    for waiting in rest {
        lease.give_back(waiting, error, config, false).await?;
    }
    Ok(())
}
