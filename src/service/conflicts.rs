//! The conflict log, and checks that only tell.

use serde_json::Value;

use super::layer::{Layer, until_aborted};
use super::request::{ConflictsArgs, PurgeConflictsArgs, VerifyArgs};
use super::sync::finished;
use super::validate;
use crate::config::PersistenceConfig;
use crate::context::CallContext;
use crate::error::Result;
use crate::model::Verdict;
use crate::sync::{self, CheckScope};

impl Layer {
    pub(super) async fn verify(
        &self,
        args: VerifyArgs,
        config: &PersistenceConfig,
        context: &CallContext,
    ) -> Result<Verdict> {
        validate::optional_user_id(args.user_id.as_deref())?;
        until_aborted(&context.cancel, self.stores.ready()).await?;
        let scope = CheckScope { user_id: args.user_id.as_deref(), deep: args.deep.unwrap_or(false) };
        let verdict = sync::verify(self.job(config, context), scope).await?;
        finished(context)?;
        Ok(verdict)
    }

    pub(super) async fn conflicts(&self, _args: ConflictsArgs) -> Result<Value> {
        todo!()
    }

    pub(super) async fn purge_conflicts(&self, _args: PurgeConflictsArgs) -> Result<Value> {
        todo!()
    }
}
