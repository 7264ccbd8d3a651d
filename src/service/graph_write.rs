//! The graph's half of a write: applied in time, owed, or the whole write undone.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use uuid::Uuid;

use super::layer::Layer;
use crate::config::PersistenceConfig;
use crate::context::CallContext;
use crate::error::{Error, Reason, Result};
use crate::model::Write;
use crate::store::postgres::{Placed, Put, Undo};
use crate::sync::{Applying, DrainScope, Job, drain};

/// How the graph's half went.
pub(super) struct GraphOutcome {
    success: Option<bool>,
    error: Option<Error>,
}

impl GraphOutcome {
    pub(super) fn none() -> Self {
        Self { success: None, error: None }
    }

    pub(super) fn into_write(self, created: bool, begun: Instant) -> Write {
        Write {
            created,
            vector_write_success: true,
            graph_write_success: self.success,
            timestamp: Utc::now(),
            duration: begun.elapsed().as_secs_f64() * 1000.0,
            graph_error: self.error.map(|error| error.envelope()),
        }
    }
}

pub(super) fn owe(config: &PersistenceConfig, defer: bool) -> Put {
    match (config.enable_graph_store, defer) {
        (false, _) => Put::None,
        (true, true) => Put::Later,
        (true, false) => Put::Inline,
    }
}

impl Layer {
    /// The graph's half of a write: applied within `graphWaitMs`, else owed or undone.
    pub(super) async fn finish(
        &self,
        placed: Placed,
        undo: Option<Undo>,
        put: Put,
        config: &PersistenceConfig,
    ) -> Result<GraphOutcome> {
        let Some(target) = placed.target.as_deref().filter(|_| config.enable_graph_store) else {
            return Ok(GraphOutcome::none());
        };
        self.stores.seat.notice(target).await;
        if !placed.owed {
            return Ok(GraphOutcome { success: Some(true), error: None });
        }
        if put == Put::Later {
            self.stores.seat.nudge();
            return Ok(GraphOutcome { success: Some(false), error: None });
        }
        let wait = Duration::from_millis(config.graph_wait_ms);
        let error = match self.stores.seat.apply(placed.projection, wait).await {
            Applying::Applied => return Ok(GraphOutcome { success: Some(true), error: None }),
            Applying::Late => Error::graph(Reason::Timeout, "the graph did not answer within graphWaitMs"),
            Applying::Failed(error) => error,
        };
        match undo {
            Some(undo) if config.rollback_on_partial_failure => self.roll_back(undo, error, config).await,
            _ => Ok(GraphOutcome { success: Some(false), error: Some(error) }),
        }
    }

    /// Always an error: the write was undone, or a newer one had replaced it.
    async fn roll_back(&self, undo: Undo, cause: Error, config: &PersistenceConfig) -> Result<GraphOutcome> {
        let undone = self.stores.postgres.undo(&undo).await?;
        let (reason, message) = if undone {
            (Reason::RolledBack, "the graph write failed, so the memory was put back as it was")
        } else {
            (
                Reason::RollbackSuperseded,
                "the graph write failed; a newer write had replaced this one, so it was left",
            )
        };
        self.nudge(undo.id, config);
        Err(Error::graph(reason, message)
            .with("memoryId", undo.id.to_string())
            .with("cause", cause.envelope()))
    }

    /// Tries in the background to bring the graph after an undo up to date; otherwise the debt waits for a sync.
    fn nudge(&self, id: Uuid, config: &PersistenceConfig) {
        let (stores, config) = (Arc::clone(&self.stores), config.clone());
        tokio::spawn(async move {
            let scope = DrainScope { ids: Some(vec![id]), ..DrainScope::default() };
            let paid = async {
                let (graph, target) = stores.seat.ours().await?;
                let context = CallContext::default();
                let job = Job {
                    postgres: &stores.postgres,
                    seat: &stores.seat,
                    config: &config,
                    context: &context,
                };
                drain(job, graph.as_ref(), &target, &scope).await
            };
            if let Err(error) = paid.await {
                log::info!("an undone write stays owed to the graph: {error}");
            }
        });
    }
}
