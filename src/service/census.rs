//! What the stores hold, each asked for itself: what health, statistics and metrics have in common.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::timeout;

use super::layer::Layer;
use crate::config::PersistenceConfig;
use crate::error::{Error, Reason, Result};
use crate::model::OwedToModels;
use crate::store::postgres::QueueCounts;
use crate::sync::Standing;

/// What Postgres knows, of all users.
pub(super) struct Census {
    pub live: u64,
    /// The current graph and what waits for it; `None`: no graph is registered.
    pub graph: Option<(String, QueueCounts)>,
    pub models: OwedToModels,
    pub conflicts: u64,
    pub last_sync: Option<DateTime<Utc>>,
}

impl Census {
    pub(super) fn queue(&self) -> QueueCounts {
        self.graph.as_ref().map(|(_, counts)| *counts).unwrap_or_default()
    }
}

/// The longest the embedded database is waited for while it makes its tables.
const FIRST_USE: Duration = Duration::from_secs(15);

impl Layer {
    /// The embedded database makes its tables with its first use: a state that says it is away meanwhile would be wrong.
    pub(super) async fn first_use(&self) {
        if self.config.embedded {
            // Whoever asks next is told what is wrong.
            let _ = timeout(FIRST_USE, self.stores.ready()).await;
        }
    }

    pub(super) async fn census(&self, config: &PersistenceConfig) -> Result<Census> {
        self.ready().await?;
        let postgres = &self.stores.postgres;
        let graph = match postgres.current_target().await? {
            Some(current) => {
                let counts = postgres.queue_counts(&current.target, None).await?;
                Some((current.target, counts))
            }
            None => None,
        };
        Ok(Census {
            live: postgres.count_live(None).await?,
            graph,
            models: self.owed_to_models(config).await?,
            conflicts: postgres.count_conflicts().await?,
            last_sync: postgres.last_sync().await?,
        })
    }

    /// Live memories in the graph; `None` where there is no graph.
    pub(super) async fn in_graph(&self, config: &PersistenceConfig) -> Result<Option<u64>> {
        self.stores.ready().await?;
        if !config.enable_graph_store || self.stores.seat.standing().await? == Standing::None {
            return Ok(None);
        }
        let (graph, _) = self.stores.seat.ours().await?;
        graph.count(None).await.map(Some)
    }
}

/// Waits for a store, but not for long.
pub(super) async fn patiently<T>(
    patience: Duration,
    work: impl Future<Output = Result<T>>,
    store: &str,
) -> Result<T> {
    match timeout(patience, work).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Error::persistence(
            Reason::Timeout,
            format!("{store} did not answer within {} ms", patience.as_millis()),
        )),
    }
}

/// Nobody can tell whose graph it is while Postgres is away.
pub(super) fn not_asked() -> Error {
    Error::graph(Reason::Unavailable, "not asked: Postgres is not available")
}

/// Share of live memories that the graph holds as they are, 0–100, rounded down.
pub(super) fn percentage(live: u64, in_graph: u64, counts: &QueueCounts) -> u32 {
    let share = (synced(live, in_graph, counts) * 100).checked_div(live).unwrap_or(100);
    u32::try_from(share).unwrap_or(100)
}

/// How many live memories the graph holds as they are.
pub(super) fn synced(live: u64, in_graph: u64, counts: &QueueCounts) -> u64 {
    let waiting = unsigned(counts.pending_live) + unsigned(counts.dead);
    in_graph.min(live.saturating_sub(waiting))
}

pub(super) fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_percentage_is_100_only_when_nothing_is_missing_or_waiting() {
        let counts = |pending_live, dead| QueueCounts { pending: pending_live, dead, pending_live };
        assert_eq!(percentage(0, 0, &counts(0, 0)), 100);
        assert_eq!(percentage(1000, 1000, &counts(0, 0)), 100);
        assert_eq!(percentage(1000, 999, &counts(0, 0)), 99);
        assert_eq!(percentage(1000, 1000, &counts(1, 0)), 99);
        assert_eq!(percentage(1000, 1000, &counts(0, 1)), 99);
        assert_eq!(percentage(2, 0, &counts(5, 0)), 0);
    }
}
