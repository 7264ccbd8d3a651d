//! The end of memories: a user's all at once, and soft-deleted ones for good. Both go in pages, so that an abort, a crash
//! or a lost connection stops between two of them and the same call goes on.

use serde::Serialize;

use super::layer::{Layer, until_aborted};
use super::request::{DeleteAllArgs, PurgeDeletedArgs};
use super::sync::finished;
use super::validate;
use crate::config::PersistenceConfig;
use crate::context::CallContext;
use crate::error::{Class, Result};
use crate::store::graph::Removed;
use crate::store::postgres::Put;
use crate::sync::{DrainScope, Job, Meter, drain_with, sweep_entities};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeleteAllAnswer {
    deleted: u64,
    /// Still owed to the graph.
    pending: u64,
    /// Edges of other programs that went with the user's nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    foreign_edges: Option<u64>,
}

#[derive(Debug, Serialize)]
pub(super) struct PurgeAnswer {
    purged: u64,
}

impl Layer {
    /// Removes a user's memories from both stores. A graph that is away is no error: `pending` tells what it is owed.
    pub(super) async fn delete_all(
        &self,
        args: DeleteAllArgs,
        config: &PersistenceConfig,
        context: &CallContext,
    ) -> Result<DeleteAllAnswer> {
        validate::user_id(&args.user_id)?;
        until_aborted(&context.cancel, self.ready()).await?;
        let job = self.job(config, context);
        let meter = removal_meter(job, &args).await?;
        let deleted = remove_rows(job, &args.user_id, args.hard, &meter).await?;
        if args.hard {
            job.postgres.forget_user(&args.user_id).await?;
        }
        let mut foreign_edges = None;
        if config.enable_graph_store && !context.cancelled() {
            match clear_graph(job, &args.user_id, &meter).await {
                Err(error) if error.class == Class::GraphStore => {
                    log::info!("the graph is still owed a user's removal: {error}");
                }
                swept => foreign_edges = Some(swept?.foreign_edges).filter(|edges| *edges > 0),
            }
        }
        finished(context)?;
        meter.finish();
        Ok(DeleteAllAnswer { deleted, pending: self.owed_of(&args.user_id).await?, foreign_edges })
    }

    async fn owed_of(&self, user_id: &str) -> Result<u64> {
        let Some(target) = self.stores.postgres.current_target().await? else { return Ok(0) };
        let counts = self.stores.postgres.queue_counts(&target.target, Some(user_id)).await?;
        Ok(u64::try_from(counts.pending + counts.dead).unwrap_or_default())
    }

    /// Removes rows that were soft-deleted before a moment.
    pub(super) async fn purge_deleted(
        &self,
        args: PurgeDeletedArgs,
        config: &PersistenceConfig,
        context: &CallContext,
    ) -> Result<PurgeAnswer> {
        let user_id = args.user_id.as_deref();
        validate::optional_user_id(user_id)?;
        until_aborted(&context.cancel, self.ready()).await?;
        let postgres = &self.stores.postgres;
        let total = postgres.count_purgeable(user_id, args.older_than).await?;
        let meter = self.job(config, context).meter(total);
        let mut purged = 0;
        while !context.cancelled() {
            let page = postgres.purge_page(user_id, args.older_than, paged(config)).await?;
            if page == 0 {
                break;
            }
            purged += page;
            meter.advance(page);
        }
        self.stores.seat.nudge();
        finished(context)?;
        meter.finish();
        Ok(PurgeAnswer { purged })
    }
}

/// Every memory counts once for each store it is removed from on its own.
async fn removal_meter(job: Job<'_>, args: &DeleteAllArgs) -> Result<Meter> {
    let rows = job.postgres.count_removable(&args.user_id, args.hard).await?;
    let apart =
        job.config.enable_graph_store && job.seat.graph().is_some_and(|graph| !graph.shares_database());
    Ok(job.meter(if apart { rows * 2 } else { rows }))
}

/// Goes through the user's memories until it meets none: others may be storing all the while.
async fn remove_rows(job: Job<'_>, user_id: &str, hard: bool, meter: &Meter) -> Result<u64> {
    let (mut deleted, mut after, mut in_this_round) = (0, None, 0);
    while !job.cancelled() {
        let page = job.postgres.delete_page(user_id, hard, paged(job.config), after).await?;
        let removed = u64::try_from(page.removed).unwrap_or_default();
        deleted += removed;
        in_this_round += removed;
        meter.advance(removed);
        if page.last.is_none() && in_this_round == 0 {
            break;
        }
        if page.last.is_none() {
            in_this_round = 0;
        }
        after = page.last;
    }
    Ok(deleted)
}

/// Pays the user's debts and sweeps the entities that nobody mentions any more.
async fn clear_graph(job: Job<'_>, user_id: &str, meter: &Meter) -> Result<Removed> {
    if job.seat.graph().is_none() {
        return Ok(Removed::default());
    }
    job.seat.flush().await;
    let (graph, target) = job.seat.ours().await?;
    let scope = DrainScope { user_id: Some(user_id.to_owned()), ..DrainScope::default() };
    drain_with(job, graph.as_ref(), &target, &scope, meter).await?;
    sweep_entities(job, graph.as_ref()).await
}

fn paged(config: &PersistenceConfig) -> Put {
    if config.enable_graph_store { Put::Paged } else { Put::None }
}
