//! Paying what is owed to the models: claim, read, ask the model, write what it gave under the fence of the content that
//! it read.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::time::sleep;
use uuid::Uuid;

use super::Models;
use super::provider::Provider;
use crate::config::PersistenceConfig;
use crate::error::{Error, Result};
use crate::metrics::Payment;
use crate::model::{Owed, OwedToModels};
use crate::store::postgres::{Content, Lease, ModelClaim, ModelCounts, ModelTarget, Postgres, Release};
use crate::sync::job::{Job, Meter, count};

/// Longer than a batch takes, with all the repetitions of a provider in trouble. A lease that ends too early costs a
/// second call, and nothing else.
const LEASE_MS: i64 = 60_000;
/// How long a batch may go on after an abort before its leases are given back.
const GRACE: Duration = Duration::from_millis(1500);

/// Which model debts to pay.
#[derive(Debug, Clone, Default)]
pub struct ModelScope {
    pub user_id: Option<String>,
    pub embed: bool,
    pub extract: bool,
    /// Only what is due, and only of models that are not left in peace: what the background does.
    pub due: bool,
    /// The caller has agreed to paid calls for rows that other code wrote.
    pub consent: bool,
    /// Pay at most so many; none: until nothing is left that can be paid.
    pub limit: Option<u64>,
    /// Begin no batch after this.
    pub until: Option<Instant>,
}

/// What was paid.
#[derive(Debug, Default)]
pub struct ModelsPaid {
    pub embedded: u64,
    pub extracted: u64,
    /// Memories that a model refused.
    pub refused: u64,
    /// Why not everything was paid: a model that does not answer.
    pub stopped: Option<Error>,
}

/// One kind of model at work.
#[async_trait]
pub(super) trait Payer: Sync {
    fn target(&self) -> ModelTarget;
    /// Memories claimed at once.
    fn batch(&self) -> u64;
    fn is_paid(&self) -> bool;
    fn provider(&self) -> &Provider;
    async fn pay(&self, contents: Vec<Content>) -> Result<Settled>;
}

/// How a batch ended. What is in neither list was passed over: its content has changed, or its row is locked.
#[derive(Debug, Default)]
pub(super) struct Settled {
    pub paid: Vec<Uuid>,
    pub refused: Vec<(Uuid, Error)>,
    /// The model does not answer: no memory's fault.
    pub stopped: Option<Error>,
}

/// What is owed to the models (for a user), seen by this instance.
pub async fn owed_to_models(
    models: &Models,
    postgres: &Postgres,
    config: &PersistenceConfig,
    user_id: Option<&str>,
) -> Result<OwedToModels> {
    let (embedding, extraction) = postgres.model_counts(user_id).await?;
    let embedder = models.embedding_payer(postgres, config).await?;
    let extractor = models.extraction_payer(postgres, config);
    Ok(OwedToModels {
        embedding: owed(&embedding, embedder.as_ref().map(|payer| payer.is_paid())),
        extraction: owed(&extraction, extractor.as_ref().map(|payer| payer.is_paid())),
    })
}

fn owed(counts: &ModelCounts, is_paid: Option<bool>) -> Owed {
    let ModelCounts { asked, unasked, dead } = *counts;
    match is_paid {
        None => Owed { pending: 0, waiting: asked + unasked, dead },
        Some(true) => Owed { pending: asked, waiting: unasked, dead },
        Some(false) => Owed { pending: asked + unasked, waiting: 0, dead },
    }
}

/// Pays what is owed to the models until none of it is left in scope, the limit or the end of the time is reached, or
/// the call is aborted. A model that does not answer ends its own part only.
pub async fn pay_models(
    job: Job<'_>,
    models: &Models,
    scope: &ModelScope,
    meter: &Meter,
) -> Result<ModelsPaid> {
    let mut all = ModelsPaid::default();
    if scope.embed
        && let Some(payer) = models.embedding_payer(job.postgres, job.config).await?
    {
        let part = Work { job, payer: &payer, scope, meter }.run(scope.limit).await?;
        all.embedded = part.paid;
        all.take(part);
    }
    let left = scope.limit.map(|limit| limit.saturating_sub(all.embedded));
    if scope.extract
        && let Some(payer) = models.extraction_payer(job.postgres, job.config)
    {
        let part = Work { job, payer: &payer, scope, meter }.run(left).await?;
        all.extracted = part.paid;
        all.take(part);
    }
    Ok(all)
}

impl ModelsPaid {
    fn take(&mut self, part: Part) {
        self.refused += count(part.passed_over.refused);
        self.stopped = self.stopped.take().or(part.stopped);
    }
}

/// What one model's part came to.
#[derive(Default)]
struct Part {
    paid: u64,
    passed_over: PassedOver,
    stopped: Option<Error>,
}

/// What this work does not claim again.
#[derive(Default)]
struct PassedOver {
    ids: Vec<Uuid>,
    refused: usize,
}

struct Work<'a> {
    job: Job<'a>,
    payer: &'a dyn Payer,
    scope: &'a ModelScope,
    meter: &'a Meter,
}

impl Work<'_> {
    async fn run(&self, limit: Option<u64>) -> Result<Part> {
        let mut part = Part::default();
        while part.stopped.is_none() && !self.over() {
            let left = limit.map_or(u64::MAX, |limit| limit.saturating_sub(part.paid));
            let lease = Lease { token: Uuid::new_v4(), duration_ms: LEASE_MS };
            let ids = self.claim(lease, left, &part.passed_over.ids).await?;
            if ids.is_empty() {
                break;
            }
            let settled = tokio::select! {
                settled = self.pay(&ids) => settled,
                () = self.patience() => Ok(Settled::default()),
            };
            let settled = match settled {
                Ok(settled) => settled,
                Err(error) => {
                    self.give_back(lease, &ids, &Release::default()).await?;
                    return Err(error);
                }
            };
            self.settle(lease, ids, settled, &mut part).await?;
        }
        Ok(part)
    }

    fn over(&self) -> bool {
        let late = self.scope.until.is_some_and(|until| Instant::now() >= until);
        late || self.job.cancelled() || (self.scope.due && self.payer.provider().pauses())
    }

    async fn claim(&self, lease: Lease, left: u64, except: &[Uuid]) -> Result<Vec<Uuid>> {
        let limit = i64::try_from(left.min(self.payer.batch())).unwrap_or(i64::MAX);
        if limit == 0 {
            return Ok(Vec::new());
        }
        let claim = ModelClaim {
            target: self.payer.target(),
            unasked: self.scope.consent || !self.payer.is_paid(),
            due: self.scope.due,
            user_id: self.scope.user_id.as_deref(),
            except,
        };
        self.job.postgres.claim_model_debts(&claim, lease, limit).await
    }

    async fn pay(&self, ids: &[Uuid]) -> Result<Settled> {
        fail::fail_point!("after_model_claim");
        self.payer.pay(self.job.postgres.contents(ids).await?).await
    }

    /// Ends some time after an abort: a model that hangs must not hold up whoever wants to stop.
    async fn patience(&self) {
        self.job.context.cancel.cancelled().await;
        sleep(GRACE).await;
    }

    /// Charges what was refused and gives back what was not paid.
    async fn settle(&self, lease: Lease, ids: Vec<Uuid>, settled: Settled, part: &mut Part) -> Result<()> {
        let Settled { paid, refused, stopped } = settled;
        let attempts = i32::try_from(self.job.config.retry_attempts.max(1)).unwrap_or(i32::MAX);
        let delay_ms = i64::try_from(self.job.config.retry_delay_ms).unwrap_or(i64::MAX);
        for (id, error) in &refused {
            let release =
                Release { max_attempts: Some(attempts), delay_ms, error: Some(told(error)), least_ms: 0 };
            self.give_back(lease, &[*id], &release).await?;
        }
        let is_settled = |id: &Uuid| paid.contains(id) || refused.iter().any(|(refused, _)| refused == id);
        let rest: Vec<Uuid> = ids.into_iter().filter(|id| !is_settled(id)).collect();
        self.give_back(lease, &rest, &self.release_of(stopped.as_ref())).await?;
        let target = self.payer.target().name();
        self.job.postgres.metrics().debts(target, Payment::Paid, count(paid.len()));
        self.meter.advance(count(paid.len() + refused.len()));
        part.paid += count(paid.len());
        part.passed_over.refused += refused.len();
        part.passed_over.ids.extend(refused.into_iter().map(|(id, _)| id).chain(rest));
        part.stopped = stopped;
        Ok(())
    }

    /// How debts that nobody is to blame for go back: at once, or after the pause that the provider gets.
    fn release_of(&self, stopped: Option<&Error>) -> Release {
        let Some(error) = stopped else { return Release::default() };
        log::info!("debts to a model stay owed: {error}");
        let base = Duration::from_millis(self.job.config.retry_delay_ms);
        let (least, longest) = self.payer.provider().failed(error, base);
        let milliseconds = |pause: Duration| i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
        Release {
            max_attempts: None,
            delay_ms: milliseconds(longest),
            least_ms: milliseconds(least),
            error: Some(told(error)),
        }
    }

    async fn give_back(&self, lease: Lease, ids: &[Uuid], release: &Release) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        self.job.postgres.release(self.payer.target().name(), lease.token, ids, release).await
    }
}

/// As it stands in the queue.
fn told(error: &Error) -> String {
    format!("{}: {}", error.reason.name(), error.message)
}
