//! The end of memories: a user's all at once, and soft-deleted ones for good. Both go in pages, so that an abort, a crash
//! or a lost connection stops between two of them and the same call goes on.

use serde::Serialize;
use uuid::Uuid;

use super::layer::{Layer, until_aborted};
use super::request::{DeleteAllArgs, PurgeDeletedArgs};
use super::sync::finished;
use super::validate;
use crate::config::PersistenceConfig;
use crate::context::CallContext;
use crate::error::{Class, Error, Reason, Result};
use crate::store::graph::Removed;
use crate::store::postgres::Put;
use crate::sync::{DrainScope, Job, Meter, drain_with, follow_user, sweep_entities};

/// Rounds over a user's memories, each of which deletes something.
const MOST_ROUNDS: usize = 100;

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
        let followed = follow_user(job, &args.user_id).await?;
        let meter = removal_meter(job, &args).await?;
        let removal = remove_rows(job, &args.user_id, args.hard, &meter).await?;
        if args.hard {
            job.postgres.forget_user(&args.user_id).await?;
        }
        let mut foreign_edges = None;
        if config.enable_graph_store && !context.cancelled() {
            match clear_graph(job, &args.user_id, followed, &meter).await {
                Err(error) if error.class == Class::GraphStore => {
                    log::info!("the graph is still owed a user's removal: {error}");
                }
                swept => foreign_edges = Some(swept?.foreign_edges).filter(|edges| *edges > 0),
            }
        }
        finished(context)?;
        let Removal { deleted, kept } = removal;
        if kept > 0 {
            return Err(withstood(deleted, kept));
        }
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

/// What became of a user's rows.
#[derive(Debug, Default)]
struct Removal {
    deleted: u64,
    /// Met in the last round, and still there.
    kept: u64,
}

/// Goes through the user's memories until it meets none: others may be storing all the while, but not for ever.
async fn remove_rows(job: Job<'_>, user_id: &str, hard: bool, meter: &Meter) -> Result<Removal> {
    let mut removal = Removal::default();
    for _ in 0..MOST_ROUNDS {
        let (mut after, mut in_this_round) = (None, 0);
        removal.kept = 0;
        while !job.cancelled() {
            let page = job.postgres.delete_page(user_id, hard, paged(job.config), after).await?;
            let removed = u64::try_from(page.removed).unwrap_or_default();
            removal.kept += u64::try_from(page.kept).unwrap_or_default();
            in_this_round += removed;
            meter.advance(removed);
            after = page.last;
            if after.is_none() {
                break;
            }
        }
        removal.deleted += in_this_round;
        if in_this_round == 0 || job.cancelled() {
            break;
        }
    }
    Ok(removal)
}

fn withstood(deleted: u64, kept: u64) -> Error {
    let problem = format!(
        "memory_entries: {kept} rows were not deleted; a trigger, rule or policy on the table keeps them, and must let \
         izzie-memory delete them ({deleted} were deleted)"
    );
    Error::vector(Reason::StatementRejected, problem).with("deleted", deleted).with("kept", kept)
}

/// Pays the user's debts and sweeps the entities that nobody mentions any more.
async fn clear_graph(job: Job<'_>, user_id: &str, followed: Vec<Uuid>, meter: &Meter) -> Result<Removed> {
    if job.seat.graph().is_none() {
        return Ok(Removed::default());
    }
    job.seat.flush().await;
    let (graph, target) = job.seat.ours().await?;
    // Some of them may be another user's by now.
    if !followed.is_empty() {
        let scope = DrainScope { ids: Some(followed), ..DrainScope::default() };
        drain_with(job, graph.as_ref(), &target, &scope, meter).await?;
    }
    let scope = DrainScope { user_id: Some(user_id.to_owned()), ..DrainScope::default() };
    drain_with(job, graph.as_ref(), &target, &scope, meter).await?;
    sweep_entities(job, graph.as_ref(), None).await
}

fn paged(config: &PersistenceConfig) -> Put {
    if config.enable_graph_store { Put::Paged } else { Put::None }
}
