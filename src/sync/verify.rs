//! A check that only tells.

use std::time::Instant;

use uuid::Uuid;

use super::check::{Check, CheckScope, ours_with_digests};
use super::confirm::Sides;
use super::job::{Job, count, milliseconds};
use super::repair::pending;
use super::rows;
use crate::error::Result;
use crate::model::{Depth, Verdict, VerdictState};

/// Whether both sides are equal (for a user), as far as the check goes. What was given up counts as a difference.
pub async fn verify(job: Job<'_>, scope: CheckScope<'_>) -> Result<Verdict> {
    let begun = Instant::now();
    job.seat.flush().await;
    let (graph, target, digests) = ours_with_digests(job, scope.user_id).await?;
    let sides = Sides { postgres: job.postgres, graph: graph.as_ref(), target: &target };
    let mut check = Check::of(job, sides, scope, &digests);
    let strays = rows::compare(job, scope.user_id).await?;
    let mut differing: Vec<Uuid> = strays.into_iter().map(|(id, _)| id).collect();
    while let Some(group) = check.next().await? {
        differing.extend(group.iter().map(|difference| difference.memory_id));
    }
    differing.sort_unstable();
    differing.dedup();
    let pending = pending(job.postgres, &target, scope.user_id).await?;
    let given_up = job.postgres.count_dead(&target.target, scope.user_id, &differing).await?;
    let differences = count(differing.len()) + given_up;
    let state = match (differences, pending + check.owed) {
        (0, 0) => VerdictState::Consistent,
        (0, _) => VerdictState::Inconclusive,
        _ => VerdictState::Divergent,
    };
    Ok(Verdict {
        state,
        depth: if scope.deep { Depth::Deep } else { Depth::Digest },
        checked: check.compared,
        pending,
        differences,
        foreign_edges: check.foreign_edges,
        duration: milliseconds(begun),
    })
}
