//! The beat: how a graph knows its database and a database its graph.
//!
//! The database proposes a nonce, writes it to the graph by compare-and-set, then confirms it. Whatever stops in
//! between, the graph's nonce is the confirmed or the proposed one; any other means that a second database (a branch, a
//! restored copy) writes this graph. A graph whose high-water mark is above ours has seen writes that we have lost.

use std::sync::Arc;

use uuid::Uuid;

use super::paged;
use super::seat::mismatch;
use crate::error::{Error, Reason, Result};
use crate::store::graph::{Beat, GraphStore};
use crate::store::postgres::{Lineage, Postgres, Target};

/// Rounds of compare-and-set against other instances of the same database.
const ROUNDS: usize = 5;

/// Verifies that the graph belongs to this database and beats once. Owes everything when the graph was wiped or the
/// database restored.
pub async fn beat(postgres: &Arc<Postgres>, graph: &dyn GraphStore) -> Result<()> {
    for _ in 0..ROUNDS {
        let Some(target) = postgres.current_target().await? else {
            return Err(Error::sync(Reason::Internal, "no graph is registered"));
        };
        let held = graph.read_beat().await?;
        judge(postgres, &target, held.as_ref()).await?;
        let nonce = postgres.propose_nonce(&target.target, Uuid::new_v4()).await?;
        let confirmed = held.as_ref().is_some_and(|beat| beat.nonce == nonce);
        if !confirmed {
            // Read after the judgement, which may have raised the epoch.
            let Lineage { epoch, high_water } = postgres.lineage().await?;
            let next =
                Beat { store_id: target.store_id, epoch, high_water, nonce, horizon: target.horizon() };
            if !graph.swap_beat(held.map(|beat| beat.nonce), &next).await? {
                continue;
            }
        }
        return postgres.confirm_nonce(&target.target, nonce).await;
    }
    Err(Error::sync(Reason::Unavailable, "other instances kept changing the graph's beat; try again"))
}

async fn judge(postgres: &Postgres, target: &Target, held: Option<&Beat>) -> Result<()> {
    let Some(held) = held else {
        if target.nonce.is_some() {
            paged::owe_everything(postgres, &target.target).await?;
        }
        return Ok(());
    };
    if held.store_id != target.store_id {
        return Err(mismatch("this graph belongs to another database"));
    }
    if target.nonce != Some(held.nonce) && target.next_nonce != Some(held.nonce) {
        // Another instance may have confirmed between our two reads.
        let again = postgres.current_target().await?;
        if !again.is_some_and(|t| t.nonce == Some(held.nonce) || t.next_nonce == Some(held.nonce)) {
            return restored_or_forked(postgres, held).await;
        }
    }
    let lineage = postgres.lineage().await?;
    if held.epoch > lineage.epoch || held.high_water > lineage.high_water {
        postgres.raise_epoch(held.epoch.max(lineage.epoch) + 1).await?;
    }
    Ok(())
}

/// A nonce that we do not know: either this database was restored to a point before it gave that nonce (then its
/// high-water mark is behind), or a second database writes here.
async fn restored_or_forked(postgres: &Postgres, held: &Beat) -> Result<()> {
    let lineage = postgres.lineage().await?;
    if held.epoch > lineage.epoch || held.high_water > lineage.high_water {
        return postgres.raise_epoch(held.epoch.max(lineage.epoch) + 1).await;
    }
    Err(mismatch("another database (a branch or a restored copy) writes this graph"))
}
