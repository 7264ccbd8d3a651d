//! The conflict log, and checks that only tell.

use serde_json::Value;

use super::layer::Layer;
use super::request::{ConflictsArgs, PurgeConflictsArgs, VerifyArgs};
use crate::config::PersistenceConfig;
use crate::context::CallContext;
use crate::error::Result;

impl Layer {
    pub(super) async fn verify(
        &self,
        _args: VerifyArgs,
        _config: &PersistenceConfig,
        _context: &CallContext,
    ) -> Result<Value> {
        todo!()
    }

    pub(super) async fn conflicts(&self, _args: ConflictsArgs) -> Result<Value> {
        todo!()
    }

    pub(super) async fn purge_conflicts(&self, _args: PurgeConflictsArgs) -> Result<Value> {
        todo!()
    }
}
