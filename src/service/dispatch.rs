//! From a parsed request to its answer as JSON text.

use futures::future::BoxFuture;
use serde::Serialize;
use serde_json::json;

use super::layer::{Layer, until_aborted};
use super::request::{Operation, Request};
use super::sync::as_sync_error;
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
        let cancel = &context.cancel;
        let Request { operation, persistence } = Request::parse(request)?;
        let config = &self.persistence(persistence)?;
        self.start_auto_sync_once(config);
        match operation {
            Operation::Store(args) => {
                let (memory, write) = Box::pin(self.store(args, embedding, config, cancel)).await?;
                to_json(&Answer { memory: Some(memory), write })
            }
            Operation::Update(args) => {
                let (memory, write) = Box::pin(self.update(args, embedding, config, cancel)).await?;
                to_json(&Answer { memory, write })
            }
            Operation::Delete(args) => {
                to_json(&json!({ "write": Box::pin(self.delete(args, config, cancel)).await? }))
            }
            Operation::Retrieve(args) => to_json(&until_aborted(cancel, self.retrieve(args)).await?),
            Operation::GetById(args) => to_json(&until_aborted(cancel, self.get_by_id(args)).await?),
            Operation::GetMany(args) => to_json(&until_aborted(cancel, self.get_many(args)).await?),
            Operation::GetAll(args) => to_json(&until_aborted(cancel, self.get_all(args)).await?),
            Operation::MemoryStats(args) => {
                to_json(&until_aborted(cancel, self.memory_stats(&args.user_id)).await?)
            }
            Operation::Health(_) => {
                to_json(&until_aborted(cancel, async { Ok(self.health(config).await) }).await?)
            }
            Operation::StoreMany(args) => to_json(
                &Box::pin(self.store_many(args, embedding.unwrap_or_default(), config, cancel)).await?,
            ),
            Operation::DeleteMany(args) => to_json(&Box::pin(self.delete_many(args, config, cancel)).await?),
            Operation::DeleteAll(args) => to_json(&Box::pin(self.delete_all(args, config, context)).await?),
            Operation::Restore(args) => {
                let (memory, write) = Box::pin(self.restore(args, config, cancel)).await?;
                to_json(&Answer { memory, write })
            }
            Operation::PurgeDeleted(args) => {
                to_json(&Box::pin(self.purge_deleted(args, config, context)).await?)
            }
            Operation::CheckConsistency(args) => to_json(
                &Box::pin(self.check_consistency(args, config, context)).await.map_err(as_sync_error)?,
            ),
            Operation::Verify(args) => {
                to_json(&Box::pin(self.verify(args, config, context)).await.map_err(as_sync_error)?)
            }
            Operation::RepairInconsistencies(args) => {
                to_json(&Box::pin(self.repair(args, config, context)).await.map_err(as_sync_error)?)
            }
            Operation::FullSync(args) => {
                to_json(&Box::pin(self.full_sync(args, config, context)).await.map_err(as_sync_error)?)
            }
            Operation::RebuildGraph(args) => {
                to_json(&Box::pin(self.rebuild(args, config, context)).await.map_err(as_sync_error)?)
            }
            Operation::DeltaSync(args) => {
                to_json(&Box::pin(self.delta_sync(args, config, context)).await.map_err(as_sync_error)?)
            }
            Operation::Drain(args) => {
                to_json(&Box::pin(self.drain(args, config, context)).await.map_err(as_sync_error)?)
            }
            Operation::SwitchGraph(_) => {
                to_json(&Box::pin(self.switch_graph(config, context)).await.map_err(as_sync_error)?)
            }
            Operation::GetQueue(args) => {
                to_json(&until_aborted(cancel, self.queue(args)).await.map_err(as_sync_error)?)
            }
            Operation::RetryNow(args) => {
                to_json(&until_aborted(cancel, self.retry_now(args)).await.map_err(as_sync_error)?)
            }
            Operation::PurgeDead(args) => {
                to_json(&until_aborted(cancel, self.purge_dead(args)).await.map_err(as_sync_error)?)
            }
            Operation::StartAutoSync(_) => {
                to_json(&self.start_auto_sync(config).await.map_err(as_sync_error)?)
            }
            Operation::StopAutoSync(_) => to_json(&self.stop_auto_sync().await.map_err(as_sync_error)?),
            Operation::GetConflicts(args) => {
                to_json(&until_aborted(cancel, self.conflicts(args)).await.map_err(as_sync_error)?)
            }
            Operation::PurgeConflicts(args) => {
                to_json(&until_aborted(cancel, self.purge_conflicts(args)).await.map_err(as_sync_error)?)
            }
            Operation::SyncStats(_) => {
                to_json(&until_aborted(cancel, self.sync_stats()).await.map_err(as_sync_error)?)
            }
            Operation::StrongestRelations(args) => {
                to_json(&until_aborted(cancel, self.strongest_relations(args)).await?)
            }
            Operation::Migrate(_) => {
                let applied = until_aborted(cancel, self.stores.postgres.migrate()).await?;
                to_json(&json!({ "applied": applied }))
            }
        }
    }
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
