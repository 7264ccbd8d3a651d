//! From a parsed request to its answer as JSON text.

use futures::future::BoxFuture;
use serde::Serialize;
use serde_json::json;

use super::layer::{Layer, until_aborted};
use super::request::{Operation, Request, Sealed};
use super::sync::as_sync_error;
use crate::config::PersistenceConfig;
use crate::context::CallContext;
use crate::error::{Error, Reason, Result};
use crate::model::{Memory, Write};

impl Layer {
    /// Runs one call. `embedding` belongs to `store`, `update` and `storeMany`; an abort of the context stops everything that has not
    /// begun to commit.
    pub fn call<'a>(
        &'a self,
        request: &'a str,
        embedding: Option<Vec<f32>>,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Result<String>> {
        Box::pin(self.attended(context, async |context| self.dispatch(request, embedding, context).await))
    }

    async fn dispatch(
        &self,
        request: &str,
        embedding: Option<Vec<f32>>,
        context: &CallContext,
    ) -> Result<String> {
        let request = Sealed::of(request)?;
        let running = self.stores.postgres.metrics().operation(request.name);
        let outcome = self.open_and_run(request, embedding, context).await;
        running.ended(&outcome);
        outcome
    }

    async fn open_and_run(
        &self,
        request: Sealed,
        embedding: Option<Vec<f32>>,
        context: &CallContext,
    ) -> Result<String> {
        let Request { operation, persistence } = request.open()?;
        let config = &self.persistence(persistence)?;
        self.start_auto_sync_once(config);
        self.run(operation, embedding, config, context).await
    }

    /// Every operation is a future of its own on the heap: all of them in one would be too much for a thread's stack.
    fn run<'a>(
        &'a self,
        operation: Operation,
        embedding: Option<Vec<f32>>,
        config: &'a PersistenceConfig,
        context: &'a CallContext,
    ) -> BoxFuture<'a, Result<String>> {
        let cancel = &context.cancel;
        match operation {
            Operation::Store(args) => answer(async move {
                let (memory, write) = self.store(args, embedding, config, cancel).await?;
                Ok(Answer { memory: Some(memory), write })
            }),
            Operation::Update(args) => answer(async move {
                let (memory, write) = self.update(args, embedding, config, cancel).await?;
                Ok(Answer { memory, write })
            }),
            Operation::Delete(args) => {
                answer(async move { Ok(json!({ "write": self.delete(args, config, cancel).await? })) })
            }
            Operation::Retrieve(args) => answer(until_aborted(cancel, self.retrieve(args))),
            Operation::Search(args) => answer(until_aborted(cancel, self.search(args))),
            Operation::GetById(args) => answer(until_aborted(cancel, self.get_by_id(args))),
            Operation::GetMany(args) => answer(until_aborted(cancel, self.get_many(args))),
            Operation::GetAll(args) => answer(until_aborted(cancel, self.get_all(args))),
            Operation::List(args) => answer(until_aborted(cancel, self.list(args))),
            Operation::ExportPage(args) => answer(until_aborted(cancel, self.export_page(args))),
            Operation::MemoryStats(args) => {
                answer(async move { until_aborted(cancel, self.memory_stats(&args.user_id)).await })
            }
            Operation::Health(_) => answer(until_aborted(cancel, async { Ok(self.health(config).await) })),
            Operation::StoreMany(args) => {
                answer(self.store_many(args, embedding.unwrap_or_default(), config, cancel))
            }
            Operation::CheckMany(args) => answer(async move { self.check_many(&args) }),
            Operation::DeleteMany(args) => answer(self.delete_many(args, config, cancel)),
            Operation::DeleteAll(args) => answer(self.delete_all(args, config, context)),
            Operation::Restore(args) => answer(async move {
                let (memory, write) = self.restore(args, config, cancel).await?;
                Ok(Answer { memory, write })
            }),
            Operation::PurgeDeleted(args) => answer(self.purge_deleted(args, config, context)),
            Operation::CheckConsistency(args) => sync_answer(self.check_consistency(args, config, context)),
            Operation::Verify(args) => sync_answer(self.verify(args, config, context)),
            Operation::RepairInconsistencies(args) => sync_answer(self.repair(args, config, context)),
            Operation::FullSync(args) => sync_answer(self.full_sync(args, config, context)),
            Operation::RebuildGraph(args) => sync_answer(self.rebuild(args, config, context)),
            Operation::DeltaSync(args) => sync_answer(self.delta_sync(args, config, context)),
            Operation::Drain(args) => sync_answer(self.drain(args, config, context)),
            Operation::Backfill(args) => sync_answer(self.backfill(args, config, context)),
            Operation::Reembed(_) => sync_answer(self.reembed(config, context)),
            Operation::SwitchGraph(_) => sync_answer(self.switch_graph(config, context)),
            Operation::GetQueue(args) => sync_answer(until_aborted(cancel, self.queue(args))),
            Operation::RetryNow(args) => sync_answer(until_aborted(cancel, self.retry_now(args))),
            Operation::PurgeDead(args) => sync_answer(until_aborted(cancel, self.purge_dead(args))),
            Operation::StartAutoSync(_) => sync_answer(self.start_auto_sync(config)),
            Operation::StopAutoSync(_) => sync_answer(self.stop_auto_sync()),
            Operation::GetConflicts(args) => sync_answer(until_aborted(cancel, self.conflicts(args))),
            Operation::PurgeConflicts(args) => sync_answer(until_aborted(cancel, self.purge_conflicts(args))),
            Operation::SyncStats(_) => sync_answer(until_aborted(cancel, self.sync_stats(config))),
            Operation::StrongestRelations(args) => {
                answer(until_aborted(cancel, self.strongest_relations(args)))
            }
            Operation::GetEntity(args) => answer(until_aborted(cancel, self.entity(args))),
            Operation::SearchEntities(args) => answer(until_aborted(cancel, self.search_entities(args))),
            Operation::GetTopEntities(args) => answer(until_aborted(cancel, self.top_entities(args))),
            Operation::GetRelatedEntities(args) => answer(until_aborted(cancel, self.related_entities(args))),
            Operation::GetMemoriesForEntity(args) => {
                answer(until_aborted(cancel, self.memories_for_entity(args)))
            }
            Operation::FindPath(args) => answer(until_aborted(cancel, self.path(args))),
            Operation::GetEntityStats(args) => {
                answer(async move { until_aborted(cancel, self.entity_stats(&args.user_id)).await })
            }
            Operation::Inspect(_) => {
                answer(until_aborted(cancel, async { Ok(Box::pin(self.inspect()).await) }))
            }
            Operation::Metrics(_) => answer(until_aborted(cancel, self.metrics(config))),
            Operation::Migrate(args) => answer(until_aborted(cancel, self.migrate(args, context))),
        }
    }
}

fn answer<'a, T: Serialize>(
    work: impl Future<Output = Result<T>> + Send + 'a,
) -> BoxFuture<'a, Result<String>> {
    Box::pin(async move { to_json(&work.await?) })
}

fn sync_answer<'a, T: Serialize>(
    work: impl Future<Output = Result<T>> + Send + 'a,
) -> BoxFuture<'a, Result<String>> {
    Box::pin(async move { to_json(&work.await.map_err(as_sync_error)?) })
}

/// A memory and how its write went.
#[derive(Serialize)]
struct Answer {
    memory: Option<Memory>,
    write: Write,
}

fn to_json<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|error| Error::persistence(Reason::Internal, format!("an answer is no JSON: {error}")))
}
