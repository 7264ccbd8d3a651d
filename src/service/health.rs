//! Health: never rejects and answers in bounded time.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::timeout;

use super::census::{not_asked, patiently, percentage};
use super::layer::Layer;
use crate::config::PersistenceConfig;
use crate::error::{Error, Reason, Result};
use crate::model::{HealthCheck, HealthMetrics, HealthReason, HealthStatus, StoreStatus, Stores};
use crate::store::postgres::{QueueCounts, TableFacts};
use crate::sync::Standing;

/// The longest Postgres is waited for.
const PATIENCE: Duration = Duration::from_secs(2);
/// The longest the graph is waited for, which may have to plan its first statements.
const GRAPH_PATIENCE: Duration = Duration::from_secs(3);

struct Vector {
    live: u64,
    /// Debts that a model refused for good.
    dead: u64,
    last_sync: Option<DateTime<Utc>>,
    table: TableFacts,
}

struct Graph {
    count: u64,
    queue: QueueCounts,
}

impl From<&Error> for HealthReason {
    fn from(error: &Error) -> Self {
        Self { code: error.reason.name(), message: error.message.clone() }
    }
}

impl Layer {
    pub(super) async fn health(&self, config: &PersistenceConfig) -> HealthCheck {
        self.first_use().await;
        let vector = self.with_cause(patiently(PATIENCE, self.vector_health(), "Postgres").await);
        let mut reasons = Vec::new();
        let graph = match &vector {
            _ if !config.enable_graph_store => None,
            Err(_) => Some(Err(not_asked())),
            Ok(_) => patiently(GRAPH_PATIENCE, self.graph_health(), "the graph").await.transpose(),
        };
        if vector.is_ok() {
            self.limitations(config, &mut reasons).await;
        }
        for error in [vector.as_ref().err(), graph.as_ref().and_then(|graph| graph.as_ref().err())]
            .into_iter()
            .flatten()
        {
            reasons.push(error.into());
        }
        let queue =
            graph.as_ref().and_then(|graph| graph.as_ref().ok()).map(|graph| graph.queue).unwrap_or_default();
        let limits = vector.as_ref().map_or_else(|_| Vec::new(), |vector| table_reasons(&vector.table));
        let limited = !limits.is_empty();
        reasons.extend(limits);
        let refused = vector.as_ref().map_or(0, |vector| vector.dead);
        if refused > 0 {
            let message = format!(
                "embedder or extractor refused {refused} memories for good; retryNow tries them again"
            );
            reasons.push(HealthReason { code: "DEAD_LETTERS", message });
        }
        if queue.dead > 0 {
            let message =
                format!("the graph refused {} memories for good; fullSync tries them again", queue.dead);
            reasons.push(HealthReason { code: "DEAD_LETTERS", message });
        }
        HealthCheck {
            status: status(vector.is_err(), limited || matches!(graph, Some(Err(_)))),
            metrics: metrics(&vector, graph.as_ref()),
            last_sync: vector.as_ref().ok().and_then(|vector| vector.last_sync),
            stores: Stores {
                vector_store: store_status(Some(vector.map(drop))),
                graph_store: store_status(graph.map(|graph| graph.map(drop))),
            },
            reasons,
        }
    }

    async fn vector_health(&self) -> Result<Vector> {
        self.stores.ready().await?;
        let table = self.stores.postgres.table_facts().await?;
        table.check_visible()?;
        let live = self.stores.postgres.count_live(None).await?;
        let (embedding, extraction) = self.stores.postgres.model_counts(None).await?;
        let dead = embedding.dead + extraction.dead;
        Ok(Vector { live, dead, last_sync: self.stores.postgres.last_sync().await?, table })
    }

    /// Why nothing was answered in time: what connecting fails for is known before the time for it is over.
    fn with_cause<T>(&self, outcome: Result<T>) -> Result<T> {
        outcome.map_err(|error| match self.stores.postgres.last_problem() {
            Some(problem) if error.reason == Reason::Timeout => problem,
            _ => error,
        })
    }

    /// `None` when no graph is configured.
    async fn graph_health(&self) -> Result<Option<Graph>> {
        if self.stores.seat.standing().await? == Standing::None {
            return Ok(None);
        }
        self.stores.seat.flush().await;
        let (graph, target) = self.stores.seat.ours().await?;
        let queue = self.stores.postgres.queue_counts(&target.target, None).await?;
        Ok(Some(Graph { count: graph.count(None).await?, queue }))
    }

    async fn limitations(&self, config: &PersistenceConfig, reasons: &mut Vec<HealthReason>) {
        if !config.enable_vector_store {
            return;
        }
        match timeout(PATIENCE, self.models.limitation()).await {
            Ok(Ok(Some((code, message)))) => reasons.push(HealthReason { code, message }),
            Ok(Ok(None)) => {}
            Ok(Err(error)) => reasons.push((&error).into()),
            Err(_) => reasons.push(HealthReason {
                code: "TIMEOUT",
                message: "the embedding space is not known yet".into(),
            }),
        }
    }
}

/// What of the application's table and the server limits the service.
fn table_reasons(table: &TableFacts) -> Vec<HealthReason> {
    let mut reasons = Vec::new();
    if table.read_only {
        let message = "Postgres takes no writes now (a standby, a failover, or default_transaction_read_only); reads go on";
        reasons.push(HealthReason { code: "READ_ONLY", message: message.into() });
    }
    if !table.missing_privileges.is_empty() {
        let message = format!(
            "this role lacks privileges on memory_entries, and what needs them fails: {}; grant them (doctor lists all that \
             are missing)",
            table.missing_privileges.join(", ")
        );
        reasons.push(HealthReason { code: "MISSING_PRIVILEGES", message });
    }
    if !table.silent_triggers.is_empty() {
        let message = format!(
            "triggers on memory_entries are missing or disabled, so writes of other code are seen by the next check only: \
             {}; enable them (alter table memory_entries enable trigger …) or run migrate()",
            table.silent_triggers.join(", ")
        );
        reasons.push(HealthReason { code: "TRIGGERS_DISABLED", message });
    }
    if !table.rules.is_empty() {
        let message = format!(
            "rules stand on memory_entries, and writes cannot go through them: {}; replace them by triggers",
            table.rules.join(", ")
        );
        reasons.push(HealthReason { code: "RULES", message });
    }
    reasons
}

fn status(vector_failed: bool, graph_failed: bool) -> HealthStatus {
    match (vector_failed, graph_failed) {
        (true, _) => HealthStatus::Unhealthy,
        (false, true) => HealthStatus::Degraded,
        (false, false) => HealthStatus::Healthy,
    }
}

/// A store that is not configured is not available, and that is no fault.
fn store_status(outcome: Option<Result<()>>) -> StoreStatus {
    let last_check = Utc::now();
    match outcome {
        Some(Ok(())) => StoreStatus { available: true, healthy: true, last_check, error: None },
        Some(Err(error)) => {
            StoreStatus { available: false, healthy: false, last_check, error: Some(error.message) }
        }
        None => StoreStatus { available: false, healthy: true, last_check, error: None },
    }
}

/// `None` in place of what is not known: a zero would look like a count.
fn metrics(vector: &Result<Vector>, graph: Option<&Result<Graph>>) -> HealthMetrics {
    let live = vector.as_ref().ok().map(|vector| vector.live);
    let (in_graph, share) = match graph {
        Some(Ok(graph)) => (Some(graph.count), live.map(|live| percentage(live, graph.count, &graph.queue))),
        Some(Err(_)) => (None, None),
        None => (live.and(Some(0)), live.and(Some(100))),
    };
    HealthMetrics {
        total_memories: live,
        vector_store_count: live,
        graph_store_count: in_graph,
        sync_percentage: share,
    }
}
