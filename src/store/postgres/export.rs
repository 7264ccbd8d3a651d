//! A user's memories as an export has them.

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;
use sqlx::types::Json;
use uuid::Uuid;

use super::connection::{Effect, Postgres};
use super::statement::Sql;
use crate::error::Result;
use crate::model::{Entity, ExportedMemory, Relationship};

/// Which memories an export has.
#[derive(Debug, Clone, Copy)]
pub struct ExportFilter<'a> {
    pub user_id: &'a str,
    /// Soft-deleted ones too.
    pub include_deleted: bool,
}

#[derive(sqlx::FromRow)]
struct ExportRow {
    id: Uuid,
    conversation_id: Option<String>,
    content: String,
    summary: Option<String>,
    metadata: Json<Box<RawValue>>,
    importance: i32,
    is_deleted: bool,
    created_at: DateTime<Utc>,
    entities: Option<Json<Vec<Entity>>>,
    relationships: Option<Json<Vec<Relationship>>>,
}

impl From<ExportRow> for ExportedMemory {
    fn from(row: ExportRow) -> Self {
        Self {
            id: row.id,
            content: row.content,
            summary: row.summary,
            importance: row.importance,
            conversation_id: row.conversation_id,
            created_at: row.created_at,
            metadata: row.metadata.0,
            entities: row.entities.map(|entities| entities.0),
            relationships: row
                .relationships
                .map(|relationships| relationships.0.into_iter().map(Into::into).collect()),
            deleted: row.is_deleted,
        }
    }
}

impl Postgres {
    /// A page by id, the smallest first. `unadopted`: look for rows that no adoption has reached, too, which takes longer.
    pub async fn export_page(
        &self,
        filter: ExportFilter<'_>,
        unadopted: bool,
        first: Uuid,
        limit: i64,
    ) -> Result<Vec<ExportedMemory>> {
        let sql = Sql::new(include_str!("queries/export_page.sql"))
            .bind(filter.user_id)
            .bind(first)
            .bind(limit)
            .bind(filter.include_deleted)
            .bind(unadopted);
        let rows: Vec<ExportRow> = self.user().all(Effect::Repeatable, sql).await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// How many memories there are, and how many more that no adoption has reached.
    pub async fn count_exported(&self, filter: ExportFilter<'_>) -> Result<(i64, i64)> {
        let sql = Sql::new(include_str!("queries/count_exported.sql"))
            .bind(filter.user_id)
            .bind(filter.include_deleted);
        self.user().one(Effect::Repeatable, sql).await
    }
}
