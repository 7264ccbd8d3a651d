use super::layer::{Layer, aborted, until_aborted};
use super::request::{CheckArgs, FullSyncArgs, RebuildArgs, RelationsArgs, RepairArgs};
use super::validate;
use crate::config::PersistenceConfig;
use crate::context::CallContext;
use crate::error::{Class, Error, Reason, Result};
use crate::model::{Inconsistency, StrongRelation, SyncResult};
use crate::store::postgres::QueueCounts;
use crate::sync::{self, CheckScope, FullSync, Job};

const DEFAULT_RELATIONS: i64 = 20;

impl Layer {
    pub(super) fn job<'a>(&'a self, config: &'a PersistenceConfig, context: &'a CallContext) -> Job<'a> {
        let limits = &self.config.limits;
        Job { postgres: &self.stores.postgres, seat: &self.stores.seat, config, limits, context }
    }

    pub(super) async fn check_consistency(
        &self,
        args: CheckArgs,
        config: &PersistenceConfig,
        context: &CallContext,
    ) -> Result<Vec<Inconsistency>> {
        let result = self
            .full_sync(
                FullSyncArgs {
                    user_id: args.user_id,
                    limit: args.limit,
                    dry_run: Some(true),
                    deep: args.deep,
                    conflict_strategy: None,
                },
                config,
                context,
            )
            .await?;
        Ok(result.inconsistencies)
    }

    pub(super) async fn repair(
        &self,
        args: RepairArgs,
        config: &PersistenceConfig,
        context: &CallContext,
    ) -> Result<SyncResult> {
        until_aborted(&context.cancel, self.stores.ready()).await?;
        let result =
            sync::repair(self.job(config, context), args.inconsistencies, args.conflict_strategy).await?;
        finished(context)?;
        Ok(result)
    }

    pub(super) async fn full_sync(
        &self,
        args: FullSyncArgs,
        config: &PersistenceConfig,
        context: &CallContext,
    ) -> Result<SyncResult> {
        validate::optional_user_id(args.user_id.as_deref())?;
        let limit = validate::sync_limit(args.limit)?;
        until_aborted(&context.cancel, self.stores.ready()).await?;
        let wanted = FullSync {
            check: CheckScope { user_id: args.user_id.as_deref(), deep: args.deep.unwrap_or(false) },
            limit,
            dry_run: args.dry_run.unwrap_or(false),
            strategy: args.conflict_strategy,
            spare_dead: false,
            some_rows: false,
        };
        let result = sync::full_sync(self.job(config, context), wanted).await?;
        finished(context)?;
        Ok(result)
    }

    pub(super) async fn rebuild(
        &self,
        args: RebuildArgs,
        config: &PersistenceConfig,
        context: &CallContext,
    ) -> Result<SyncResult> {
        validate::optional_user_id(args.user_id.as_deref())?;
        let limit = validate::sync_limit(args.limit)?;
        until_aborted(&context.cancel, self.stores.ready()).await?;
        let wanted = sync::Rebuild {
            user_id: args.user_id.as_deref(),
            limit,
            clear_existing: args.clear_existing.unwrap_or(false),
        };
        let result = sync::rebuild(self.job(config, context), wanted).await?;
        finished(context)?;
        Ok(result)
    }

    pub(super) async fn graph_counts(&self) -> Result<QueueCounts> {
        let (_, target) = self.stores.seat.ours().await?;
        self.stores.postgres.queue_counts(&target.target, None).await
    }

    pub(super) async fn strongest_relations(&self, args: RelationsArgs) -> Result<Vec<StrongRelation>> {
        validate::user_id(&args.user_id)?;
        let limit = validate::limit(args.limit, DEFAULT_RELATIONS)?;
        self.stores.ready().await?;
        let (graph, _) = self.stores.seat.ours().await?;
        graph.strongest_relations(&args.user_id, usize::try_from(limit).unwrap_or_default()).await
    }
}

/// A sync call that was aborted stopped between batches; what it did stays done.
pub(super) fn finished(context: &CallContext) -> Result<()> {
    if context.cancelled() { Err(aborted()) } else { Ok(()) }
}

/// Errors of sync operations are `SyncError`s, unless they speak of bad input or one store.
pub(super) fn as_sync_error(error: Error) -> Error {
    match (error.class, error.reason) {
        (
            Class::Persistence,
            Reason::InvalidArgument | Reason::Aborted | Reason::Closed | Reason::NotConfigured,
        ) => error,
        (Class::GraphStore | Class::VectorStore, reason) => Error { class: Class::Sync, reason, ..error },
        _ => error,
    }
}
