//! The removal of entities that no memory mentions any more. No write does it by itself: see "No orphan clean-up inside a
//! write" in ARCHITECTURE.md.

use std::time::Instant;

use super::job::Job;
use crate::error::Result;
use crate::store::graph::{GraphStore, Removed};

const ENTITIES_AT_ONCE: usize = 500;

/// Entities that no memory mentions any more, until none is left or the time is up.
pub async fn sweep_entities(job: Job<'_>, graph: &dyn GraphStore, until: Option<Instant>) -> Result<Removed> {
    let mut total = Removed::default();
    while !job.cancelled() && until.is_none_or(|until| Instant::now() < until) {
        let swept = graph.sweep_entities(ENTITIES_AT_ONCE).await?;
        total += swept;
        if swept.nodes == 0 {
            break;
        }
    }
    Ok(total)
}
