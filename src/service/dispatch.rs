//! From a parsed request to its answer as JSON text.

use futures::future::BoxFuture;
use serde::Serialize;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::layer::{Layer, until_aborted};
use super::request::{Operation, Request};
use super::sync::as_sync_error;
use crate::error::{Error, Reason, Result};
use crate::model::{Memory, Write};

impl Layer {
    /// Runs one call. `embedding` belongs to `store` and `update`; an abort of `cancel` stops everything that has not
    /// begun to commit.
    pub fn call<'a>(
        &'a self,
        request: &'a str,
        embedding: Option<Vec<f32>>,
        cancel: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<String>> {
        Box::pin(self.dispatch(request, embedding, cancel))
    }

    async fn dispatch(
        &self,
        request: &str,
        embedding: Option<Vec<f32>>,
        cancel: &CancellationToken,
    ) -> Result<String> {
        self.check_open()?;
        let Request { operation, persistence } = Request::parse(request)?;
        let config = &self.persistence(persistence);
        match operation {
            Operation::Store(args) => {
                let (memory, write) = self.store(args, embedding, config, cancel).await?;
                to_json(&Answer { memory: Some(memory), write })
            }
            Operation::Update(args) => {
                let (memory, write) = self.update(args, embedding, config, cancel).await?;
                to_json(&Answer { memory, write })
            }
            Operation::Delete(args) => to_json(&json!({ "write": self.delete(args, config, cancel).await? })),
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
            Operation::CheckConsistency(args) => {
                to_json(&self.check_consistency(args, cancel).await.map_err(as_sync_error)?)
            }
            Operation::RepairInconsistencies(args) => {
                to_json(&self.repair(args, config, cancel).await.map_err(as_sync_error)?)
            }
            Operation::FullSync(args) => {
                to_json(&self.full_sync(args, config, cancel).await.map_err(as_sync_error)?)
            }
            Operation::RebuildGraph(args) => {
                to_json(&self.rebuild(args, config, cancel).await.map_err(as_sync_error)?)
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
