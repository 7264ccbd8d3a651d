//! What the graph inside Postgres really holds of memories. Its nodes have no content: that is the row itself.

use sqlx::types::Json;
use uuid::Uuid;

use super::PostgresGraph;
use crate::error::Result;
use crate::model::{HeldMemory, HeldMention, HeldRelationship, Version};
use crate::store::postgres::{Effect, Sql};

#[derive(sqlx::FromRow)]
struct HeldRow {
    memory_id: Uuid,
    user_id: String,
    epoch: i64,
    revision: i64,
    detached: bool,
    h1: i64,
    h2: i64,
    bucket: i32,
    mentions: Json<Vec<HeldMention>>,
    relationships: Json<Vec<HeldRelationship>>,
}

impl From<HeldRow> for HeldMemory {
    fn from(row: HeldRow) -> Self {
        Self {
            memory_id: row.memory_id,
            user_id: row.user_id,
            version: Some(Version { epoch: row.epoch, revision: row.revision }),
            detached: row.detached,
            h1: row.h1,
            h2: row.h2,
            bucket: row.bucket,
            labelled: true,
            mentions: row.mentions.0,
            relationships: row.relationships.0,
            ..Self::default()
        }
    }
}

impl PostgresGraph {
    pub(super) async fn read_memories_back(&self, ids: &[Uuid]) -> Result<Vec<HeldMemory>> {
        let rows: Vec<HeldRow> = self
            .postgres
            .background()
            .all(Effect::Repeatable, Sql::new(include_str!("queries/read_back.sql")).bind(ids))
            .await?;
        Ok(rows.into_iter().map(HeldMemory::from).collect())
    }

    /// A projection replaces all mentions and relations of a memory, whatever there is, but no entity.
    pub(super) async fn distrust_memories(&self, ids: &[Uuid]) -> Result<()> {
        let sql = Sql::new(include_str!("queries/distrust.sql")).bind(ids);
        self.postgres.background().execute(Effect::Repeatable, sql).await
    }
}
