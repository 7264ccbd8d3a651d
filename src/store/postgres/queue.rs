//! The dirty set `memory_sync`: claim with a lease, acknowledge by revision, back off, bury.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use tokio::time::sleep;
use uuid::Uuid;

use super::connection::{Effect, Postgres};
use super::statement::Sql;
use crate::error::Result;
use crate::metrics::Payment;
use crate::model::Projection;

/// Pauses after an acknowledgement that passed rows over.
const ACKNOWLEDGE_AGAIN: [Duration; 4] =
    [Duration::from_millis(2), Duration::from_millis(10), Duration::from_millis(40), Duration::ZERO];

/// Which debts to claim.
#[derive(Debug, Clone, Default)]
pub struct ClaimScope {
    pub user_id: Option<String>,
    pub ids: Option<Vec<Uuid>>,
    /// Only what is due, the longest due first; of all users.
    pub due: bool,
}

/// A lease on debts: who has it and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Lease {
    pub token: Uuid,
    pub duration_ms: i64,
}

/// A debt as it is listed.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Debt {
    pub memory_id: Uuid,
    pub user_id: String,
    pub target: String,
    pub state: String,
    pub revision: i64,
    pub attempts: i32,
    pub next_attempt_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leased_until: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    pub owed_at: DateTime<Utc>,
}

/// Which debts to list, and after which one.
#[derive(Debug, Clone, Default)]
pub struct QueueFilter {
    pub state: Option<DebtState>,
    /// As they stand in `memory_sync`.
    pub targets: Option<Vec<String>>,
    pub user_id: Option<String>,
    pub after: Option<(String, Uuid)>,
}

/// `pending` is paid by whoever comes; `dead` was refused for good and waits for a new write or a retry by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DebtState {
    Pending,
    Dead,
}

impl DebtState {
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Dead => "dead",
        }
    }
}

/// To whom something is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DebtTarget {
    Graph,
    Embedding,
    Extraction,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct QueueCounts {
    pub pending: i64,
    pub dead: i64,
    /// Pending debts of live memories.
    pub pending_live: i64,
}

impl Postgres {
    /// Leases up to `limit` debts that nobody else holds, none of `except`. Answers the memories.
    pub async fn claim(
        &self,
        target: &str,
        scope: &ClaimScope,
        except: &[Uuid],
        lease: Lease,
        limit: i64,
    ) -> Result<Vec<Uuid>> {
        let sql = if scope.due {
            Sql::new(include_str!("queries/claim_due.sql")).bind(target)
        } else {
            Sql::new(include_str!("queries/claim.sql")).bind(target).bind(&scope.user_id).bind(&scope.ids)
        };
        let sql = sql.bind(except).bind(lease.token).bind(lease.duration_ms).bind(limit);
        self.background().scalars(Effect::Repeatable, sql).await
    }

    /// What the graph shall hold of these memories now.
    pub async fn projections(&self, ids: &[Uuid]) -> Result<Vec<Projection>> {
        let rows: Vec<Json<Projection>> = self
            .background()
            .scalars(Effect::Repeatable, Sql::new(include_str!("queries/projections.sql")).bind(ids))
            .await?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// As [`projections`](Self::projections), but only as many as hold about so many bytes of content; none only where
    /// none is known.
    pub async fn projections_within(&self, ids: &[Uuid], bytes: i64) -> Result<Vec<Projection>> {
        let sql = Sql::new(include_str!("queries/projections_within.sql")).bind(ids).bind(bytes);
        let rows: Vec<Json<Projection>> = self.background().scalars(Effect::Repeatable, sql).await?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// Strikes off debts that an applied revision pays, and gives back the lease on those it does not.
    ///
    /// A row that somebody else has locked is passed over: a writer, who owes a newer revision, or another claim for the
    /// moment that it takes to see the lease. The latter is worth another try; otherwise the lease ends by itself.
    pub async fn acknowledge(&self, target: &str, applied: &[(Uuid, i64)]) -> Result<u64> {
        let mut applied = applied.to_vec();
        applied.sort_unstable();
        let (ids, revisions): (Vec<Uuid>, Vec<i64>) = applied.into_iter().unzip();
        let sql = Sql::new(include_str!("queries/acknowledge.sql")).bind(target).bind(&ids).bind(&revisions);
        let mut total = 0;
        for pause in ACKNOWLEDGE_AGAIN {
            let (struck, payable): (i64, i64) =
                self.background().one(Effect::Repeatable, sql.clone()).await?;
            total += struck;
            if struck >= payable {
                break;
            }
            sleep(pause).await;
        }
        let paid = u64::try_from(total).unwrap_or_default();
        self.metrics().debts(target, Payment::Paid, paid);
        Ok(paid)
    }

    /// Holds on to what a lease still has of these debts.
    pub async fn extend_lease(&self, target: &str, lease: Lease, ids: &[Uuid]) -> Result<()> {
        let sql = Sql::new(include_str!("queries/extend_lease.sql"))
            .bind(target)
            .bind(lease.token)
            .bind(ids)
            .bind(lease.duration_ms);
        self.background().execute(Effect::Repeatable, sql).await
    }

    /// Gives a lease back. A refusal counts an attempt and buries the debt after `max_attempts`; without one (the
    /// store was away) nothing is counted.
    pub async fn release(&self, target: &str, token: Uuid, ids: &[Uuid], release: &Release) -> Result<()> {
        let sql = Sql::new(include_str!("queries/release.sql"))
            .bind(target)
            .bind(token)
            .bind(ids)
            .bind(release.max_attempts)
            .bind(release.delay_ms)
            .bind(&release.error)
            .bind(release.least_ms);
        let states: Vec<String> = self.background().scalars(Effect::Repeatable, sql).await?;
        for state in states.iter().filter(|_| release.max_attempts.is_some()) {
            let buried = state == DebtState::Dead.name();
            self.metrics().debts(target, if buried { Payment::Dead } else { Payment::Retried }, 1);
        }
        Ok(())
    }

    /// For how many seconds the oldest debt to the graph of this name, to embedder and extractor has been owed.
    pub async fn oldest_debts(&self, target: Option<&str>) -> Result<Vec<(String, f64)>> {
        let sql = Sql::new(include_str!("queries/oldest_debts.sql")).bind(target);
        self.user().all(Effect::Repeatable, sql).await
    }

    /// Owes these memories to a graph, tombstones included. Answers how many.
    pub async fn owe_many(&self, target: &str, ids: &[Uuid]) -> Result<u64> {
        let sql = Sql::new(include_str!("queries/owe_many.sql")).bind(target).bind(ids);
        let owed: i32 = self.background().scalar(Effect::Repeatable, sql).await?;
        Ok(u64::try_from(owed).unwrap_or_default())
    }

    /// Gives these memories new revisions and owes them to a graph.
    pub async fn renew(&self, target: &str, ids: &[Uuid]) -> Result<()> {
        let sql = Sql::new(include_str!("queries/renew.sql")).bind(target).bind(ids);
        self.background().execute(Effect::Repeatable, sql).await
    }

    /// A page of debts in the order of target and memory.
    pub async fn list_queue(&self, filter: &QueueFilter, limit: i64) -> Result<Vec<Debt>> {
        let (target, id) = filter.after.clone().unwrap_or((String::new(), Uuid::nil()));
        let sql = Sql::new(include_str!("queries/queue_page.sql"))
            .bind(filter.state.map(DebtState::name))
            .bind(&filter.targets)
            .bind(&filter.user_id)
            .bind(target)
            .bind(id)
            .bind(limit);
        self.user().all(Effect::Repeatable, sql).await
    }

    /// Makes debts due at once, attempts forgotten: all dead ones, or those of these memories that are dead or wait.
    /// Answers how many.
    pub async fn retry_now(&self, ids: Option<&[Uuid]>) -> Result<u64> {
        let sql = Sql::new(include_str!("queries/retry_now.sql")).bind(ids);
        let revived: i64 = self.user().scalar(Effect::Repeatable, sql).await?;
        Ok(u64::try_from(revived).unwrap_or_default())
    }

    /// Forgets the dead debts of these memories. Answers how many.
    pub async fn purge_dead(&self, ids: &[Uuid]) -> Result<u64> {
        let sql = Sql::new(include_str!("queries/purge_dead.sql")).bind(ids);
        let purged: i64 = self.user().scalar(Effect::Repeatable, sql).await?;
        Ok(u64::try_from(purged).unwrap_or_default())
    }

    pub async fn queue_counts(&self, target: &str, user_id: Option<&str>) -> Result<QueueCounts> {
        self.user()
            .one(
                Effect::Repeatable,
                Sql::new(include_str!("queries/queue_counts.sql")).bind(target).bind(user_id),
            )
            .await
    }

    /// Debts to a target that were given up, those of `except` not counted.
    pub async fn count_dead(&self, target: &str, user_id: Option<&str>, except: &[Uuid]) -> Result<u64> {
        let sql = Sql::new(include_str!("queries/count_dead.sql")).bind(target).bind(user_id).bind(except);
        let count: i64 = self.background().scalar(Effect::Repeatable, sql).await?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// Of which of these memories there is a debt in this state.
    pub async fn owed_among(&self, target: &str, ids: &[Uuid], state: DebtState) -> Result<Vec<Uuid>> {
        self.background()
            .scalars(
                Effect::Repeatable,
                Sql::new(include_str!("queries/owed_among.sql")).bind(target).bind(ids).bind(state.name()),
            )
            .await
    }
}

/// How a lease is given back.
#[derive(Debug, Clone, Default)]
pub struct Release {
    /// `None`: no attempt is counted.
    pub max_attempts: Option<i32>,
    /// Base of the exponential back-off; the statement adds full jitter and stops at five minutes.
    pub delay_ms: i64,
    /// Not before this, whatever the jitter.
    pub least_ms: i64,
    /// Why; what stood there stays where it is missing.
    pub error: Option<String>,
}
