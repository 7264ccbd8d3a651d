//! The Postgres side of a check.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::connection::{Effect, Postgres};
use super::statement::Sql;
use crate::error::Result;
use crate::model::{NodeVersion, Version};
use crate::store::graph::BucketDigest;

/// A row that says which version of a memory is where, on either side.
#[derive(sqlx::FromRow)]
pub struct VersionRow {
    memory_id: Uuid,
    user_id: String,
    epoch: i64,
    revision: i64,
    h1: i64,
    h2: i64,
    deleted: bool,
    detached: bool,
}

impl From<VersionRow> for NodeVersion {
    fn from(row: VersionRow) -> Self {
        Self {
            memory_id: row.memory_id,
            user_id: row.user_id,
            version: Version { epoch: row.epoch, revision: row.revision },
            h1: row.h1,
            h2: row.h2,
            deleted: row.deleted,
            detached: row.detached,
        }
    }
}

/// A bucket's digest, on either side.
#[derive(sqlx::FromRow)]
pub struct DigestRow {
    bucket: i32,
    count: i64,
    h1: i64,
    h2: i64,
    epochs: i64,
    revisions: i64,
}

impl From<DigestRow> for BucketDigest {
    fn from(row: DigestRow) -> Self {
        let DigestRow { bucket, count, h1, h2, epochs, revisions } = row;
        Self { bucket, count, h1, h2, epochs, revisions }
    }
}

impl Postgres {
    /// Digests of the live memories by bucket.
    pub async fn digests(&self, user_id: Option<&str>) -> Result<Vec<BucketDigest>> {
        let text = if user_id.is_some() {
            include_str!("queries/digests_of_user.sql")
        } else {
            include_str!("queries/digests.sql")
        };
        let rows: Vec<DigestRow> =
            self.background().all(Effect::Repeatable, Sql::new(text).bind_some(user_id)).await?;
        Ok(rows.into_iter().map(BucketDigest::from).collect())
    }

    /// The live memories of these buckets.
    pub async fn list_buckets(&self, user_id: Option<&str>, buckets: &[i32]) -> Result<Vec<NodeVersion>> {
        let sql = Sql::new(include_str!("queries/list_buckets.sql")).bind(buckets).bind(user_id);
        let rows: Vec<VersionRow> = self.background().all(Effect::Repeatable, sql).await?;
        Ok(rows.into_iter().map(NodeVersion::from).collect())
    }

    pub async fn get_states(&self, ids: &[Uuid]) -> Result<Vec<NodeVersion>> {
        let rows: Vec<VersionRow> = self
            .background()
            .all(Effect::Repeatable, Sql::new(include_str!("queries/get_states.sql")).bind(ids))
            .await?;
        Ok(rows.into_iter().map(NodeVersion::from).collect())
    }

    /// Makes sure that the version of each memory is above what the graph was found to hold, and owes them.
    pub async fn supersede(&self, nodes: &[NodeVersion]) -> Result<()> {
        let ids: Vec<Uuid> = nodes.iter().map(|node| node.memory_id).collect();
        let owners: Vec<String> = nodes.iter().map(|node| node.user_id.clone()).collect();
        let epochs: Vec<i64> = nodes.iter().map(|node| node.version.epoch).collect();
        let revisions: Vec<i64> = nodes.iter().map(|node| node.version.revision).collect();
        let sql = Sql::new(include_str!("queries/supersede.sql"))
            .bind(ids)
            .bind(owners)
            .bind(epochs)
            .bind(revisions);
        self.background().execute(Effect::Repeatable, sql).await
    }

    /// Live memories of all users, or of one.
    pub async fn count_live(&self, user_id: Option<&str>) -> Result<u64> {
        let count: i64 = self
            .user()
            .scalar(Effect::Repeatable, Sql::new(include_str!("queries/count_live.sql")).bind(user_id))
            .await?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    pub async fn last_sync(&self) -> Result<Option<DateTime<Utc>>> {
        self.user().scalar(Effect::Repeatable, Sql::new(include_str!("queries/last_sync.sql"))).await
    }

    /// Remembers that a sync over all users ended now.
    pub async fn mark_synced(&self) -> Result<()> {
        self.background().execute(Effect::Repeatable, Sql::new(include_str!("queries/mark_synced.sql"))).await
    }
}
