use super::layer::{Layer, aborted, until_aborted};
use super::request::{CheckArgs, FullSyncArgs, RebuildArgs, RelationsArgs, RepairArgs};
use super::validate;
use crate::config::PersistenceConfig;
use crate::context::CallContext;
use crate::error::{Class, Error, Reason, Result};
use crate::model::{Inconsistency, OwedToModels, StrongRelation, SyncResult, SyncStats};
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

    /// Counts of both stores. Rejects when one that is configured cannot be reached.
    pub(super) async fn sync_stats(&self, config: &PersistenceConfig) -> Result<SyncStats> {
        self.ready().await?;
        let stores = &self.stores;
        stores.seat.flush().await;
        let vector_store_count = stores.postgres.count_live(None).await?;
        let last_sync = stores.postgres.last_sync().await?;
        let conflicts = stores.postgres.count_conflicts().await?;
        let models = self.owed_to_models(config).await?;
        if stores.seat.graph().is_none() {
            let counts = QueueCounts::default();
            return Ok(SyncStats { conflicts, models, ..stats(vector_store_count, 0, &counts, last_sync) });
        }
        let (graph, target) = stores.seat.ours().await?;
        let counts = stores.postgres.queue_counts(&target.target, None).await?;
        let graph_store_count = graph.count(None).await?;
        Ok(SyncStats {
            conflicts,
            models,
            ..stats(vector_store_count, graph_store_count, &counts, last_sync)
        })
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

/// What the counts of both stores come to. Conflicts and what is owed to models are counted elsewhere.
pub(super) fn stats(
    live: u64,
    in_graph: u64,
    counts: &QueueCounts,
    last_sync: Option<chrono::DateTime<chrono::Utc>>,
) -> SyncStats {
    let unsigned = |value: i64| u64::try_from(value).unwrap_or_default();
    let synced = synced(live, in_graph, counts);
    let percentage = (synced * 100).checked_div(live).unwrap_or(100);
    SyncStats {
        vector_store_count: live,
        graph_store_count: in_graph,
        sync_percentage: u32::try_from(percentage).unwrap_or(100),
        last_sync,
        pending: unsigned(counts.pending),
        dead: unsigned(counts.dead),
        conflicts: 0,
        models: OwedToModels::default(),
    }
}

/// How many live memories the graph holds as they are.
pub(super) fn synced(live: u64, in_graph: u64, counts: &QueueCounts) -> u64 {
    let unsigned = |value: i64| u64::try_from(value).unwrap_or_default();
    let owed = unsigned(counts.pending_live) + unsigned(counts.dead);
    in_graph.min(live.saturating_sub(owed))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_percentage_is_100_only_when_nothing_is_missing_or_owed() {
        let counts = |pending_live, dead| QueueCounts { pending: pending_live, dead, pending_live };
        assert_eq!(stats(0, 0, &counts(0, 0), None).sync_percentage, 100);
        assert_eq!(stats(1000, 1000, &counts(0, 0), None).sync_percentage, 100);
        assert_eq!(stats(1000, 999, &counts(0, 0), None).sync_percentage, 99);
        assert_eq!(stats(1000, 1000, &counts(1, 0), None).sync_percentage, 99);
        assert_eq!(stats(1000, 1000, &counts(0, 1), None).sync_percentage, 99);
        assert_eq!(stats(2, 0, &counts(5, 0), None).sync_percentage, 0);
    }
}
