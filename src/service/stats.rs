//! How far the graph is in step. A store that does not answer costs what it alone knows, never the answer.

use std::time::Duration;

use super::census::{Census, not_asked, patiently, percentage, unsigned};
use super::layer::Layer;
use crate::config::PersistenceConfig;
use crate::error::{Reason, Result};
use crate::model::{HealthReason, SyncStats, Unavailable};

/// The longest both stores are waited for.
const PATIENCE: Duration = Duration::from_secs(3);

impl Layer {
    /// Rejects only when the layer ends meanwhile.
    pub(super) async fn sync_stats(&self, config: &PersistenceConfig) -> Result<SyncStats> {
        self.first_use().await;
        let (census, in_graph) = tokio::join!(
            patiently(PATIENCE, self.settled_census(config), "Postgres"),
            patiently(PATIENCE, self.in_graph(config), "the graph")
        );
        let in_graph = if census.is_ok() { in_graph } else { Err(not_asked()) };
        for error in [census.as_ref().err(), in_graph.as_ref().err()].into_iter().flatten() {
            if matches!(error.reason, Reason::Closed | Reason::Aborted) {
                return Err(error.clone());
            }
        }
        Ok(stats(census, in_graph))
    }

    /// With what this instance has applied so far struck off.
    async fn settled_census(&self, config: &PersistenceConfig) -> Result<Census> {
        self.ready().await?;
        self.stores.seat.flush().await;
        self.census(config).await
    }
}

/// `None` in place of what is not known: a zero would look like a count.
fn stats(census: Result<Census>, in_graph: Result<Option<u64>>) -> SyncStats {
    let unavailable = Unavailable {
        vector_store: census.as_ref().err().map(HealthReason::from),
        graph_store: in_graph.as_ref().err().map(HealthReason::from),
    };
    let mut stats = SyncStats {
        unavailable: unavailable.any().then_some(unavailable),
        graph_store_count: in_graph.as_ref().ok().map(|count| count.unwrap_or(0)),
        ..SyncStats::default()
    };
    let Ok(census) = census else { return stats };
    let queue = census.queue();
    stats.vector_store_count = Some(census.live);
    stats.last_sync = census.last_sync;
    stats.pending = Some(unsigned(queue.pending));
    stats.dead = Some(unsigned(queue.dead));
    stats.conflicts = Some(census.conflicts);
    stats.embedding = Some(census.models.embedding);
    stats.extraction = Some(census.models.extraction);
    stats.sync_percentage = in_graph.ok().map(|count| match count {
        Some(count) => percentage(census.live, count, &queue),
        // No graph is to be kept in step.
        None => 100,
    });
    stats
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::model::OwedToModels;
    use crate::store::postgres::QueueCounts;

    fn census() -> Census {
        let counts = QueueCounts { pending: 3, dead: 1, pending_live: 2 };
        Census {
            live: 10,
            graph: Some(("neo4j:1".into(), counts)),
            models: OwedToModels::default(),
            conflicts: 0,
            last_sync: None,
        }
    }

    #[test]
    fn both_stores_answer() {
        let stats = stats(Ok(census()), Ok(Some(8)));
        assert_eq!((stats.vector_store_count, stats.graph_store_count), (Some(10), Some(8)));
        assert_eq!((stats.sync_percentage, stats.pending, stats.dead), (Some(70), Some(3), Some(1)));
        assert!(stats.unavailable.is_none());
    }

    #[test]
    fn a_graph_that_is_away_costs_its_count_and_the_share_only() {
        let stats = stats(Ok(census()), Err(Error::graph(Reason::Timeout, "no answer")));
        assert_eq!((stats.vector_store_count, stats.pending), (Some(10), Some(3)));
        assert_eq!((stats.graph_store_count, stats.sync_percentage), (None, None));
        let unavailable = stats.unavailable.expect("said");
        assert!(unavailable.vector_store.is_none());
        assert_eq!(unavailable.graph_store.map(|reason| reason.code), Some("TIMEOUT"));
    }

    #[test]
    fn without_postgres_nothing_is_known_and_no_number_is_given() {
        let stats = stats(Err(Error::vector(Reason::Unavailable, "away")), Err(not_asked()));
        let told = serde_json::to_value(&stats).expect("JSON");
        for field in ["vectorStoreCount", "graphStoreCount", "syncPercentage", "pending", "dead", "embedding"]
        {
            assert!(told.get(field).is_some_and(serde_json::Value::is_null), "{field}: {told}");
        }
        assert_eq!(told["unavailable"]["vectorStore"]["code"], "UNAVAILABLE");
        assert_eq!(told["unavailable"]["graphStore"]["code"], "UNAVAILABLE");
    }

    #[test]
    fn no_graph_is_no_fault() {
        let stats = stats(Ok(census()), Ok(None));
        assert_eq!((stats.graph_store_count, stats.sync_percentage), (Some(0), Some(100)));
        assert!(stats.unavailable.is_none());
    }
}
