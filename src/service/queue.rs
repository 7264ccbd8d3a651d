//! What is owed: listed, paid, tried again, given up.

use serde_json::Value;

use super::layer::Layer;
use super::request::{DeltaSyncArgs, DrainArgs, PurgeDeadArgs, QueueArgs, RetryArgs};
use crate::config::PersistenceConfig;
use crate::context::CallContext;
use crate::error::Result;
use crate::model::SyncResult;

impl Layer {
    pub(super) async fn delta_sync(
        &self,
        _args: DeltaSyncArgs,
        _config: &PersistenceConfig,
        _context: &CallContext,
    ) -> Result<SyncResult> {
        todo!()
    }

    pub(super) async fn drain(
        &self,
        _args: DrainArgs,
        _config: &PersistenceConfig,
        _context: &CallContext,
    ) -> Result<Value> {
        todo!()
    }

    pub(super) async fn switch_graph(
        &self,
        _config: &PersistenceConfig,
        _context: &CallContext,
    ) -> Result<SyncResult> {
        todo!()
    }

    pub(super) async fn queue(&self, _args: QueueArgs) -> Result<Value> {
        todo!()
    }

    pub(super) async fn retry_now(&self, _args: RetryArgs) -> Result<Value> {
        todo!()
    }

    pub(super) async fn purge_dead(&self, _args: PurgeDeadArgs) -> Result<Value> {
        todo!()
    }

    pub(super) async fn start_auto_sync(&self, _config: &PersistenceConfig) -> Result<Value> {
        todo!()
    }

    pub(super) async fn stop_auto_sync(&self) -> Result<Value> {
        todo!()
    }
}
