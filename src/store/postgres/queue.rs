//! The dirty set `memory_sync`: claim with a lease, acknowledge by revision, back off, bury.

use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use uuid::Uuid;

use super::connection::{Effect, Postgres};
use super::statement::Sql;
use crate::error::Result;
use crate::model::Projection;

/// Which debts to claim, due or not.
#[derive(Debug, Clone, Default)]
pub struct ClaimScope {
    pub user_id: Option<String>,
    pub ids: Option<Vec<Uuid>>,
}

/// `pending` is paid by whoever comes; `dead` was refused for good and waits for a new write or a retry by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DebtState {
    Pending,
    Dead,
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
        token: Uuid,
        lease_ms: i64,
        limit: i64,
    ) -> Result<Vec<Uuid>> {
        self.background()
            .scalars(
                Effect::Repeatable,
                Sql::new(include_str!("queries/claim.sql"))
                    .bind(target)
                    .bind(&scope.user_id)
                    .bind(&scope.ids)
                    .bind(token)
                    .bind(lease_ms)
                    .bind(limit)
                    .bind(except),
            )
            .await
    }

    /// What the graph shall hold of these memories now.
    pub async fn projections(&self, ids: &[Uuid]) -> Result<Vec<Projection>> {
        let rows: Vec<Json<Projection>> = self
            .background()
            .scalars(Effect::Repeatable, Sql::new(include_str!("queries/projections.sql")).bind(ids))
            .await?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// Strikes off debts that an applied revision pays, and gives back the lease on those it does not.
    pub async fn acknowledge(&self, target: &str, applied: &[(Uuid, i64)]) -> Result<u64> {
        let mut applied = applied.to_vec();
        applied.sort_unstable();
        let (ids, revisions): (Vec<Uuid>, Vec<i64>) = applied.into_iter().unzip();
        let struck: i64 = self
            .background()
            .scalar(
                Effect::Repeatable,
                Sql::new(include_str!("queries/acknowledge.sql")).bind(target).bind(&ids).bind(&revisions),
            )
            .await?;
        Ok(u64::try_from(struck).unwrap_or_default())
    }

    /// Gives a lease back. A refusal counts an attempt and buries the debt after `max_attempts`; without one (the
    /// store was away) nothing is counted.
    pub async fn release(&self, target: &str, token: Uuid, ids: &[Uuid], release: &Release) -> Result<()> {
        self.background()
            .execute(
                Effect::Repeatable,
                Sql::new(include_str!("queries/release.sql"))
                    .bind(target)
                    .bind(token)
                    .bind(ids)
                    .bind(release.max_attempts)
                    .bind(release.delay_ms)
                    .bind(&release.error),
            )
            .await
    }

    /// Owes memories (all, those of a user, or these) to a graph, tombstones included. Answers how many.
    pub async fn owe_all(&self, target: &str, user_id: Option<&str>, ids: Option<&[Uuid]>) -> Result<u64> {
        let owed: i64 = self
            .background()
            .scalar(
                Effect::Repeatable,
                Sql::new(include_str!("queries/owe_all.sql")).bind(target).bind(user_id).bind(ids),
            )
            .await?;
        Ok(u64::try_from(owed).unwrap_or_default())
    }

    /// Memories that were deleted without their nodes become plain tombstones.
    pub async fn forget_detached(&self, user_id: Option<&str>) -> Result<()> {
        let sql = Sql::new(include_str!("queries/forget_detached.sql")).bind(user_id);
        self.background().execute(Effect::Repeatable, sql).await
    }

    pub async fn queue_counts(&self, target: &str, user_id: Option<&str>) -> Result<QueueCounts> {
        self.user()
            .one(
                Effect::Repeatable,
                Sql::new(include_str!("queries/queue_counts.sql")).bind(target).bind(user_id),
            )
            .await
    }

    /// Which of these memories are owed to the graph (not buried).
    pub async fn owed_among(&self, target: &str, ids: &[Uuid]) -> Result<Vec<Uuid>> {
        self.background()
            .scalars(
                Effect::Repeatable,
                Sql::new(include_str!("queries/owed_among.sql")).bind(target).bind(ids),
            )
            .await
    }
}

/// How a lease is given back.
#[derive(Debug, Clone)]
pub struct Release {
    /// `None`: no attempt is counted.
    pub max_attempts: Option<i32>,
    /// Base of the exponential back-off; the statement adds full jitter and stops at five minutes.
    pub delay_ms: i64,
    pub error: String,
}
