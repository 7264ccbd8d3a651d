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

    fn applied() -> Self {
        Self { success: Some(true), error: None }
    }

    fn of(applying: Applying) -> Self {
        let error = match applying {
            Applying::Applied => return Self::applied(),
            Applying::Late => Error::graph(Reason::Timeout, "the graph did not answer within graphWaitMs"),
            Applying::Failed(error) => error,
        };
        Self { success: Some(false), error: Some(error) }
    }

    pub(super) fn into_write(self, created: bool, begun: Instant) -> Write {
        Write {
            created,
            restored: false,
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

/// `undone`: false when a newer write had come.
fn rolled_back(id: Uuid, undone: bool, cause: &Error) -> Error {
    let (reason, message) = if undone {
        (Reason::RolledBack, "the graph write failed, so the memory was put back as it was")
    } else {
        (
            Reason::RollbackSuperseded,
            "the graph write failed; a newer write had replaced this one, so it was left",
        )
    };
    Error::graph(reason, message).with("memoryId", id.to_string()).with("cause", cause.envelope())
}

/// A write of a batch that Postgres holds.
pub(super) struct PlacedWrite {
    pub placed: Placed,
    pub undo: Option<Undo>,
    pub put: Put,
}

impl Layer {
    /// What is known without asking the graph.
    async fn settled(&self, placed: &Placed, put: Put, config: &PersistenceConfig) -> Option<GraphOutcome> {
        let Some(target) = placed.target.as_deref().filter(|_| config.enable_graph_store) else {
            return Some(GraphOutcome::none());
        };
        self.stores.seat.notice(target).await;
        if !placed.owed {
            return Some(GraphOutcome::applied());
        }
        if put == Put::Later {
            self.stores.seat.nudge();
            return Some(GraphOutcome { success: Some(false), error: None });
        }
        None
    }

    /// The graph's half of a write: applied within `graphWaitMs`, else owed or undone.
    pub(super) async fn finish(
        &self,
        placed: Placed,
        undo: Option<Undo>,
        put: Put,
        config: &PersistenceConfig,
    ) -> Result<GraphOutcome> {
        if let Some(outcome) = self.settled(&placed, put, config).await {
            return Ok(outcome);
        }
        let wait = Duration::from_millis(config.graph_wait_ms);
        let applying = self.stores.seat.apply(placed.projection, wait).await;
        match (GraphOutcome::of(applying), undo) {
            (GraphOutcome { error: Some(error), .. }, Some(undo)) if config.rollback_on_partial_failure => {
                let undone = self.stores.postgres.undo(std::slice::from_ref(&undo)).await?;
                self.nudge(vec![undo.id], config);
                Err(rolled_back(undo.id, undone.contains(&undo.id), &error))
            }
            (outcome, _) => Ok(outcome),
        }
    }

    /// The same for a batch, in one transaction of the graph. One outcome for each in the order given; an error of all
    /// when undoing failed.
    pub(super) async fn finish_many(
        &self,
        writes: Vec<PlacedWrite>,
        config: &PersistenceConfig,
    ) -> Result<Vec<Result<GraphOutcome>>> {
        let mut outcomes: Vec<Option<Result<GraphOutcome>>> = Vec::with_capacity(writes.len());
        let (mut places, mut undos, mut batch) = (Vec::new(), Vec::new(), Vec::new());
        for (place, write) in writes.into_iter().enumerate() {
            outcomes.push(self.settled(&write.placed, write.put, config).await.map(Ok));
            if outcomes[place].is_none() {
                places.push(place);
                undos.push(write.undo);
                batch.push(write.placed.projection);
            }
        }
        let wait = Duration::from_millis(config.graph_wait_ms);
        let applied = self.stores.seat.apply_many(batch, wait).await;
        let applied: Vec<GraphOutcome> = applied.into_iter().map(GraphOutcome::of).collect();
        let undone = self.roll_back(&applied, undos, config).await?;
        for ((place, outcome), undone) in places.into_iter().zip(applied).zip(undone) {
            outcomes[place] = Some(undone.map_or(Ok(outcome), Err));
        }
        Ok(outcomes.into_iter().flatten().collect())
    }

    /// Undoes those of a batch that failed in the graph, where the caller wants that. Answers their errors.
    async fn roll_back(
        &self,
        outcomes: &[GraphOutcome],
        undos: Vec<Option<Undo>>,
        config: &PersistenceConfig,
    ) -> Result<Vec<Option<Error>>> {
        let wanted = config.rollback_on_partial_failure;
        let failed = |(outcome, undo): (&GraphOutcome, Option<Undo>)| {
            undo.filter(|_| wanted && outcome.error.is_some())
        };
        let undos: Vec<Option<Undo>> = outcomes.iter().zip(undos).map(failed).collect();
        let wanted: Vec<Undo> = undos.iter().flatten().cloned().collect();
        if wanted.is_empty() {
            return Ok(vec![None; outcomes.len()]);
        }
        let undone = self.stores.postgres.undo(&wanted).await?;
        self.nudge(wanted.iter().map(|undo| undo.id).collect(), config);
        let error = |(outcome, undo): (&GraphOutcome, Option<Undo>)| {
            let (undo, cause) = (undo?, outcome.error.as_ref()?);
            Some(rolled_back(undo.id, undone.contains(&undo.id), cause))
        };
        Ok(outcomes.iter().zip(undos).map(error).collect())
    }

    /// Tries in the background to bring the graph after an undo up to date; otherwise the debts wait for a sync.
    fn nudge(&self, ids: Vec<Uuid>, config: &PersistenceConfig) {
        let (stores, config) = (Arc::clone(&self.stores), config.clone());
        let limits = self.config.limits.clone();
        tokio::spawn(async move {
            let scope = DrainScope { ids: Some(ids), ..DrainScope::default() };
            let paid = async {
                let (graph, target) = stores.seat.ours().await?;
                let context = CallContext::default();
                let job = Job {
                    postgres: &stores.postgres,
                    seat: &stores.seat,
                    config: &config,
                    limits: &limits,
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
