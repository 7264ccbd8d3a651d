//! Writes of many memories.

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::layer::Layer;
use super::request::{DeleteAllArgs, DeleteManyArgs, GetByIdArgs, PurgeDeletedArgs, StoreManyArgs};
use crate::config::PersistenceConfig;
use crate::context::CallContext;
use crate::error::Result;
use crate::model::{Memory, Write};

impl Layer {
    pub(super) async fn store_many(
        &self,
        _args: StoreManyArgs,
        _embeddings: Vec<f32>,
        _config: &PersistenceConfig,
        _cancel: &CancellationToken,
    ) -> Result<Value> {
        todo!()
    }

    pub(super) async fn delete_many(
        &self,
        _args: DeleteManyArgs,
        _config: &PersistenceConfig,
        _cancel: &CancellationToken,
    ) -> Result<Value> {
        todo!()
    }

    pub(super) async fn delete_all(
        &self,
        _args: DeleteAllArgs,
        _config: &PersistenceConfig,
        _context: &CallContext,
    ) -> Result<Value> {
        todo!()
    }

    pub(super) async fn restore(
        &self,
        _args: GetByIdArgs,
        _config: &PersistenceConfig,
        _cancel: &CancellationToken,
    ) -> Result<(Option<Memory>, Write)> {
        todo!()
    }

    pub(super) async fn purge_deleted(
        &self,
        _args: PurgeDeletedArgs,
        _config: &PersistenceConfig,
        _context: &CallContext,
    ) -> Result<Value> {
        todo!()
    }
}
