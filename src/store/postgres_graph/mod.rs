//! The graph inside Postgres: the same database, written by the SQL function `izzie_memory.project`.

mod queries;
mod read_back;

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::types::Json;
use uuid::Uuid;

use super::graph::{Applied, Beat, BucketDigest, GraphKind, GraphStore, Outcome, Removed};
use super::postgres::{DigestRow, Effect, Postgres, Sql, VersionRow};
use crate::error::{Error, Reason, Result};
use crate::model::{HeldMemory, NodeVersion, Projection, StrongRelation, Version};

/// Rows deleted per transaction.
const BATCH: i64 = 1000;
/// Of a clear: far more than there are memories.
const MOST_BATCHES: usize = 100_000;

pub struct PostgresGraph {
    postgres: Arc<Postgres>,
}

impl PostgresGraph {
    pub fn new(postgres: Arc<Postgres>) -> Self {
        Self { postgres }
    }
}

#[async_trait]
impl GraphStore for PostgresGraph {
    fn kind(&self) -> GraphKind {
        GraphKind::Postgres
    }

    fn shares_database(&self) -> bool {
        true
    }

    async fn ping(&self) -> Result<()> {
        self.count(Some("")).await.map(drop)
    }

    /// The migrations made everything.
    async fn prepare(&self) -> Result<()> {
        Ok(())
    }

    async fn unprepared(&self) -> Result<Vec<&'static str>> {
        Ok(Vec::new())
    }

    async fn read_beat(&self) -> Result<Option<Beat>> {
        Ok(None)
    }

    async fn swap_beat(&self, _expected: Option<Uuid>, _next: &Beat) -> Result<bool> {
        Ok(false)
    }

    async fn project(&self, batch: &[Projection]) -> Result<Vec<Applied>> {
        let rows: Vec<(Uuid, i64, i64, String)> = self
            .postgres
            .background()
            .all(Effect::Repeatable, Sql::new(include_str!("queries/project.sql")).bind(Json(batch)))
            .await?;
        rows.into_iter().map(applied).collect()
    }

    async fn digests(&self, user_id: Option<&str>) -> Result<Vec<BucketDigest>> {
        let text = if user_id.is_some() {
            include_str!("queries/digests_of_user.sql")
        } else {
            include_str!("queries/digests.sql")
        };
        let rows: Vec<DigestRow> =
            self.postgres.background().all(Effect::Repeatable, Sql::new(text).bind_some(user_id)).await?;
        Ok(rows.into_iter().map(BucketDigest::from).collect())
    }

    async fn list_buckets(&self, user_id: Option<&str>, buckets: &[i32]) -> Result<Vec<NodeVersion>> {
        let sql = Sql::new(include_str!("queries/list_buckets.sql")).bind(buckets).bind(user_id);
        let rows: Vec<VersionRow> = self.postgres.background().all(Effect::Repeatable, sql).await?;
        Ok(rows.into_iter().map(NodeVersion::from).collect())
    }

    async fn torn_buckets(&self, user_id: Option<&str>) -> Result<Vec<i32>> {
        let text = if user_id.is_some() {
            include_str!("queries/torn_buckets_of_user.sql")
        } else {
            include_str!("queries/torn_buckets.sql")
        };
        let rows: Vec<(i32,)> =
            self.postgres.background().all(Effect::Repeatable, Sql::new(text).bind_some(user_id)).await?;
        Ok(rows.into_iter().map(|(bucket,)| bucket).collect())
    }

    async fn torn(&self, user_id: Option<&str>, buckets: &[i32]) -> Result<Vec<Uuid>> {
        let sql = Sql::new(include_str!("queries/torn.sql")).bind(buckets).bind(user_id);
        let rows: Vec<(Uuid,)> = self.postgres.background().all(Effect::Repeatable, sql).await?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    async fn read_back(&self, ids: &[Uuid]) -> Result<Vec<HeldMemory>> {
        self.read_memories_back(ids).await
    }

    async fn distrust(&self, ids: &[Uuid]) -> Result<()> {
        self.distrust_memories(ids).await
    }

    async fn sweep_entities(&self, limit: usize) -> Result<Removed> {
        let (mut left, mut total) = (i64::try_from(limit).unwrap_or(i64::MAX), 0);
        while left > 0 {
            let batch = left.min(BATCH);
            let sql = Sql::new(include_str!("queries/sweep_entities.sql")).bind(batch);
            let swept: i64 = self.postgres.background().scalar(Effect::Repeatable, sql).await?;
            total += u64::try_from(swept).unwrap_or_default();
            left -= batch;
            if swept == 0 {
                break;
            }
        }
        Ok(Removed { nodes: total, foreign_edges: 0 })
    }

    async fn collect_tombstones(&self, ids: &[Uuid], horizon: Version) -> Result<Removed> {
        let raised: bool = self
            .postgres
            .background()
            .scalar(
                Effect::Repeatable,
                Sql::new(include_str!("queries/collect_tombstones.sql"))
                    .bind(ids)
                    .bind(horizon.epoch)
                    .bind(horizon.revision),
            )
            .await?;
        let nowhere =
            || Error::graph(Reason::Unavailable, "The graph is not registered: nothing holds a horizon.");
        raised.then(Removed::default).ok_or_else(nowhere)
    }

    async fn get_nodes(&self, ids: &[Uuid]) -> Result<Vec<NodeVersion>> {
        let rows: Vec<VersionRow> = self
            .postgres
            .background()
            .all(Effect::Repeatable, Sql::new(include_str!("queries/get_nodes.sql")).bind(ids))
            .await?;
        Ok(rows.into_iter().map(NodeVersion::from).collect())
    }

    async fn count(&self, user_id: Option<&str>) -> Result<u64> {
        let count: i64 = self
            .postgres
            .user()
            .scalar(Effect::Repeatable, Sql::new(include_str!("queries/count.sql")).bind(user_id))
            .await?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    async fn clear(&self, user_id: Option<&str>) -> Result<Removed> {
        let mut cleared = 0;
        // Others may be writing all the while.
        for _ in 0..MOST_BATCHES {
            let batch: i64 = self
                .postgres
                .background()
                .scalar(
                    Effect::Repeatable,
                    Sql::new(include_str!("queries/clear_batch.sql")).bind(user_id).bind(BATCH),
                )
                .await?;
            cleared += u64::try_from(batch).unwrap_or_default();
            if batch == 0 {
                break;
            }
        }
        self.postgres
            .background()
            .execute(Effect::Repeatable, Sql::new(include_str!("queries/settle_entities.sql")).bind(user_id))
            .await?;
        Ok(Removed { nodes: cleared, foreign_edges: 0 })
    }

    async fn strongest_relations(&self, user_id: &str, limit: usize) -> Result<Vec<StrongRelation>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows: Vec<(String, String, String, String, String, i64)> = self
            .postgres
            .user()
            .all(
                Effect::Repeatable,
                Sql::new(include_str!("queries/strongest_relations.sql")).bind(user_id).bind(limit),
            )
            .await?;
        let relations = rows.into_iter().map(|(from_type, from_name, to_type, to_name, kind, weight)| {
            StrongRelation { from_type, from_name, to_type, to_name, kind, weight }
        });
        Ok(relations.collect())
    }

    /// The database's pools are closed by their owner.
    async fn close(&self) {}
}

fn applied((memory_id, epoch, revision, outcome): (Uuid, i64, i64, String)) -> Result<Applied> {
    let outcome = match outcome.as_str() {
        "applied" => Outcome::Applied,
        "refused" => Outcome::Refused,
        "below_horizon" => Outcome::BelowHorizon,
        _ => {
            return Err(Error::graph(
                Reason::Internal,
                "izzie_memory.project gave an outcome it does not have.",
            ));
        }
    };
    Ok(Applied { memory_id, version: Version { epoch, revision }, outcome })
}
