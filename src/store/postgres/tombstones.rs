//! Tombstones that every late write has had time to meet are collected; the horizon stands for them afterwards.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::connection::{Effect, Postgres};
use super::statement::Sql;
use crate::error::Result;
use crate::model::Version;

/// A memory that is gone, with the version of its tombstone.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub struct Tombstone {
    pub memory_id: Uuid,
    epoch: i64,
    revision: i64,
}

impl Tombstone {
    pub fn version(&self) -> Version {
        Version { epoch: self.epoch, revision: self.revision }
    }
}

impl Postgres {
    pub async fn now(&self) -> Result<DateTime<Utc>> {
        self.background().scalar(Effect::Repeatable, Sql::new(include_str!("queries/now.sql"))).await
    }

    /// True when the last check of the background is at least `interval_ms` ago; this is then the last one.
    pub async fn begin_check(&self, interval_ms: i64) -> Result<bool> {
        let sql = Sql::new(include_str!("queries/begin_check.sql")).bind(interval_ms);
        let begun: Option<(bool,)> = self.background().optional(Effect::Repeatable, sql).await?;
        Ok(begun.is_some())
    }

    /// The last check told nothing certain: the next one is due a tenth of the interval after it.
    pub async fn check_again_soon(&self, interval_ms: i64) -> Result<()> {
        let sql = Sql::new(include_str!("queries/check_again_soon.sql")).bind(interval_ms);
        self.background().execute(Effect::Repeatable, sql).await
    }

    /// A check over all memories that began then found nothing.
    pub async fn mark_checked(&self, began: DateTime<Utc>) -> Result<()> {
        let sql = Sql::new(include_str!("queries/mark_checked.sql")).bind(began);
        self.background().execute(Effect::Repeatable, sql).await
    }

    /// The oldest tombstones that a clean check has seen, that are older than `age_ms`, and that nobody is owed.
    pub async fn collectable(&self, age_ms: i64, limit: i64) -> Result<Vec<Tombstone>> {
        let sql = Sql::new(include_str!("queries/collectable.sql")).bind(age_ms).bind(limit);
        self.background().all(Effect::Repeatable, sql).await
    }

    pub async fn raise_horizon(&self, target: &str, to: Version) -> Result<()> {
        let sql =
            Sql::new(include_str!("queries/raise_horizon.sql")).bind(target).bind(to.epoch).bind(to.revision);
        self.background().execute(Effect::Repeatable, sql).await
    }

    /// Removes these tombstones where nothing has happened to them since. Answers how many.
    pub async fn forget_tombstones(&self, tombstones: &[Tombstone]) -> Result<u64> {
        let (ids, revisions): (Vec<Uuid>, Vec<i64>) =
            tombstones.iter().map(|t| (t.memory_id, t.revision)).unzip();
        let sql = Sql::new(include_str!("queries/forget_tombstones.sql")).bind(ids).bind(revisions);
        let gone: i64 = self.background().scalar(Effect::Repeatable, sql).await?;
        Ok(u64::try_from(gone).unwrap_or_default())
    }
}
