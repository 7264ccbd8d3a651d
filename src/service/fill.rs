//! What the models owe: paid by a drain, filled by a backfill, made anew for another model.

use super::layer::{Layer, until_aborted};
use super::request::BackfillArgs;
use super::sync::finished;
use super::validate;
use crate::config::PersistenceConfig;
use crate::context::CallContext;
use crate::error::Result;
use crate::model::OwedToModels;
use crate::sync::{self, Backfill, Backfilled, Meter, ModelScope, ModelsPaid, Reembedded};

impl Layer {
    pub(super) async fn pay_models(
        &self,
        scope: &ModelScope,
        config: &PersistenceConfig,
        context: &CallContext,
    ) -> Result<ModelsPaid> {
        let job = self.job(config, context);
        let paid = sync::pay_models(job, &self.models, scope, &Meter::silent()).await?;
        finished(context)?;
        Ok(paid)
    }

    pub(super) async fn owed_to_models(&self, config: &PersistenceConfig) -> Result<OwedToModels> {
        sync::owed_to_models(&self.models, &self.stores.postgres, config, None).await
    }

    pub(super) async fn backfill(
        &self,
        args: BackfillArgs,
        config: &PersistenceConfig,
        context: &CallContext,
    ) -> Result<Backfilled> {
        validate::optional_user_id(args.user_id.as_deref())?;
        until_aborted(&context.cancel, self.ready()).await?;
        let wanted = Backfill {
            user_id: args.user_id.as_deref(),
            embed: args.embed,
            extract: args.extract,
            dry_run: args.dry_run.unwrap_or(false),
        };
        let result = sync::backfill(self.job(config, context), &self.models, wanted).await?;
        if result.extracted > 0 {
            self.stores.seat.nudge();
        }
        finished(context)?;
        Ok(result)
    }

    pub(super) async fn reembed(
        &self,
        config: &PersistenceConfig,
        context: &CallContext,
    ) -> Result<Reembedded> {
        until_aborted(&context.cancel, self.ready()).await?;
        let result = sync::reembed(self.job(config, context), &self.models).await?;
        finished(context)?;
        Ok(result)
    }
}
