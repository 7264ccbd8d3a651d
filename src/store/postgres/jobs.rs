//! Work in pages that goes on where it stopped, and leases on what only one process should do.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::connection::{Effect, Postgres};
use super::statement::Sql;
use crate::error::Result;

/// Long work that outlives the process that began it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct PagedJob {
    pub name: String,
    pub phase: String,
    pub begun_at: DateTime<Utc>,
}

impl Postgres {
    /// Begins a job, or finds it where it stopped.
    pub async fn begin_job(&self, name: &str, phase: &str) -> Result<PagedJob> {
        let sql = Sql::new(include_str!("queries/begin_job.sql")).bind(name).bind(phase);
        self.background().one(Effect::Repeatable, sql).await
    }

    pub async fn find_job(&self, name: &str) -> Result<Option<PagedJob>> {
        let sql = Sql::new(include_str!("queries/find_job.sql")).bind(name);
        self.background().optional(Effect::Repeatable, sql).await
    }

    /// Begins a job; one that is under way begins anew.
    pub async fn restart_job(&self, name: &str, phase: &str) -> Result<()> {
        let sql = Sql::new(include_str!("queries/restart_job.sql")).bind(name).bind(phase);
        self.background().execute(Effect::Repeatable, sql).await
    }

    /// Begins the next phase of a job, from the first page, unless it has begun anew since.
    pub async fn set_phase(&self, job: &PagedJob, phase: &str) -> Result<()> {
        let sql =
            Sql::new(include_str!("queries/job_phase.sql")).bind(&job.name).bind(job.begun_at).bind(phase);
        self.background().execute(Effect::Repeatable, sql).await
    }

    /// Whether every writer has ended that may not have seen what the job was begun for.
    pub async fn job_settled(&self, name: &str) -> Result<bool> {
        let sql = Sql::new(include_str!("queries/job_settled.sql")).bind(name);
        self.background().scalar(Effect::Repeatable, sql).await
    }

    /// Ends a job, unless it has begun anew since.
    pub async fn end_job(&self, job: &PagedJob) -> Result<()> {
        let sql = Sql::new(include_str!("queries/end_job.sql")).bind(&job.name).bind(job.begun_at);
        self.background().execute(Effect::Repeatable, sql).await
    }

    /// As [`Postgres::end_job`], for one after which all writers know the current graph: what late ones owed to another is
    /// forgotten.
    pub async fn end_settled(&self, job: &PagedJob) -> Result<()> {
        let sql = Sql::new(include_str!("queries/end_settled.sql")).bind(&job.name).bind(job.begun_at);
        self.background().execute(Effect::Repeatable, sql).await
    }

    /// Owes the job's next page of memories (of a user) to a graph; `forget` turns those that were deleted without their
    /// nodes into plain tombstones. Answers how many; 0 at the end.
    pub async fn owe_page(
        &self,
        job: &str,
        target: &str,
        user_id: Option<&str>,
        forget: bool,
        page: i32,
    ) -> Result<u64> {
        let sql = Sql::new(include_str!("queries/owe_page.sql"))
            .bind(job)
            .bind(target)
            .bind(user_id)
            .bind(forget)
            .bind(page);
        let owed: i32 = self.background().scalar(Effect::Repeatable, sql).await?;
        Ok(u64::try_from(owed).unwrap_or_default())
    }

    /// Takes the next page of the job `renew` into the present epoch and form, and owes it. Answers how many; 0 at the
    /// end.
    pub async fn renew_page(&self, target: &str, page: i32) -> Result<u64> {
        let sql = Sql::new(include_str!("queries/renew_page.sql")).bind(target).bind(page);
        let renewed: i32 = self.background().scalar(Effect::Repeatable, sql).await?;
        Ok(u64::try_from(renewed).unwrap_or_default())
    }

    /// Takes or renews a lease, by the database's clock. False: somebody else has it.
    pub async fn take_lease(&self, name: &str, holder: Uuid, duration_ms: i64) -> Result<bool> {
        let sql = Sql::new(include_str!("queries/take_lease.sql")).bind(name).bind(holder).bind(duration_ms);
        let taken: Option<bool> = self.background().scalar(Effect::Repeatable, sql).await?;
        Ok(taken.unwrap_or(false))
    }

    pub async fn give_lease(&self, name: &str, holder: Uuid) -> Result<()> {
        let sql = Sql::new(include_str!("queries/give_lease.sql")).bind(name).bind(holder);
        self.background().execute(Effect::Repeatable, sql).await
    }
}
