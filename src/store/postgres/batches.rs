//! Writes of many memories: batches in one statement each, and the removal of a user's memories in pages.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::types::Json;
use uuid::Uuid;

use super::connection::{Effect, Postgres};
use super::memories::{Answer, DeleteRow, Deleted, Put, StoreRow, Stored};
use super::statement::{Sql, vector_text};
use crate::error::{Error, Reason, Result};

/// Rows removed by one statement.
const PAGE: i32 = 500;

/// What a page of [`Postgres::delete_page`] did.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub struct Page {
    pub removed: i64,
    /// Rows that something on the table keeps.
    pub kept: i64,
    /// Where the next page begins; `None`: nothing is left after the cursor.
    pub last: Option<Uuid>,
}

impl Postgres {
    /// Stores memories in one statement; what is refused of one does not harm the others. Repeated as
    /// [`Postgres::store`].
    pub async fn store_many(
        &self,
        rows: &[StoreRow],
        embeddings: &[Option<&[f32]>],
    ) -> Result<Vec<Result<Stored>>> {
        let vectors = embeddings.iter().map(|embedding| embedding.map(vector_text)).collect();
        let (answers, lost) = self.repeated(batch("store", rows, vectors)).await?;
        let answers = complete(answers, rows.len())?;
        Ok(rows.iter().zip(answers).map(|(row, answer)| answer.stored(row, lost)).collect())
    }

    /// Deletes memories in one statement, each as [`Postgres::delete`] does.
    pub async fn delete_many(&self, rows: &[DeleteRow]) -> Result<Vec<Result<Option<Deleted>>>> {
        let answers: Json<Vec<Answer>> =
            self.user().scalar(Effect::Once, batch("delete", rows, Vec::new())).await?;
        let answers = complete(answers.0, rows.len())?;
        Ok(rows.iter().zip(answers).map(|(row, answer)| answer.deleted(row)).collect())
    }

    /// Removes the next page of a user's memories after a cursor: soft-deletes the live ones, or removes all rows.
    pub async fn delete_page(
        &self,
        user_id: &str,
        hard: bool,
        owe: Put,
        after: Option<Uuid>,
    ) -> Result<Page> {
        let sql = Sql::new(include_str!("queries/delete_page.sql"))
            .bind(user_id)
            .bind(hard)
            .bind(owe.name())
            .bind(after)
            .bind(PAGE);
        self.user().one(Effect::Repeatable, sql).await
    }

    /// How many memories a [`Postgres::delete_page`] without end would remove.
    pub async fn count_removable(&self, user_id: &str, hard: bool) -> Result<u64> {
        let sql = Sql::new(include_str!("queries/count_removable.sql")).bind(user_id).bind(hard);
        self.count(sql).await
    }

    /// Forgets what is kept of a user beside the rows: conflicts, stray vectors, nodes without rows.
    pub async fn forget_user(&self, user_id: &str) -> Result<()> {
        let sql = Sql::new(include_str!("queries/forget_user.sql")).bind(user_id);
        self.user().execute(Effect::Repeatable, sql).await
    }

    /// Removes a page of the rows soft-deleted before a moment; 0 when none is left.
    pub async fn purge_page(
        &self,
        user_id: Option<&str>,
        older_than: DateTime<Utc>,
        owe: Put,
    ) -> Result<u64> {
        let sql = Sql::new(include_str!("queries/purge_page.sql"))
            .bind(user_id)
            .bind(older_than)
            .bind(owe.name())
            .bind(PAGE);
        let purged: i64 = self.user().scalar(Effect::Repeatable, sql).await?;
        Ok(u64::try_from(purged).unwrap_or_default())
    }

    pub async fn count_purgeable(&self, user_id: Option<&str>, older_than: DateTime<Utc>) -> Result<u64> {
        let sql = Sql::new(include_str!("queries/count_purgeable.sql")).bind(older_than).bind(user_id);
        self.count(sql).await
    }

    async fn count(&self, sql: Sql) -> Result<u64> {
        let count: i64 = self.user().scalar(Effect::Repeatable, sql).await?;
        Ok(u64::try_from(count).unwrap_or_default())
    }
}

fn batch<T: Serialize>(kind: &'static str, rows: &[T], embeddings: Vec<Option<String>>) -> Sql {
    Sql::new(include_str!("queries/write_batch.sql")).bind(kind).bind(Json(rows)).bind(embeddings)
}

fn complete(answers: Vec<Answer>, sent: usize) -> Result<Vec<Answer>> {
    if answers.len() == sent {
        return Ok(answers);
    }
    Err(Error::vector(Reason::Internal, "Postgres answered for another number of memories than were sent"))
}
