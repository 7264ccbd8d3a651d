//! Paying debts: claim, read the current row, apply, acknowledge by revision.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::future::{join_all, pending};
use tokio::time::{sleep, sleep_until};
use uuid::Uuid;

use super::job::{Job, Meter, count};
use super::seat::mismatch;
use crate::error::{Error, Reason, Result};
use crate::model::{PROJECTION_VERSION, Projection};
use crate::store::graph::{GraphStore, Outcome, merely_slow};
use crate::store::postgres::{ClaimScope, Lease, Release, Target};

/// Memories claimed at once, and sent in one graph transaction unless they mention too much.
const BATCH: i64 = 500;
/// Those of a drain that has to be over in time.
const HURRIED: i64 = 100;
/// Contents held at once, per lane.
const CONTENT_BYTES: i64 = 16 << 20;
/// Mentions per graph transaction: its time and its memory on the server grow with them.
const MENTIONS: usize = 5000;
/// Batches under way at once: while one is being applied, another is claimed and read.
const LANES: usize = 2;
/// Three times what a graph transaction usually may take; extended where one takes longer.
const LEASE_MS: i64 = 30_000;
/// How long a batch may go on after an abort before its leases are given back.
const GRACE: Duration = Duration::from_millis(1500);
/// The same after the end of a drain's time.
const LATE: Duration = Duration::from_secs(10);
/// A transaction that takes longer makes the next ones smaller, one that takes less makes them larger again.
const SLOW: Duration = Duration::from_secs(4);
const FAST: Duration = Duration::from_secs(1);
/// What a batch is divided by when it took too long.
const SMALLER: usize = 4;
/// A graph that is there but did not answer in time is left alone for so long.
const PAUSE: Duration = Duration::from_secs(1);

/// Which debts to pay.
#[derive(Debug, Clone, Default)]
pub struct DrainScope {
    pub user_id: Option<String>,
    pub ids: Option<Vec<Uuid>>,
    /// Only what is due, of all users: what the background does. A caller's drain takes all it can get.
    pub due: bool,
    /// Pay at most so many; none: until nothing is left that can be paid.
    pub limit: Option<usize>,
    /// Begin no batch after this.
    pub until: Option<Instant>,
}

/// What a drain did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drained {
    pub paid: u64,
    /// Memories the graph refused for good.
    pub refused: Vec<Uuid>,
}

/// Pays debts until none is left in scope, the limit or the end of its time is reached, the call is aborted, or the
/// graph cannot be reached (an error, with all leases given back and no attempt counted). A graph that is merely slow gets
/// less at once, and fails the drain only when it has no time for a single memory.
pub async fn drain(
    job: Job<'_>,
    graph: &dyn GraphStore,
    target: &Target,
    scope: &DrainScope,
) -> Result<Drained> {
    drain_with(job, graph, target, scope, &job.meter(0)).await
}

/// As [`drain`], counting into a meter of the caller's.
pub async fn drain_with(
    job: Job<'_>,
    graph: &dyn GraphStore,
    target: &Target,
    scope: &DrainScope,
    meter: &Meter,
) -> Result<Drained> {
    let limit = scope.limit.map_or(i64::MAX, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
    let work = Work {
        job,
        graph,
        target,
        scope,
        meter,
        claims: ClaimScope { user_id: scope.user_id.clone(), ids: scope.ids.clone(), due: scope.due },
        left: AtomicI64::new(limit),
        paid: AtomicU64::new(0),
        refused: Mutex::default(),
        renewed: Mutex::default(),
        failed: AtomicBool::new(false),
        size: AtomicUsize::new(usize::MAX),
    };
    // One batch needs no second lane, which would only look for the same debts.
    let small = scope.ids.as_ref().is_some_and(|ids| length(ids) <= BATCH);
    let lanes = join_all((0..if small { 1 } else { LANES }).map(|_| work.lane())).await;
    lanes.into_iter().collect::<Result<()>>()?;
    let refused = work.refused.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Drained { paid: work.paid.into_inner(), refused })
}

struct Work<'a> {
    job: Job<'a>,
    graph: &'a dyn GraphStore,
    target: &'a Target,
    scope: &'a DrainScope,
    meter: &'a Meter,
    claims: ClaimScope,
    left: AtomicI64,
    paid: AtomicU64,
    refused: Mutex<Vec<Uuid>>,
    /// Given a new version by this drain, because the graph's horizon was above the old one.
    renewed: Mutex<BTreeSet<Uuid>>,
    /// A lane met an error that the others would meet too.
    failed: AtomicBool,
    /// Most memories per transaction, as the graph is fast.
    size: AtomicUsize,
}

impl Work<'_> {
    async fn lane(&self) -> Result<()> {
        while let Some(limit) = self.next_batch() {
            let lease = Lease { token: Uuid::new_v4(), duration_ms: lease_ms() };
            let ids = self.claim_open(lease, limit).await?;
            self.left.fetch_add(limit - length(&ids), Ordering::Relaxed);
            if ids.is_empty() {
                break;
            }
            fail::fail_point!("after_claim");
            let outcome = tokio::select! {
                outcome = self.pay(lease, &ids) => outcome,
                () = self.patience() => self.give_back(lease, &ids, None, false).await,
                error = self.hold(lease, &ids) => Err(error),
            };
            if outcome.is_err() {
                self.failed.store(true, Ordering::Relaxed);
            }
            outcome?;
        }
        Ok(())
    }

    /// How many to claim next; none when this drain is over.
    fn next_batch(&self) -> Option<i64> {
        if self.over() || self.failed.load(Ordering::Relaxed) {
            return None;
        }
        let most = if self.scope.until.is_some() { HURRIED } else { BATCH };
        let batch = most.min(i64::try_from(self.size()).unwrap_or(i64::MAX));
        let take = |left: i64| (left > 0).then_some(left - left.min(batch));
        let left = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).ok()?;
        Some(left.min(batch))
    }

    async fn claim(&self, lease: Lease, limit: i64) -> Result<Vec<Uuid>> {
        // A caller's drain takes debts whether they are due or not, so it must leave alone what was just refused.
        let except = self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.job.postgres.claim(&self.target.target, &self.claims, &except, lease, limit).await
    }

    /// Another lane may have met a refusal and given it back while this one claimed.
    async fn claim_open(&self, lease: Lease, limit: i64) -> Result<Vec<Uuid>> {
        let claimed = self.claim(lease, limit).await?;
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (again, open): (Vec<Uuid>, Vec<Uuid>) = claimed.into_iter().partition(|id| refused.contains(id));
        if !again.is_empty() {
            self.give_back(lease, &again, None, false).await?;
        }
        Ok(open)
    }

    /// Ends some time after an abort, or after the end of the drain's time: a graph that hangs must not hold up whoever
    /// wants to stop.
    async fn patience(&self) {
        let late = async {
            match self.scope.until {
                Some(until) => sleep_until((until + LATE).into()).await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = self.job.context.cancel.cancelled() => sleep(GRACE).await,
            () = late => {}
        }
    }

    /// Keeps what is under way from being claimed by others, however long it takes. Ends only with an error.
    async fn hold(&self, lease: Lease, ids: &[Uuid]) -> Error {
        let third = Duration::from_millis(u64::try_from(lease.duration_ms / 3).unwrap_or_default().max(1));
        loop {
            sleep(third).await;
            if let Err(error) = self.job.postgres.extend_lease(&self.target.target, lease, ids).await {
                return error;
            }
        }
    }

    /// Applies what was claimed, as much at once as may be held in memory.
    async fn pay(&self, lease: Lease, ids: &[Uuid]) -> Result<()> {
        let mut left: BTreeSet<Uuid> = ids.iter().copied().collect();
        while !left.is_empty() {
            let wanted: Vec<Uuid> = left.iter().copied().collect();
            let projections = self.job.postgres.projections_within(&wanted, CONTENT_BYTES).await?;
            if projections.is_empty() {
                return self.without_projection(lease, &wanted).await;
            }
            for projection in &projections {
                left.remove(&projection.memory_id);
            }
            fail::fail_point!("before_drain_apply");
            if let Err(error) = self.apply_all(lease, projections).await {
                let waiting: Vec<Uuid> = left.into_iter().collect();
                self.give_back(lease, &waiting, Some(&error), false).await?;
                return Err(error);
            }
        }
        Ok(())
    }

    /// What the graph refuses for good is halved until the culprit stands alone; its neighbours go through.
    async fn apply_all(&self, lease: Lease, projections: Vec<Projection>) -> Result<()> {
        let mut stack = transactions(projections, self.size());
        while let Some(batch) = stack.pop() {
            let begun = Instant::now();
            let applied = self.apply(lease, &batch).await;
            self.pace(batch.len(), begun.elapsed());
            let Err(error) = applied else { continue };
            if merely_slow(&error) && batch.len() > 1 && !self.over() {
                log::info!("the graph is slow, so it gets less at once: {error}");
                sleep(PAUSE).await;
                let fewer = (batch.len() / SMALLER).max(1).min(self.size());
                stack.extend(transactions(batch, fewer));
                continue;
            }
            if error.reason.retryable() || error.reason == Reason::GraphStoreMismatch {
                let waiting: Vec<Uuid> =
                    batch.iter().chain(stack.iter().flatten()).map(|p| p.memory_id).collect();
                self.give_back(lease, &waiting, Some(&error), false).await?;
                return Err(error);
            }
            if let [culprit] = batch.as_slice() {
                // Before it is given back, so that no lane takes it again.
                self.refused.lock().unwrap_or_else(PoisonError::into_inner).push(culprit.memory_id);
                self.give_back(lease, &[culprit.memory_id], Some(&error), true).await?;
                self.meter.advance(1);
                continue;
            }
            let mut left = batch;
            let right = left.split_off(left.len() / 2);
            stack.push(right);
            stack.push(left);
        }
        Ok(())
    }

    fn size(&self) -> usize {
        self.size.load(Ordering::Relaxed)
    }

    /// Learns from a transaction of so many memories how many the next may have.
    fn pace(&self, memories: usize, took: Duration) {
        let next = |size: usize| {
            if took > SLOW {
                Some(size.min((memories / SMALLER).max(1)))
            } else {
                (took < FAST).then(|| size.saturating_mul(2))
            }
        };
        // Nothing to learn: it stays as it is.
        let _ = self.size.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
    }

    /// Whether this drain is at its end.
    fn over(&self) -> bool {
        self.job.cancelled() || self.scope.until.is_some_and(|until| Instant::now() >= until)
    }

    async fn apply(&self, lease: Lease, batch: &[Projection]) -> Result<()> {
        known_form(batch)?;
        let applied = self.graph.project(batch).await?;
        if applied.len() != batch.len() {
            let problem = "the graph answered for another number of memories than were sent";
            return Err(Error::graph(Reason::Unavailable, problem));
        }
        fail::fail_point!("after_drain_apply");
        let below: Vec<Uuid> =
            applied.iter().filter(|a| a.outcome == Outcome::BelowHorizon).map(|a| a.memory_id).collect();
        // Refused means that the graph holds a newer version, which pays this one too.
        let paid: Vec<(Uuid, i64)> = batch
            .iter()
            .filter(|projection| !below.contains(&projection.memory_id))
            .map(|projection| (projection.memory_id, projection.version.revision))
            .collect();
        self.job.postgres.acknowledge(&self.target.target, &paid).await?;
        self.paid.fetch_add(count(paid.len()), Ordering::Relaxed);
        self.meter.advance(count(paid.len()));
        if !below.is_empty() {
            self.job.postgres.renew(&self.target.target, &below).await?;
            self.give_back(lease, &below, None, false).await?;
            self.leave_what_stays_below(&below);
        }
        Ok(())
    }

    /// A new version is above the horizon. One that is not, for whatever reason, is left to another drain.
    fn leave_what_stays_below(&self, below: &[Uuid]) {
        let mut renewed = self.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        let again = below.iter().copied().filter(|id| !renewed.insert(*id));
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).extend(again);
    }

    /// A state without a row that is seen has no projection: the row was deleted past the triggers, or is hidden, which is
    /// an error. Its debt is paid by what becomes of the state.
    async fn without_projection(&self, lease: Lease, ids: &[Uuid]) -> Result<()> {
        let known = self.job.postgres.get_states(ids).await?;
        let (known, unknown): (Vec<Uuid>, Vec<Uuid>) =
            ids.iter().partition(|id| known.iter().any(|state| state.memory_id == **id));
        self.strike_unknown(&unknown).await?;
        if known.is_empty() {
            return Ok(());
        }
        let followed = self.job.postgres.follow_rows(&known).await;
        self.give_back(lease, &known, followed.as_ref().err(), false).await?;
        let followed = followed?;
        // What nobody could follow, because its row is locked, is met again by the next drain.
        let left = known.into_iter().filter(|id| !followed.contains(id));
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).extend(left);
        Ok(())
    }

    /// A debt for a memory without state speaks of nothing.
    async fn strike_unknown(&self, ids: &[Uuid]) -> Result<()> {
        let unknown: Vec<(Uuid, i64)> = ids.iter().map(|id| (*id, i64::MAX)).collect();
        self.job.postgres.acknowledge(&self.target.target, &unknown).await.map(drop)
    }

    async fn give_back(
        &self,
        lease: Lease,
        ids: &[Uuid],
        error: Option<&Error>,
        refused: bool,
    ) -> Result<()> {
        let config = self.job.config;
        let release = Release {
            max_attempts: refused.then(|| i32::try_from(config.retry_attempts.max(1)).unwrap_or(i32::MAX)),
            // Without an error nothing speaks against trying at once.
            delay_ms: error.map_or(0, |_| i64::try_from(config.retry_delay_ms).unwrap_or(i64::MAX)),
            least_ms: 0,
            error: error.map(|error| format!("{}: {}", error.reason.name(), error.message)),
        };
        self.job.postgres.release(&self.target.target, lease.token, ids, &release).await
    }
}

/// Cuts a batch so that no part has more memories than `size` or, unless it is a single memory, mentions more than
/// [`MENTIONS`].
fn transactions(projections: Vec<Projection>, size: usize) -> Vec<Vec<Projection>> {
    let mut parts: Vec<Vec<Projection>> = Vec::new();
    let mut room = 0;
    for projection in projections {
        let mentions = projection.entities.len();
        match parts.last_mut() {
            Some(part) if mentions <= room && part.len() < size => part.push(projection),
            _ => {
                parts.push(vec![projection]);
                room = MENTIONS;
            }
        }
        room = room.saturating_sub(mentions);
    }
    parts
}

/// Another version of this package may have changed what is projected: writing it without what we do not know of would
/// look right and be wrong.
pub(super) fn known_form(batch: &[Projection]) -> Result<()> {
    if batch.iter().all(|projection| projection.projection_version <= PROJECTION_VERSION) {
        return Ok(());
    }
    Err(mismatch("this database belongs to a newer version of izzie-memory"))
}

fn lease_ms() -> i64 {
    fail::fail_point!("lease_ms", |value| value.and_then(|ms| ms.parse().ok()).unwrap_or(LEASE_MS));
    LEASE_MS
}

fn length<T>(list: &[T]) -> i64 {
    i64::try_from(list.len()).unwrap_or(i64::MAX)
}
