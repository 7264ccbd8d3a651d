//! Rows that were changed while the triggers were off: neither side's digests can tell, for both are made of the states.

use chrono::Utc;
use uuid::Uuid;

use super::job::Job;
use crate::error::Result;
use crate::model::{Inconsistency, Issue};
use crate::store::postgres::Stray;

/// Pages that the background compares in one round: a hundred thousand rows. The next round goes on behind them.
const PAGES_AT_ONCE: usize = 20;

pub(super) type Strays = Vec<(Uuid, Stray)>;

/// Compares all rows (of a user) with their states.
pub(super) async fn compare(job: Job<'_>, user_id: Option<&str>) -> Result<Strays> {
    let mut strays = Vec::new();
    let mut after = Some(Uuid::nil());
    while let Some(from) = after
        && !job.cancelled()
    {
        let (page, last) = job.postgres.strayed_page(user_id, from).await?;
        strays.extend(page);
        after = last;
    }
    Ok(strays)
}

/// Compares some rows, those behind the ones that were compared last.
pub(super) async fn compare_some(job: Job<'_>) -> Result<Strays> {
    let mut strays = Vec::new();
    let mut after = job.postgres.rows_compared_to().await?;
    for _ in 0..PAGES_AT_ONCE {
        if job.cancelled() {
            break;
        }
        let (page, last) = job.postgres.strayed_page(None, after.unwrap_or_default()).await?;
        strays.extend(page);
        after = last;
        if after.is_none() {
            break;
        }
    }
    job.postgres.set_rows_compared_to(after).await?;
    Ok(strays)
}

/// Brings the states in step with the rows, which owes the graph what changed.
pub(super) async fn follow(job: Job<'_>, strays: &[(Uuid, Stray)]) -> Result<()> {
    let ids: Vec<Uuid> = strays.iter().map(|(id, _)| *id).collect();
    let followed = job.postgres.follow_rows(&ids).await?;
    if !followed.is_empty() {
        log::warn!("{} rows had been changed past the triggers of izzie-memory", followed.len());
    }
    Ok(())
}

/// Compares and follows all rows of a user: what is done to all memories of theirs is done by their states.
/// Answers them.
pub async fn follow_user(job: Job<'_>, user_id: &str) -> Result<Vec<Uuid>> {
    let strays = compare(job, Some(user_id)).await?;
    follow(job, &strays).await?;
    Ok(strays.into_iter().map(|(id, _)| id).collect())
}

/// As callers see it.
pub(super) fn inconsistency((id, stray): &(Uuid, Stray)) -> Inconsistency {
    let (issue, details) = match stray {
        Stray::New => (Issue::MissingInGraph, "the row was inserted past the triggers of izzie-memory"),
        Stray::Changed => (Issue::MetadataMismatch, "the row was changed past the triggers of izzie-memory"),
        Stray::Gone => (Issue::MissingInVector, "the row was deleted past the triggers of izzie-memory"),
    };
    Inconsistency {
        memory_id: *id,
        issue,
        details: details.to_owned(),
        detected_at: Utc::now(),
        conflict: false,
        fields: Vec::new(),
    }
}
